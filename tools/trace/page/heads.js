// Views: all heads as small maps, one of them enlarged, and statistics.

const cell = {query: 0, key: 0};  // the current cell of the large map

const rowsOf = (attention, place, measure) => queryTokens(attention.kind).map((_, query) => {
  const row = rowOf(attention, place, query, measure);
  return measure === "norm" ? shares(row) : row;
});

function drawHeads() {
  const kinds = kindsHere().map((kind) => [kind, KINDS[kind].name]);
  choices(byId("heads-kind"), kinds, state.kind, (kind) => choose({kind}));
  byId("heads-measure").hidden = !hasNorms();
  choices(byId("heads-measure"), [["weight", "weight"], ["norm", "norm of weighted values"]], state.measure,
    (measure) => choose({measure}));
  drawThumbnails();
  drawMap();
}

function drawThumbnails() {
  const held = byId("thumbnails").contains(document.activeElement);
  const rows = layersOf(state.kind).map((attention) => {
    const places = [...attention.heads.keys(), "mean"];
    return element("div", {class: "thumbnail-row", role: "group", "aria-label": `Layer ${attention.layer}`},
      element("span", {class: "thumbnail-layer"}, `layer ${attention.layer}`),
      ...places.map((place) => thumbnail(attention, place)));
  });
  byId("thumbnails").replaceChildren(...rows);
  if (held) byId("thumbnails").querySelector("[aria-pressed=true]")?.focus();
}

function thumbnail(attention, place) {
  const name = place === "mean" ? "all" : `head ${attention.heads[place]}`;
  const chosen = attention.layer === state.layer && (place === "mean" ? state.mean : !state.mean && place === state.head);
  const rows = rowsOf(attention, place, state.measure);
  const columns = keyTokens(attention.kind).length;
  const canvas = element("canvas", {width: columns, height: rows.length, "aria-hidden": "true"});
  const pen = canvas.getContext("2d");
  rows.forEach((row, query) => row.forEach((share, key) => {
    pen.fillStyle = heat(share).back;
    pen.fillRect(key, query, 1, 1);
  }));
  return element("button", {
    type: "button", class: "thumbnail", "aria-pressed": String(chosen), "aria-label": `Layer ${attention.layer}, ${place === "mean" ? "mean of all heads" : name}`,
    onclick: () => choose({layer: attention.layer, mean: place === "mean", head: place === "mean" ? state.head : place}),
  }, canvas, element("span", {}, name));
}

// --- The large map --------------------------------------------------------------------------------

function drawMap() {
  const attention = attentionOf(state.kind, state.layer);
  const place = state.mean ? "mean" : state.head;
  const keys = keyTokens(state.kind), queries = queryTokens(state.kind), targets = targetTokens();
  const head = state.mean ? "mean of all heads" : `head ${attention.heads[place]}`;
  cell.query = Math.min(state.step, queries.length - 1);
  cell.key = largest(rowOf(attention, place, cell.query, "weight"));
  const rows = rowsOf(attention, place, state.measure);
  byId("map").parentElement.classList.toggle("wide", keys.length > 16);
  const table = element("table", {class: "cells", tabindex: "0", role: "grid", "aria-describedby": "map-help",
    "aria-label": `${KINDS[state.kind].name}, layer ${state.layer}, ${head}`});
  table.append(element("thead", {}, element("tr", {},
    element("td", {}), ...keys.map((key) => element("th", {scope: "col"}, element("bdi", {class: key.special ? "special" : ""}, key.text))))));
  const body = element("tbody");
  rows.forEach((row, query) => {
    const predicts = state.kind === "encoder" ? "" : ` → ${targets[query].text}`;
    const tr = element("tr", {}, element("th", {scope: "row"},
      element("bdi", {class: queries[query].special ? "special" : ""}, queries[query].text), element("small", {}, predicts)));
    keys.forEach((_, key) => tr.append(mapCell(row, query, key)));
    body.append(tr);
  });
  table.append(body);
  table.addEventListener("keydown", moveInMap);
  table.addEventListener("focus", () => markCell());
  byId("map").replaceChildren(
    element("figcaption", {}, element("b", {}, `${KINDS[state.kind].name}, layer ${state.layer}, ${head}. `), mapLegend()),
    element("div", {class: "scroll"}, table),
    element("p", {class: "told", id: "map-told", role: "status"}),
    element("p", {class: "note", id: "map-help"}, "Point at a cell or use the arrow keys to see its numbers. Click or press Enter to see its row step by step."));
  markCell();
}

