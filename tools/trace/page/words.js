// View: the words of both sentences, with lines for attention.

let pinned = null;  // {side: "source" | "target", index}, or null
let shown = null;   // the pinned word, or else the one pointed at
const wordsChoice = {head: "default", row: "output", measure: "weight"};

// Returns shares [target words, source words + 1]: the alignment in the data, or that of any head.
// As in engine/limpid/alignment.h, sums over a source word's pieces and averages over a target word's;
// the last column is the null word.
function wordShares(measure) {
  const {source, target, alignment} = sentence();
  if (wordsChoice.head === "default" && measure === "weight") {
    return alignment.map((row) => row.map((thousandths) => thousandths / 1000));
  }
  const {attention, places} = chosenHeads();
  const rows = target.words.map(() => new Array(source.words.length + 1).fill(0));
  const pieces = target.words.map(() => 0);
  target.tokens.forEach((token, i) => {
    if (token.word < 0) return;
    ++pieces[token.word];
    const next = wordsChoice.row === "input" && i + 1 < target.tokens.length;
    sharesOfHeads(attention, places, next ? i + 1 : i, measure).forEach((share, key) => {
      const word = source.tokens[key].word;
      rows[token.word][word < 0 ? source.words.length : word] += share;
    });
  });
  rows.forEach((row, word) => {
    if (pieces[word] === 0 && word > 0) rows[word] = [...rows[word - 1]];
    else if (pieces[word] > 1) rows[word] = row.map((share) => share / pieces[word]);
  });
  return rows;
}

const measuresShown = () => wordsChoice.measure === "both" ? ["weight", "norm"] : [wordsChoice.measure];

// Returns the chosen layer of cross-attention, and the indices of the chosen heads in it.
function chosenHeads() {
  const all = layersOf("cross");
  if (wordsChoice.head === "default") {
    const {layer, heads} = sentence().aligned_by;
    const attention = all.find((a) => a.layer === layer);
    return {attention, places: heads.map((head) => attention.heads.indexOf(head))};
  }
  const [layer, place] = wordsChoice.head.split(" ");
  const attention = all[Number(layer)];
  return {attention, places: place === "mean" ? [...attention.heads.keys()] : [Number(place)]};
}

// Combines heads. The joint norm is known for all heads; for some, uses the mean of their shares.
function sharesOfHeads(attention, places, query, measure) {
  if (places.length === attention.heads.length) return shares(rowOf(attention, "mean", query, measure));
  const rows = places.map((place) => shares(rowOf(attention, place, query, measure)));
  return rows[0].map((_, key) => sum(rows.map((row) => row[key])) / rows.length);
}

function drawWords() {
  const select = byId("words-head");
  select.replaceChildren(element("option", {value: "default"}, "as printed by limpid trace"));
  layersOf("cross").forEach((attention, layer) => {
    select.append(element("option", {value: `${layer} mean`}, `layer ${attention.layer}, mean of all heads`));
    attention.heads.forEach((head, place) => select.append(
      element("option", {value: `${layer} ${place}`}, `layer ${attention.layer}, head ${head}`)));
  });
  select.value = wordsChoice.head;
  byId("words-row").value = wordsChoice.row;
  byId("words-measure").hidden = !hasNorms();
  const whole = wordsChoice.head === "default";
  byId("words-row").parentElement.hidden = whole;
  if (whole) wordsChoice.row = sentence().aligned_by.row;
  const measures = [["weight", whole ? "alignment" : "weight"], ["norm", "norm"], ["both", "both"]];
  choices(byId("words-measure"), measures, wordsChoice.measure, (value) => {
    wordsChoice.measure = value;
    drawWords();
  });
  const {layer, heads, by_weight} = sentence().aligned_by;
  byId("words-note").textContent = wordsChoice.measure === "weight" && whole && !by_weight
    ? "Shares of each source word in the measure that was chosen; they sum to 100 % for each target word."
    : wordsChoice.measure === "weight"
    ? "Attention weights sum to 100 % for each target word."
    : `Norm${whole ? ` (of layer ${layer}, head ${heads.join(", ")})` : ""}: each source word’s share of what attention adds. A word with a small value vector contributes little, whatever its weight.`;
  byId("pairs").replaceChildren(...measuresShown().map(pairOf));
  layOut();
}

function pairOf(measure) {
  const {source, target} = sentence();
  const pair = element("div", {class: "pair"});
  pair.shares = wordShares(measure);
  const line = (side, words, label) => element("div", {class: `line ${side}`, dir: "auto", role: "group", "aria-label": label},
    ...words.map((text, index) => wordButton(side, index, text)));
  pair.append(line("source", [...source.words, "(null)"], "Source"));
  pair.append(document.createElementNS("http://www.w3.org/2000/svg", "svg"));
  pair.append(line("target", target.words, "Translation"));
  pair.querySelector("svg").setAttribute("aria-hidden", "true");
  if (wordsChoice.measure === "both") pair.prepend(element("h3", {}, measure === "norm" ? "Norm" : wordsChoice.head === "default" ? "Alignment" : "Weight"));
  return pair;
}

function wordButton(side, index, text) {
  const here = {side, index};
  const point = () => { if (!pinned) show(here); };
  return element("button", {
    type: "button", class: "word", "data-side": side, "data-index": index, "aria-pressed": "false",
    onmouseenter: point, onfocus: point,
    onmouseleave: () => { if (!pinned) show(null); },
    onblur: () => { if (!pinned) show(null); },
    onclick: () => {
      pinned = same(pinned, here) ? null : here;
      show(here);
    },
  }, element("span", {}, text), element("small", {"aria-hidden": "true"}));
}

