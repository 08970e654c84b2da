// View: how one row of attention is computed, in stages, at any step of the translation.

const writes = (kind) => kind !== "encoder";  // whether its queries are decoder steps

function drawPlayer() {
  const attention = attentionOf(state.kind, state.layer);
  drawKinds();
  const layers = layersOf(state.kind);
  byId("player-layer").replaceChildren(...layers.map((a) => element("option", {value: a.layer}, String(a.layer))));
  byId("player-layer").value = state.layer;
  choices(byId("player-heads"), attention.heads.map((head, place) => [place, head]), state.head,
    (head) => choose({head, mean: false}));
  drawStepper();
  drawStage(attention);
  byId("stages").replaceChildren(...stagesOf(attention));
}

// Draws the kinds of attention, each with the origins of Q, K and V.
function drawKinds() {
  const fieldset = byId("kinds");
  const held = fieldset.contains(document.activeElement);
  fieldset.querySelectorAll("label").forEach((label) => label.remove());
  for (const kind of kindsHere()) {
    const {name, queries, keys} = KINDS[kind];
    const input = element("input", {type: "radio", name: "player-kind", value: kind, onchange: () => choose({kind})});
    input.checked = kind === state.kind;
    fieldset.append(element("label", {class: "kind"}, input, element("strong", {}, name),
      element("span", {}, element("b", {class: "q"}, "Q"), ` from ${queries}`),
      element("span", {}, element("b", {class: "k"}, "K"), " and ", element("b", {class: "v"}, "V"), ` from ${keys}`)));
    if (held && input.checked) input.focus();
  }
}

function drawStepper() {
  const steps = queryTokens(state.kind).length;
  const slider = byId("step");
  slider.max = steps - 1;
  slider.value = state.step;
  const label = writes(state.kind) ? `Step ${state.step + 1} of ${steps}` : `Source piece ${state.step + 1} of ${steps}`;
  byId("step-label").textContent = label;
  slider.setAttribute("aria-valuetext", `${label}: ${queryTokens(state.kind)[state.step].text}`);
  byId("back").disabled = state.step === 0;
  byId("forward").disabled = state.step === steps - 1;
}

// Draws the pieces of both sides: the query, the keys with their weights, and masked pieces.
function drawStage(attention) {
  const row = rowOf(attention, state.head, state.step, "weight");
  const side = (title, tokens, roles) => element("div", {class: "side"}, element("span", {class: "side-title"}, title),
    element("span", {class: "pieces", dir: "auto"}, ...tokens.map((token, i) => stagePiece(token, i, roles, row))));
  const keys = {keys: true, query: state.kind !== "cross"};
  const written = inputTokens();
  const source = side("Source", sourceTokens(), state.kind === "decoder" ? {} : keys);
  const target = side("Translation so far", written, state.kind === "encoder" ? {} : {keys: state.kind === "decoder", query: true, masked: true});
  const next = writes(state.kind)
    ? element("p", {class: "next"}, "The decoder’s input is ", quoted(written[state.step].text), "; it predicts ", quoted(targetTokens()[state.step].text), ".")
    : element("p", {class: "next"}, "The encoder processes the whole source before decoding starts.");
  byId("stage").replaceChildren(element("p", {}, KINDS[state.kind].summary), source,
    ...(state.kind === "encoder" ? [] : [target]), next);
}

function stagePiece(token, index, roles, row) {
  const made = element("span", {class: "piece"}, element("bdi", {class: token.special ? "special" : ""}, token.text));
  const later = roles.masked && index > state.step;
  if (later) made.classList.add("later");
  if (roles.keys && !later) {
    const {back, ink} = heat(row[index]);
    made.classList.add("key");
    made.style.backgroundColor = back;
    made.style.color = ink;
    made.append(element("small", {}, percent(row[index])));
  }
  if (roles.query && index === state.step) {
    made.classList.add("query");
    made.append(element("b", {class: "mark q"}, "Q"));
  }
  return made;
}

// --- The stages -----------------------------------------------------------------------------------

function stagesOf(attention) {
  const keys = keyTokens(state.kind).slice(0, attention.weights[state.head][state.step].length);
  const weights = rowOf(attention, state.head, state.step, "weight");
  const row = {attention, keys, weights, best: largest(weights), query: queryTokens(state.kind)[state.step].text};
  const made = [];
  if (attention.q) made.push(queryStage(row));
  if (attention.k && attention.scores.length > 0) made.push(scoreStage(row));
  made.push(softmaxStage(row));
  if (attention.v && attention.context) made.push(valueStage(row));
  if (attention.context) made.push(headsStage(row));
  if (attention.output) made.push(outputStage(row));
  made.push(writes(state.kind) ? wordStage() : encoderOutputStage());
  byId("step-told").textContent = `${row.query} attends mostly to ${keys[row.best].text}, ${percent(weights[row.best])}.`;
  return made;
}

