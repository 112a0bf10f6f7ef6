"use strict";

const element = (id) => document.getElementById(id);
const paper = element("paper");
const seen = element("seen");

/** So many classes are shown; where there are no more, they keep their order. */
const SHOWN = 10;

/** What /v1/model says. */
let model;
/** The lines drawn so far: lists of points, from 0 to 1 across the paper. */
let strokes = [];
/** The picture that was chosen instead, if one was. */
let chosen = null;

// ---- Asking: one request at a time, so that a fast pen asks as often as the server answers.

/** Counts fresh starts: what was asked before one is not shown after it. */
let turn = 0;
/** Makes the picture to ask about next. */
let next = null;
/** Made the picture that was asked about last. */
let last = null;
let asking = false;

async function ask(picture) {
  next = last = picture;
  if (asking) return;
  asking = true;
  element("answer").ariaBusy = "true";
  while (next) {
    const [made, mine] = [next(), turn];
    next = null;
    const picture = await made;
    const [answer, error] = await predict(picture);
    if (mine === turn) show(answer, error);
    if (answer && element("why").checked) {
      const [heat, error] = await explain(picture, answer.classes[0].class);
      if (mine === turn) showHeat(heat, answer.classes[0].class, error);
    }
  }
  asking = false;
  element("answer").ariaBusy = "false";
}

/** The classes and the time that it took, or what went wrong. */
async function predict(picture) {
  const begun = performance.now();
  const [answer, error] = await post("predict", { top: SHOWN }, picture);
  return error ? [null, error] : [{ ...answer, milliseconds: performance.now() - begun }, null];
}

/** A picture of what speaks for a class, or what went wrong. */
const explain = (picture, name) => post("explain", { class: name }, picture);

/** The answer to a picture, or what went wrong. */
async function post(what, options, picture) {
  const invert = !element("invert-label").hidden && element("invert").checked;
  const query = new URLSearchParams({ ...options, invert });
  try {
    const response = await fetch(`v1/${what}?${query}`, { method: "POST", body: picture });
    if (!response.ok) return [null, (await response.json()).error];
    return [await (response.headers.get("content-type") === "image/png" ? response.blob() : response.json()), null];
  } catch {
    return [null, "The server does not answer. Is it still running?"];
  }
}

function showHeat(heat, name, error) {
  element("error").hidden = !error;
  element("error").textContent = error ?? "";
  URL.revokeObjectURL(element("heat").src);
  if (heat) element("heat").src = URL.createObjectURL(heat);
  element("heat-class").textContent = name;
  element("heat-figure").hidden = !heat;
}

/** Shows an answer, or an error, or neither. */
function show(answer, error) {
  element("error").hidden = !error;
  element("error").textContent = error ?? "";
  const classes = answer?.classes ?? [];
  const best = element("best");
  best.textContent = classes[0]?.class ?? "\u00a0";
  if (classes[0]) {
    const share = document.createElement("span");
    share.textContent = ` ${percent(classes[0].probability)}`;
    best.append(share);
  }
  element("time").textContent = answer ? `answered in ${answer.milliseconds.toFixed(0)} ms` : "\u00a0";
  if (!answer || !element("why").checked) element("heat-figure").hidden = true;
  const inOrder = model.classes.length <= SHOWN;
  const rows = inOrder
    ? model.classes.map((name) => classes.find((guess) => guess.class === name) ?? { class: name })
    : classes;
  const list = element("classes");
  while (list.children.length < rows.length) list.append(row());
  while (list.children.length > rows.length) list.lastChild.remove();
  rows.forEach((guess, number) => {
    const item = list.children[number];
    const [name, bar, share] = item.children;
    name.textContent = name.title = guess.class;
    bar.style.setProperty("--share", guess.probability ?? 0);
    share.textContent = guess.probability === undefined ? "" : percent(guess.probability);
    item.classList.toggle("first", guess === classes[0]);
  });
}

function row() {
  const item = document.createElement("li");
  for (const part of ["name", "bar", "share"]) {
    const span = document.createElement("span");
    span.className = part;
    item.append(span);
  }
  return item;
}

const percent = (probability) => `${(100 * probability).toFixed(1)} %`;

// ---- Drawing.

/**
 * Draws all lines light on dark: a point (x, y) of the paper comes to (x · scale + left, y · scale + top).
 * Gives the brightness of each pixel.
 */
function draw(scale, left, top, pen) {
  const context = seen.getContext("2d", { willReadFrequently: true });
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = "black";
  context.fillRect(0, 0, seen.width, seen.height);
  context.setTransform(scale, 0, 0, scale, left, top);
  trace(context, "white", pen / scale);
  const { data } = context.getImageData(0, 0, seen.width, seen.height);
  return data.filter((_, byte) => byte % 4 === 0);
}

function trace(context, colour, width) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.lineCap = context.lineJoin = "round";
  for (const points of strokes) {
    context.beginPath();
    context.moveTo(...points[0]);
    // A line back to where it began is a dot.
    for (const point of points.length > 1 ? points.slice(1) : points) context.lineTo(...point);
    context.stroke();
  }
}

/**
 * Makes of the drawing what a network that learned from MNIST knows: light on dark, scaled to fit a box of 20x20
 * pixels, and moved so that the centre of its mass is the middle of the 28x28, as MNIST's authors did it. The pen is as
 * wide as in MNIST whatever the size of the drawing: a small digit would become fat, and a large one thin.
 */
