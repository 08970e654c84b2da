// Starts the views and keeps them in sync.

// Changes the state and redraws. Replaces a layer, head or step that does not exist by the nearest.
function choose(changes) {
  Object.assign(state, changes);
  const kinds = kindsHere();
  if (!kinds.includes(state.kind)) state.kind = kinds[kinds.length - 1];
  const layers = layersOf(state.kind);
  if (!layers.some((attention) => attention.layer === state.layer)) state.layer = layers[layers.length - 1].layer;
  state.head = Math.min(state.head, attentionOf(state.kind, state.layer).heads.length - 1);
  state.step = Math.min(state.step, queryTokens(state.kind).length - 1);
  drawPlayer();
  drawHeads();
}

function chooseSentence(index) {
  state.sentence = index;
  pinned = null;
  shown = null;
  byId("source-text").textContent = sentence().source.text;
  byId("target-text").textContent = sentence().target.text;
  document.title = `${sentence().source.text} – Limpid`;
  drawWords();
  drawFigures();
  choose({step: stepToBeginWith()});
}

// Starts where the translation first departs from the order of the source.
function stepToBeginWith() {
  const attention = attentionOf("cross", sentence().aligned_by.layer);
  if (attention === undefined) return 0;
  const step = attention.weights[0].findIndex((_, query) => largest(rowOf(attention, 0, query, "weight")) > query);
  return Math.max(0, step);
}

function start() {
  trace.sentences.forEach((one, index) => byId("sentence").append(element("option", {value: index}, `${index + 1}. ${one.source.text}`)));
  byId("picker").hidden = trace.sentences.length < 2;
  byId("sentence").addEventListener("change", (event) => chooseSentence(Number(event.target.value)));
  startWords();
  startPlayer();
  if (trace.sentences.length === 0) return;
  // Starts with the last layer, which is nearest to the predicted word.
  const cross = trace.sentences[0].attentions.filter((attention) => attention.kind === "cross");
  state.layer = cross.length > 0 ? cross[cross.length - 1].layer : 0;
  chooseSentence(0);
  // Canvases and cells have colours of the theme.
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => chooseSentence(state.sentence));
}

start();