function stage(title, sentenceParts, content, properties = {}) {
  return element("li", properties, element("h3", {}, ...title), element("p", {}, ...sentenceParts), content);
}

const letter = (name) => element("b", {class: name.toLowerCase()}, name);
const widthOf = (vectors) => vectors.width;
const at = (place, index, rows) => place * rows + index;  // of a vector in [heads, rows]

function queryStage({attention, query}) {
  const place = at(state.head, state.step, queryTokens(state.kind).length);
  const values = vectorOf(attention.q, place);
  const from = state.kind === "encoder" ? "the source" : "the translation so far";
  return stage(["Query: ", letter("Q")],
    [`Head ${attention.heads[state.head]} computes a query from the vector of `, quoted(query), ` (${from}): ${values.length} numbers, `,
      `${values.slice(0, 3).map((v) => number(v)).join(", ")}, …`], strip(values, "q", {large: true}));
}

// A table with one row per key: its piece and `content`.
function keyRows(row, label, content) {
  return element("table", {class: "keys", "aria-label": label}, element("tbody", {}, ...row.keys.map((key, i) =>
    element("tr", {class: i === row.best ? "best" : ""},
      element("th", {scope: "row"}, element("bdi", {class: key.special ? "special" : ""}, key.text)),
      ...content(i).map((child) => element("td", {}, child))))));
}

function scoreStage(row) {
  const {attention, keys, best} = row;
  const scores = attention.scores[state.head][state.step].map((hundredths) => hundredths / 100);
  const width = widthOf(attention.k), root = Math.sqrt(width);
  const from = KINDS[state.kind].keys;
  const high = Math.max(...scores.map(Math.abs)) || 1;
  return stage(["Scores: ", letter("Q"), " · ", letter("K")],
    [`Each piece of ${from} has a key. Its score is the dot product with the query, divided by √${width}${Number.isInteger(root) ? ` = ${root}` : ""}. For `,
      quoted(keys[best].text), `: ${number(scores[best] * root, 1)} / ${number(root, Number.isInteger(root) ? 0 : 2)} = ${number(scores[best])}.`],
    keyRows(row, "Keys and scores", (i) => [
      strip(vectorOf(attention.k, at(state.head, i, attention.kind === "decoder" ? inputTokens().length : sourceTokens().length)), "k"),
      scoreBar(scores[i], high)]), {class: "column"});
}

// Draws a bar, to the left for negative scores.
function scoreBar(score, high) {
  const fill = element("span", {class: "fill"});
  fill.style.width = `${Math.abs(score) / high * 50}%`;
  fill.style.left = score < 0 ? `${50 - Math.abs(score) / high * 50}%` : "50%";
  return element("span", {class: "bar score"}, element("span", {class: "track", "aria-hidden": "true"}, fill),
    element("span", {class: "figure"}, number(score)));
}

function softmaxStage(row) {
  const {attention, keys, weights, best} = row;
  const scores = attention.scores.length > 0 ? attention.scores[state.head][state.step].map((s) => s / 100) : null;
  const told = ["e to the power of each score, divided by the sum. "];
  if (scores !== null) {
    told.push(quoted(keys[best].text), `: e^${number(scores[best])} = ${short(Math.exp(scores[best]))}, divided by ${short(sum(scores.map(Math.exp)))}, is `);
  }
  told.push(element("strong", {}, percentFine(weights[best])), ".");
  return stage(["Weights: softmax"], told,
    keyRows(row, "Weights", (i) => [bar(weights[i], percentFine(weights[i]))]), {class: "column"});
}

const short = (value) => value >= 1e4 || value < 0.01 ? value.toExponential(1) : value >= 100 ? value.toFixed(0) : value.toPrecision(3);

