"use strict";
// The data of the page, and helpers for all views. The scripts of this folder are one program, in the
// order trace, words, heads, player, page, without build tools and libraries.
//
// Data is inserted as text (textContent), never as HTML.

const trace = JSON.parse(document.getElementById("data").textContent);

// The state of all views. `step` is the query: the index of a source piece or decoder input.
const state = {sentence: 0, kind: "cross", layer: 0, head: 0, mean: false, step: 0, measure: "weight"};

const KINDS = {
  encoder: {
    name: "Encoder self-attention", queries: "the source", keys: "the source",
    summary: "Q, K and V all come from the source: each source token attends to all source tokens, including itself.",
  },
  decoder: {
    name: "Decoder self-attention", queries: "the latest target token", keys: "the translation so far",
    summary: "Q, K and V all come from the translation: its latest token attends to itself and the tokens before it. Later tokens are masked, because they do not exist yet.",
  },
  cross: {
    name: "Cross-attention", queries: "the latest target token", keys: "the source",
    summary: "Q comes from the translation, K and V from the encoder’s output: the latest target token attends to the source tokens.",
  },
};

const byId = (id) => document.getElementById(id);
const sentence = () => trace.sentences[state.sentence];

// element("b", {class: "q"}, "text", child, …)
function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

// Text from the data within our text; it may be right-to-left.
const quoted = (text) => element("bdi", {class: "word"}, text);
const percent = (share) => share > 0 && share < 0.0095 ? "<1%" : `${Math.round(100 * share)}%`;
const percentFine = (share) => `${(100 * share).toFixed(1)}%`;
const number = (value, digits = 2) => value.toFixed(digits).replace("-", "−");
const sum = (values) => values.reduce((total, value) => total + value, 0);
const largest = (values) => values.indexOf(Math.max(...values));

// --- Tokens ---------------------------------------------------------------------------------------

// Returns a piece for display, without the "▁" that marks a space.
function shownPiece(piece) {
  if (piece === "</s>") return "end";
  if (piece.startsWith("▁")) return piece.slice(1) || "␣";
  return piece;
}

function shownTokens(side) {
  return side.tokens.map((token, i) => {
    const continuesWord = i > 0 && token.word >= 0 && token.word === side.tokens[i - 1].word;
    return {text: (continuesWord ? "·" : "") + shownPiece(token.piece), special: token.word < 0};
  });
}

const sourceTokens = () => shownTokens(sentence().source);
const targetTokens = () => shownTokens(sentence().target);
// The decoder's inputs: the start, then the target tokens but the last.
const inputTokens = () => [{text: "start", special: true}, ...targetTokens().slice(0, -1)];
const queryTokens = (kind) => kind === "encoder" ? sourceTokens() : inputTokens();
const keyTokens = (kind) => kind === "decoder" ? inputTokens() : sourceTokens();

// --- Attentions -----------------------------------------------------------------------------------

const layersOf = (kind) => sentence().attentions.filter((a) => a.kind === kind);
const attentionOf = (kind, layer) => layersOf(kind).find((a) => a.layer === layer);
const kindsHere = () => Object.keys(KINDS).filter((kind) => layersOf(kind).length > 0);
const hasNorms = () => sentence().attentions.some((a) => a.norms.length > 0);

// Returns the weights or norms of a query's visible keys. `place` is an index into attention.heads, or
// "mean" for all heads together. Norms do not sum to 1: see shares().
function rowOf(attention, place, query, measure) {
  if (measure === "norm") {
    const heads = place === "mean" ? attention.joint_norms[0] : attention.norms[place];
    return heads[query].map((hundredths) => hundredths / 100);
  }
  if (place !== "mean") return attention.weights[place][query].map((thousandths) => thousandths / 1000);
  const count = attention.heads.length;
  return attention.weights[0][query].map(
    (_, key) => sum(attention.weights.map((head) => head[query][key])) / (1000 * count));
}

// Normalizes norms to sum to 1, for comparison with weights.
function shares(row) {
  const total = sum(row);
  return total > 0 ? row.map((value) => value / total) : row;
}

// Dequantizes a vector: see Vectors() in trace/page.cc.
const unpacked = new Map();
function vectorOf(vectors, index) {
  if (!unpacked.has(vectors)) unpacked.set(vectors, Int8Array.from(atob(vectors.bytes), (c) => c.charCodeAt(0)));
  const begin = index * vectors.width;
  return Array.from(unpacked.get(vectors).subarray(begin, begin + vectors.width), (level) => level * vectors.steps[index]);
}

// --- Drawing --------------------------------------------------------------------------------------

const styleOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const channels = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

// Returns the colour of a share, and black or white text for it (contrast at least 4.5 : 1).
function heat(share) {
  const [from, to] = [channels(styleOf("--heat-none")), channels(styleOf("--heat-all"))];
  const mixed = from.map((channel, i) => Math.round(channel + (to[i] - channel) * Math.min(1, share)));
  const linear = mixed.map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  return {back: `rgb(${mixed.join(" ")})`, ink: luminance > 0.179 ? "#000" : "#fff"};
}

// Draws a vector as bars, up for positive and down for negative numbers.
function strip(values, letter, {strength = 1, large = false} = {}) {
  const height = large ? 48 : 24, pitch = large ? 12 : 3, scale = window.devicePixelRatio > 1 ? 2 : 1;
  const low = Math.min(...values), high = Math.max(...values);
  const canvas = element("canvas", {
    class: large ? "strip large" : "strip", width: values.length * pitch * scale, height: height * scale, role: "img",
    "aria-label": `${values.length} numbers from ${number(low)} to ${number(high)}`,
    title: values.map((v) => number(v)).join("  "),
  });
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  pen.fillStyle = styleOf(`--${letter}`);
  pen.globalAlpha = strength;
  const limit = Math.max(-low, high) || 1;
  values.forEach((value, i) => {
    const length = Math.max(0.5, Math.abs(value) / limit * (height / 2 - 1));
    pen.fillRect(i * pitch, value > 0 ? height / 2 - length : height / 2, pitch * 0.7, length);
  });
  return canvas;
}

// Draws a share as a bar with its number.
function bar(share, text, letter = "accent") {
  const fill = element("span", {class: `fill ${letter}`});
  fill.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return element("span", {class: "bar"}, element("span", {class: "track", "aria-hidden": "true"}, fill),
    element("span", {class: "figure"}, text));
}

// Fills `fieldset` with radio buttons after its legend. `options` are [value, text].
function choices(fieldset, options, chosen, onChoice) {
  const held = fieldset.contains(document.activeElement);
  fieldset.querySelectorAll("label").forEach((label) => label.remove());
  for (const [value, text] of options) {
    const input = element("input", {type: "radio", name: fieldset.id, value, onchange: () => onChoice(value)});
    input.checked = String(value) === String(chosen);
    fieldset.append(element("label", {}, input, element("span", {}, text)));
    // Redrawing replaces the buttons; this keeps the focus.
    if (held && input.checked) input.focus();
  }
}