function mapLegend() {
  const [q, k] = [element("b", {class: "q"}, "Q"), element("b", {class: "k"}, "K")];
  const {queries, keys} = KINDS[state.kind];
  return element("span", {}, "Rows: ", q, ` from ${queries}`,
    state.kind === "encoder" ? "" : " (input → predicted token)", ". Columns: ", k, ` from ${keys}.`);
}

function mapCell(row, query, key) {
  if (key >= row.length) return element("td", {class: "masked", title: "masked: not written yet"}, element("span", {class: "hidden"}, "masked"));
  const {back, ink} = heat(row[key]);
  const td = element("td", {
    onmouseenter: () => { cell.query = query; cell.key = key; markCell(); },
    onclick: () => { choose({step: query}); goToPlayer(); },
  }, row[key] < 0.005 ? element("span", {class: "hidden"}, "0") : String(Math.round(100 * row[key])));
  td.style.backgroundColor = back;
  td.style.color = ink;
  td.dataset.cell = `${query} ${key}`;
  return td;
}

function moveInMap(event) {
  const steps = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]};
  if (event.key === "Enter") {
    choose({step: cell.query});
    goToPlayer();
    return;
  }
  if (!(event.key in steps)) return;
  event.preventDefault();
  const [down, right] = steps[event.key];
  const queries = queryTokens(state.kind).length;
  cell.query = Math.max(0, Math.min(queries - 1, cell.query + down));
  const visible = state.kind === "decoder" ? cell.query + 1 : keyTokens(state.kind).length;
  cell.key = Math.max(0, Math.min(visible - 1, cell.key + right));
  markCell();
}

function markCell() {
  const visible = state.kind === "decoder" ? cell.query + 1 : keyTokens(state.kind).length;
  cell.key = Math.min(cell.key, visible - 1);
  byId("map").querySelectorAll(".here").forEach((marked) => marked.classList.remove("here"));
  const marked = byId("map").querySelector(`[data-cell="${cell.query} ${cell.key}"]`);
  marked.classList.add("here");
  marked.parentElement.querySelector("th").classList.add("here");
  byId("map").querySelectorAll("thead th")[cell.key].classList.add("here");
  // Scrolls only the map, not the page.
  const scroll = byId("map").querySelector(".scroll");
  const names = marked.parentElement.querySelector("th").offsetWidth;
  if (marked.offsetLeft < scroll.scrollLeft + names) scroll.scrollLeft = marked.offsetLeft - names;
  const right = marked.offsetLeft + marked.offsetWidth;
  if (right > scroll.scrollLeft + scroll.clientWidth) scroll.scrollLeft = right - scroll.clientWidth + 8;
  tellCell();
}

function tellCell() {
  const attention = attentionOf(state.kind, state.layer);
  const place = state.mean ? "mean" : state.head;
  const {query, key} = cell;
  const told = [quoted(queryTokens(state.kind)[query].text), " → ", quoted(keyTokens(state.kind)[key].text),
    `: weight ${percentFine(rowOf(attention, place, query, "weight")[key])}`];
  if (hasNorms()) {
    const row = rowOf(attention, place, query, "norm");
    told.push(`; norm ${number(row[key])}, ${percent(shares(row)[key])} of the sum`);
  }
  if (place !== "mean" && attention.scores.length > 0) told.push(`; score ${number(attention.scores[place][query][key] / 100)}`);
  byId("map-told").replaceChildren(...told, ".");
}