function valueStage(row) {
  const {attention, keys, weights} = row;
  const rows = attention.kind === "decoder" ? inputTokens().length : sourceTokens().length;
  const norms = attention.norms.length > 0 ? shares(rowOf(attention, state.head, state.step, "norm")) : null;
  const order = weights.map((_, i) => i).filter((i) => weights[i] >= 0.005)
    .sort((a, b) => weights[b] - weights[a]).slice(0, 3);
  const told = ["The sum of all values, each times its weight: "];
  order.forEach((i, n) => told.push(n > 0 ? " + " : "", `${number(weights[i])} · V of `, quoted(keys[i].text)));
  told.push(keys.length > order.length ? " + …" : ".", norms === null ? "" : " The bars show each value’s share of the norms.");
  const mixed = vectorOf(attention.context, at(state.head, state.step, queryTokens(state.kind).length));
  const content = element("div", {}, keyRows(row, "Values and their contributions", (i) => [
    strip(vectorOf(attention.v, at(state.head, i, rows)), "v", {strength: 0.25 + 0.75 * weights[i]}),
    norms === null ? "" : bar(norms[i], percent(norms[i]), "v")]),
  element("p", {class: "sum"}, element("span", {}, "= "), strip(mixed, "v")));
  return stage(["Weighted sum of the values ", letter("V")], told, content, {class: "column"});
}

// Compares the results of all heads.
function headsStage({attention, keys}) {
  const {heads} = attention;
  const total = attention.head_norms.length > 0 ? sum(attention.head_norms.map((head) => head[state.step])) : 0;
  const cards = heads.map((head, place) => {
    const weights = rowOf(attention, place, state.step, "weight");
    const best = largest(weights);
    return element("button", {
      type: "button", class: "head-card", "aria-pressed": String(place === state.head),
      onclick: () => choose({head: place, mean: false}),
    }, element("strong", {}, `head ${head}`), element("span", {}, "attends to ", quoted(keys[best].text), ` ${percent(weights[best])}`),
    strip(vectorOf(attention.context, at(place, state.step, queryTokens(state.kind).length)), "v"),
    total > 0 ? bar(attention.head_norms[place][state.step] / total, `${percent(attention.head_norms[place][state.step] / total)} of the norms`, "v") : "");
  });
  const width = widthOf(attention.context);
  return stage(["Combining the heads"],
    [heads.length === 1 ? "There is a single head. " : `All ${heads.length} heads do this in parallel, each with its own Q, K and V. `,
      `Their results are concatenated: ${heads.length} × ${width} = ${heads.length * width} numbers. The bars compare the norms of their contributions. Choose a head to see its row.`],
    element("div", {class: "head-cards"}, ...cards));
}

function outputStage({attention, query}) {
  const values = vectorOf(attention.output, state.step);
  return stage(["Output projection, ", element("span", {}, "W", element("sub", {}, "o"))],
    [`A matrix projects them to ${values.length} numbers, which the residual connection adds to the vector of `, quoted(query), "."], strip(values, "accent", {large: values.length <= 64}));
}

function encoderOutputStage() {
  return stage(["The next layer"],
    ["The output of the last encoder layer is projected to ", letter("K"), " and ", letter("V"), " of cross-attention, once per sentence. ",
      "This is how the decoder sees the source."], element("span"));
}

function wordStage() {
  const predictions = sentence().predictions[state.step] ?? [];
  const written = sentence().target.tokens[state.step];
  const layers = layersOf(state.kind).length;
  const list = element("ol", {class: "predictions"}, ...predictions.map(([piece, thousandths]) => {
    const chosen = piece === written.piece;
    return element("li", {class: chosen ? "chosen" : ""}, element("bdi", {class: piece === "</s>" ? "special" : ""}, shownPiece(piece)),
      bar(thousandths / 1000, percentFine(thousandths / 1000)), element("span", {class: "taken"}, chosen ? "written" : ""));
  }));
  const told = [`After ${layers === 1 ? "the layer" : `all ${layers} layers`}, the vector is multiplied with the embedding of every piece in the vocabulary. The most probable next pieces:`];
  if (!predictions.some(([piece]) => piece === written.piece)) told.push(" The piece written, ", quoted(shownPiece(written.piece)), ", is not among them.");
  return stage(["The next piece"], told, list);
}

// --- Moving ---------------------------------------------------------------------------------------

const stepBy = (by) => choose({step: Math.max(0, Math.min(queryTokens(state.kind).length - 1, state.step + by))});

function goToPlayer() {
  byId("player").scrollIntoView();
  byId("step").focus({preventScroll: true});
}

function startPlayer() {
  byId("player-layer").addEventListener("change", (event) => choose({layer: Number(event.target.value)}));
  byId("step").addEventListener("input", (event) => choose({step: Number(event.target.value)}));
  byId("back").addEventListener("click", () => stepBy(-1));
  byId("forward").addEventListener("click", () => stepBy(1));
  // Arrow keys step from anywhere in the view, except in controls that use them.
  byId("player").addEventListener("keydown", (event) => {
    if (event.target.matches("input, select") || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "ArrowLeft") stepBy(-1);
    if (event.key === "ArrowRight") stepBy(1);
  });
}