const same = (a, b) => a !== null && b !== null && a.side === b.side && a.index === b.index;

// Highlights one word's lines, and describes them.
function show(word) {
  shown = word;
  for (const pair of document.querySelectorAll(".pair")) {
    pair.classList.toggle("pointed", word !== null);
    for (const button of pair.querySelectorAll("button.word")) {
      const it = {side: button.dataset.side, index: Number(button.dataset.index)};
      const other = word !== null && it.side !== word.side;
      const share = !other ? 0 : word.side === "target" ? pair.shares[word.index][it.index] : pair.shares[it.index][word.index];
      button.classList.toggle("shown", same(it, word));
      button.classList.toggle("linked", share >= 0.02);
      button.setAttribute("aria-pressed", String(same(it, pinned)));
      button.querySelector("small").textContent = share >= 0.02 ? percent(share) : "";
      const {back, ink} = heat(share);
      button.style.backgroundColor = share >= 0.02 ? back : "";
      button.style.color = share >= 0.02 ? ink : "";
    }
    for (const path of pair.querySelectorAll("path")) {
      path.classList.toggle("on", word !== null && path.dataset[word.side] === String(word.index));
    }
  }
  tell(word);
}

// Describes a word's shares as text and bars: weights, norms or both.
function tell(word) {
  const place = byId("words-row-told");
  if (word === null) {
    place.replaceChildren(element("p", {class: "note"}, "Point at a word to see its attention here."));
    return;
  }
  const {source, target} = sentence();
  const measures = measuresShown();
  const rows = measures.map((measure) => wordShares(measure));
  const others = word.side === "target" ? [...source.words, "(null)"] : target.words;
  const own = word.side === "target" ? target.words[word.index] : [...source.words, "(null)"][word.index];
  const shareOf = (row, other) => word.side === "target" ? row[word.index][other] : row[other][word.index];
  const order = others.map((_, i) => i).filter((i) => rows.some((row) => shareOf(row, i) >= 0.02))
    .sort((a, b) => shareOf(rows[0], b) - shareOf(rows[0], a)).slice(0, 6);
  const lead = word.side === "target" ? " attends to" : " is attended to by";
  place.replaceChildren(
    element("p", {}, quoted(own), lead, order.length === 0 ? " no word significantly." : ":", same(word, pinned) ? element("span", {class: "pin"}, "pinned") : ""),
    element("dl", {}, ...order.flatMap((i) => [element("dt", {}, quoted(others[i])),
      ...measures.map((measure, m) => element("dd", {},
        bar(shareOf(rows[m], i), percent(shareOf(rows[m], i)) + (measures.length > 1 && measure === "norm" ? " norm" : ""), measure === "norm" ? "v" : "accent")))])));
}

// Arranges words in two lines if they fit, else in two columns; then draws the lines between them.
function layOut() {
  const pairs = [...document.querySelectorAll(".pair")];
  for (const pair of pairs) pair.classList.remove("columns");
  const fits = pairs.every((pair) => [...pair.querySelectorAll(".line")].every((line) => line.scrollWidth <= pair.clientWidth));
  for (const pair of pairs) {
    pair.classList.toggle("columns", !fits);
    drawLines(pair, !fits);
  }
  show(shown);
}

function drawLines(pair, columns) {
  const svg = pair.querySelector("svg");
  const frame = svg.getBoundingClientRect();
  svg.setAttribute("viewBox", `0 0 ${frame.width} ${frame.height}`);
  svg.replaceChildren();
  const boxes = (side) => [...pair.querySelectorAll(`.${side} button`)].map((button) => button.getBoundingClientRect());
  const sources = boxes("source"), targets = boxes("target");
  pair.shares.forEach((row, target) => row.forEach((share, source) => {
    if (share < 0.02) return;
    const [from, to] = [sources[source], targets[target]];
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", columns
      ? curve(0, from.top + from.height / 2 - frame.top, frame.width, to.top + to.height / 2 - frame.top, true)
      : curve(from.left + from.width / 2 - frame.left, 0, to.left + to.width / 2 - frame.left, frame.height, false));
    path.setAttribute("stroke-width", (1 + 7 * share).toFixed(1));
    path.setAttribute("opacity", (0.12 + 0.8 * share).toFixed(2));
    path.dataset.source = source;
    path.dataset.target = target;
    svg.append(path);
  }));
}

function curve(x1, y1, x2, y2, sideways) {
  const f = (value) => value.toFixed(1);
  const middle = sideways ? f((x1 + x2) / 2) : f((y1 + y2) / 2);
  return sideways ? `M${f(x1)},${f(y1)} C${middle},${f(y1)} ${middle},${f(y2)} ${f(x2)},${f(y2)}`
    : `M${f(x1)},${f(y1)} C${f(x1)},${middle} ${f(x2)},${middle} ${f(x2)},${f(y2)}`;
}

function startWords() {
  byId("words-head").addEventListener("change", (event) => {
    wordsChoice.head = event.target.value;
    drawWords();
  });
  byId("words-row").addEventListener("change", (event) => {
    wordsChoice.row = event.target.value;
    drawWords();
  });
  byId("words").addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    pinned = null;
    show(null);
  });
  let width = 0;
  new ResizeObserver(() => {
    if (byId("pairs").clientWidth !== width) layOut();
    width = byId("pairs").clientWidth;
  }).observe(byId("pairs"));
}