// --- Statistics --------------------------------------------------------------------------------------

// Returns means over a head's rows [queries][visible keys].
function figuresOf(rows, kind, keys) {
  const mean = (of) => sum(rows.map(of)) / rows.length;
  const at = (row, key) => key >= 0 && key < row.length ? row[key] : 0;
  return {
    entropy: mean((row) => -sum(row.map((share) => share > 0 ? share * Math.log2(share) : 0))),
    distance: mean((row, query) => sum(row.map((share, key) => share * Math.abs(key - query)))),
    same: mean((row, query) => at(row, query)),
    before: mean((row, query) => at(row, query - 1)),
    after: mean((row, query) => at(row, query + 1)),
    special: mean((row) => kind === "decoder" ? row[0] : at(row, keys - 1)),
  };
}

function habit(figures) {
  const named = [["same", "the same position"], ["before", "the previous piece"], ["after", "the next piece"], ["special", ""]];
  const [name, words] = named.sort((a, b) => figures[b[0]] - figures[a[0]])[0];
  if (figures[name] < 0.4) return figures.entropy > 2 ? "many pieces" : "varying pieces";
  return words;
}

const SPECIAL = {encoder: "End of sentence", cross: "End of sentence", decoder: "Start"};

function drawFigures() {
  byId("figures").replaceChildren(...kindsHere().map(figuresTable));
}

function figuresTable(kind) {
  const keys = keyTokens(kind).length;
  const columns = ["Layer, head", "Mostly attends to", "Same position", "Previous position", SPECIAL[kind], "Distance", "Entropy"];
  const heads = layersOf(kind).flatMap((attention) => attention.heads.map((head, place) => {
    const figures = figuresOf(rowsOf(attention, place, "weight"), kind, keys);
    return {attention, head, place, figures, habit: habit(figures) || (kind === "decoder" ? "the start" : "the end of sentence")};
  }));
  const even = figuresOf(rowsOf(layersOf(kind)[0], 0, "weight").map((row) => row.map(() => 1 / row.length)), kind, keys);
  const row = (name, looks, f) => element("tr", {}, element("th", {scope: "row"}, name), element("td", {}, looks),
    ...[f.same, f.before, f.special].map((share) => element("td", {}, bar(share, percent(share)))),
    element("td", {class: "number"}, number(f.distance, 1)), element("td", {class: "number"}, `${number(f.entropy, 1)} bits`));
  const body = heads.map(({attention, head, place, figures, habit: looks}) => row(
    element("button", {type: "button", class: "link", onclick: () => {
      choose({kind, layer: attention.layer, head: place, mean: false});
      byId("heads").scrollIntoView();
    }}, `${attention.layer}, ${head}`), looks, figures));
  const mean = Object.fromEntries(Object.keys(even).map((key) => [key, sum(heads.map((h) => h.figures[key])) / heads.length]));
  return element("div", {class: "kind-figures"}, element("h3", {}, KINDS[kind].name), verdict(heads, mean, even),
    element("div", {class: "scroll", tabindex: "0", role: "group", "aria-label": `Statistics of ${KINDS[kind].name}`},
      element("table", {class: "figures"}, element("thead", {}, element("tr", {}, ...columns.map((name) => element("th", {scope: "col"}, name)))),
        element("tbody", {}, ...body), element("tfoot", {}, row("mean", "", mean), row("uniform attention", "", even)))));
}

function verdict(heads, mean, even) {
  const here = heads.filter((h) => h.figures.same > 0.5).length;
  const top = heads.reduce((a, b) => a.figures.same > b.figures.same ? a : b);
  return element("p", {}, element("b", {}, here > heads.length / 2 ? "Yes, here: " : "No, not here: "),
    `${here} of ${heads.length} heads put more than half of their weight on the same position. On average, it gets ${percent(mean.same)}`
    + ` (${percent(even.same)} with uniform attention), and at most ${percent(top.figures.same)}, in layer ${top.attention.layer}, head ${top.head}.`);
}