function prepare() {
  const size = Math.min(seen.width, seen.height);
  const [box, pen] = [(20 / 28) * size, (PEN / 28) * size];
  const points = strokes.flat();
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const [width, height] = [Math.max(...xs) - left, Math.max(...ys) - top];
  // What is tiny stays small: a dot is no digit.
  const scale = (box - pen) / Math.max(width, height, 0.1);
  const x = (seen.width - width * scale) / 2 - left * scale;
  const y = (seen.height - height * scale) / 2 - top * scale;
  const pixels = draw(scale, x, y, pen);
  let [mass, massX, massY] = [0, 0, 0];
  pixels.forEach((light, pixel) => {
    mass += light;
    massX += light * ((pixel % seen.width) + 0.5);
    massY += light * (Math.floor(pixel / seen.width) + 0.5);
  });
  draw(scale, x + seen.width / 2 - massX / mass, y + seen.height / 2 - massY / mass, pen);
}

/** The width of MNIST's lines in pixels, of which 28 are a side. */
const PEN = 2.8;

/** Shows the lines on the paper, in the page's own colours and as sharp as the screen is. */
function repaint() {
  const side = Math.round(paper.clientWidth * devicePixelRatio);
  paper.width = paper.height = side;
  const context = paper.getContext("2d");
  context.scale(side, side);
  trace(context, getComputedStyle(document.body).color, 0.055);
}

/** The drawing has changed. */
function changed() {
  repaint();
  refresh();
  ask(() => {
    prepare();
    return new Promise((resolve) => seen.toBlob(resolve));
  });
}

function where(event) {
  const place = paper.getBoundingClientRect();
  return [(event.clientX - place.left) / place.width, (event.clientY - place.top) / place.height];
}

function listenToPen() {
  let pen = null;
  paper.addEventListener("pointerdown", (event) => {
    if (pen !== null || event.button !== 0) return;
    pen = event.pointerId;
    paper.setPointerCapture(pen);
    strokes.push([where(event)]);
    changed();
  });
  paper.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pen) return;
    const between = event.getCoalescedEvents?.() ?? [];
    strokes.at(-1).push(...(between.length > 0 ? between : [event]).map(where));
    changed();
  });
  const lift = (event) => {
    if (event.pointerId === pen) pen = null;
  };
  paper.addEventListener("pointerup", lift);
  paper.addEventListener("pointercancel", lift);
  new ResizeObserver(repaint).observe(paper);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
}

// ---- Choosing a picture.

function choose(file) {
  if (!file) return;
  clear();
  if (file.size > model.max_bytes) {
    show(null, `The picture has ${file.size} bytes; this server takes ${model.max_bytes}.`);
    return;
  }
  chosen = file;
  element("shown").src = URL.createObjectURL(file);
  refresh();
  ask(() => file);
}

function listenToFiles() {
  element("file").addEventListener("change", ({ target }) => {
    choose(target.files[0]);
    // So that the same file can be chosen again.
    target.value = "";
  });
  document.addEventListener("paste", (event) => choose(event.clipboardData.files[0]));
  const drag = (dragging) => (event) => {
    event.preventDefault();
    document.body.classList.toggle("dragging", dragging);
  };
  document.addEventListener("dragover", drag(true));
  document.addEventListener("dragleave", drag(false));
  document.addEventListener("drop", (event) => {
    drag(false)(event);
    choose(event.dataTransfer.files[0]);
  });
  // What the browser cannot show, the server may still know, and says if it does not.
  element("shown").addEventListener("error", () => {
    chosen = null;
    refresh();
  });
  element("invert").addEventListener("change", () => chosen && ask(last));
}

// ---- The page.

/** Begins anew. */
function clear() {
  strokes = [];
  chosen = null;
  turn += 1;
  next = null;
  URL.revokeObjectURL(element("shown").src);
  element("shown").removeAttribute("src");
  repaint();
  refresh();
  show(null, null);
}

const isDrawable = () => model.input[0] === 1 && Math.max(model.input[1], model.input[2]) <= 64;

/** Shows what belongs to what is there. */
function refresh() {
  const drawn = strokes.length > 0;
  element("shown").hidden = !chosen;
  element("hint").hidden = drawn || Boolean(chosen);
  paper.hidden = !isDrawable() || Boolean(chosen);
  element("undo").hidden = paper.hidden;
  element("undo").disabled = !drawn;
  element("clear").disabled = !drawn && !chosen;
  element("seen-figure").hidden = !drawn;
  element("invert-label").hidden = !chosen || model.input[0] !== 1;
}

async function start() {
  element("curl").textContent = `curl --data-binary @picture.png '${new URL("v1/predict?top=3", location)}'`;
  model = await (await fetch("v1/model")).json();
  const [channels, height, width] = model.input;
  const digits = model.classes.every((name) => /^\d$/.test(name));
  document.title = `${model.network} · Lenslet`;
  element("network").textContent = model.network;
  const colours = channels === 1 ? "grey" : "colour";
  element("about").textContent = `${model.classes.length} classes, ${colours} pictures of ${width} × ${height}`;
  const drawHint = digits ? "Draw a digit here" : "Draw here";
  element("hint").textContent = isDrawable() ? drawHint : "Drop a picture here";
  [seen.width, seen.height] = [width, height];
  element("undo").addEventListener("click", () => {
    strokes.pop();
    if (strokes.length > 0) changed();
    else clear();
  });
  element("clear").addEventListener("click", clear);
  element("why-label").hidden = !model.explains;
  element("why").addEventListener("change", () => {
    if (chosen || strokes.length > 0) ask(last);
  });
  listenToPen();
  listenToFiles();
  clear();
}

start().catch(() => {
  element("error").hidden = false;
  element("error").textContent = "The server does not answer. Is it still running?";
});
