// The script of the landscape page. It computes no descent: it unpacks the paths that the library took, and draws them.
"use strict";

const $ = id => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const map = $("map");
const curve = $("curve");

let paths = [];   // in the order of index()
let now = null;   // the settings that are shown
let timer = 0;    // of the animation
let frame = null; // how many steps the animation shows; null: all that are asked for

// --- the packed paths -----------------------------------------------------------------------------------------------

// Base64, deflated; then all low bytes of the 16-bit words, then all high bytes.
async function unpack(text) {
  const packed = Uint8Array.from(atob(text.trim()), c => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const half = bytes.length / 2;
  return Uint16Array.from({length: half}, (_, i) => bytes[i] | bytes[half + i] << 8);
}

// Codes are kept as differences of differences, modulo 2^16.
function readCurve(words, at, length) {
  const values = new Float64Array(length);
  let code = 0, slope = 0;
  for (let i = 0; i < length; ++i) {
    slope = slope + words[at + i] & 0xffff;
    code = code + slope & 0xffff;
    values[i] = fromLogCode(code << 16 >> 16);
  }
  return values;
}

// A code is the logarithm of 1 + |value| / 1e-10, in parts of a decade, with the value's sign.
function fromLogCode(code) {
  return Math.sign(code) * 1e-10 * (10 ** (Math.abs(code) / data.codesPerDecade) - 1);
}

// What the last code stands for, and whatever is beyond it.
const largest = fromLogCode(32767);

// Two words for each path, its length and the minimum that it is measured from; then x, y and loss of each.
function readPaths(words) {
  let at = 2 * data.count;
  return Array.from({length: data.count}, (_, i) => {
    const length = words[2 * i] & 0x7fff;
    const target = data.targets[words[2 * i + 1]];
    const dx = readCurve(words, at, length);
    const dy = readCurve(words, at + length, length);
    const gap = readCurve(words, at + 2 * length, length);
    at += 3 * length;
    return {
      target,
      left: words[2 * i] >= 0x8000,
      x: dx.map(d => target.x + d),
      y: dy.map(d => target.y + d),
      gap,
      distance: dx.map((d, k) => Math.hypot(d, dy[k])),
    };
  });
}

// By start, then optimizer, then momentum (if it has one), then learning rate.
function index({start, optimizer, momentum, lr}) {
  const rates = data.lrs.length;
  const sizes = data.rules.map(rule => (rule.momentum ? data.momenta.length : 1) * rates);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const before = sizes.slice(0, optimizer).reduce((sum, size) => sum + size, 0);
  return start * all + before + (data.rules[optimizer].momentum ? momentum * rates : 0) + lr;
}

// --- words and numbers ----------------------------------------------------------------------------------------------

function number(value) {
  const size = Math.abs(value);
  if (size < 1e-10) return "0";
  if (size < 1e-3 || size >= 1e5) return value.toExponential(2).replace("e", " · 10^").replace("+", "");
  return String(Number(value.toPrecision(3)));
}

const superscript = text => text.replace(/\^(-?\d+)/, (_, power) =>
  [...power].map(c => c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]).join(""));
const shown = value => superscript(number(value));
const bounded = (value, difference) =>
  (difference >= largest ? "more than " : difference <= -largest ? "less than " : "") + shown(value);

// The learning rate at which steps along the steepest direction of a quadratic stop shrinking.
function stabilityLimit(rule, beta) {
  if (!data.curvature) return null;
  const l = data.curvature.largest;
  if (rule.key === "sgd") return 2 * (1 + beta) / l;
  if (rule.key === "nesterov") return 2 * (1 + beta) / (1 + 2 * beta) / l;
  return null;
}

function verdict(path, last, asked) {
  if (path.left && last === path.gap.length - 1) {
    return {kind: "bad", text: `Diverged: left the surroundings of the map at step ${last}.`};
  }
  if (data.lowest !== null) {
    const hit = path.gap.findIndex(gap => gap < 1e-3);
    if (hit >= 0 && hit <= asked && path.gap[last] < 1e-3) {
      return {kind: "good", text: `Arrived: within 0.001 of the lowest loss after ${hit} steps.`};
    }
    if (last > 0 && path.gap[last] > path.gap[0]) {
      return {kind: "bad", text: `After ${last} steps the loss is higher than at the start.`};
    }
  }
  return {kind: "", text: `Not there after ${last} ${last === 1 ? "step" : "steps"}.`};
}

// --- drawing --------------------------------------------------------------------------------------------------------

function element(name, attributes, text) {
  const result = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) result.setAttribute(key, value);
  if (text !== undefined) result.textContent = text;
  return result;
}

const line = points => points.length ? "M" + points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L") : "";

// A point far away comes near enough for the browser's arithmetic, along the segment that leads to it.
function pulled([x0, y0], [x1, y1]) {
  const t = 1e4 / Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0));
  return t < 1 ? [x0 + t * (x1 - x0), y0 + t * (y1 - y0)] : [x1, y1];
}

function drawMap(path, last) {
  const {left, top, width, height, x, y} = data.map;
  const places = Array.from(path.x.subarray(0, last + 1), (value, i) => [
    left + (value - x[0]) / (x[1] - x[0]) * width,
    top + (y[1] - path.y[i]) / (y[1] - y[0]) * height]);
  const middle = [left + width / 2, top + height / 2];
  const points = places.map((place, i) => pulled(i > 0 ? places[i - 1] : middle, place));
  const d = line(points);
  const marks = [element("path", {class: "way-case", d}), element("path", {class: "way", id: "way", d})];
  for (const [px, py] of points) marks.push(element("circle", {class: "dot", cx: px, cy: py, r: 2.4}));
  marks.push(element("circle", {class: "begin", cx: points[0][0], cy: points[0][1], r: 6}));
  marks.push(element("circle", {class: "here", cx: points[last][0], cy: points[last][1], r: 6}));
  $("overlay").replaceChildren(...marks);
  $("map-title").textContent =
    `${data.name}: path of ${last} steps from (${shown(path.x[0])}, ${shown(path.y[0])}) ` +
    `to (${shown(path.x[last])}, ${shown(path.y[last])})`;
}

// About `count` round numbers between low and high.
function linearTicks(low, high, count) {
  const raw = (high - low) / count;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = unit * [1, 2, 5, 10].find(m => m * unit >= raw * 0.999);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high * (1 + 1e-9) + 1e-300; ++i) ticks.push(i * step);
  return ticks;
}

// The curve's vertical axis: where a value goes, 0 at the bottom, and which values get a label.
function lossAxis(values, logarithmic) {
  if (logarithmic) {
    const floor = 1e-10;
    const low = Math.floor(Math.log10(Math.max(floor, Math.min(...values))));
    const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(floor, ...values))));
    const stride = Math.ceil((high - low) / 8);
    const ticks = [];
    for (let power = low; power <= high; power += stride) ticks.push(10 ** power);
    return {ticks, place: v => (Math.log10(Math.max(v, floor)) - low) / (high - low),
            label: v => superscript(`10^${Math.round(Math.log10(v))}`)};
  }
  const least = Math.min(...values), most = Math.max(...values);
  const low = least >= 0 ? 0 : least, high = most > low ? most : low + 1;
  return {ticks: linearTicks(low, high, 6), place: v => (v - low) / (high - low), label: shown};
}

function drawCurve(path, last, asked) {
  const left = 66, top = 14, width = 440, height = 400;
  const logarithmic = data.lowest !== null && $("log").checked;
  const losses = Array.from(path.gap.subarray(0, Math.min(asked + 1, path.gap.length)),
                            gap => logarithmic ? gap : gap + (data.lowest ?? 0));
  const axis = lossAxis(losses, logarithmic);
  const toX = step => left + step / asked * width;
  const toY = value => top + (1 - axis.place(value)) * height;
  const marks = [element("rect", {class: "paper", x: 0, y: 0, width: 520, height: 470})];
  for (const tick of axis.ticks) {
    const y = toY(tick);
    marks.push(element("path", {class: "grid", d: `M${left} ${y}h${width}`}));
    marks.push(element("text", {class: "tick end", x: left - 8, y: y + 4}, axis.label(tick)));
  }
  marks.push(element("path", {class: "axis", d: `M${left} ${top + height}h${width}`}));
  for (const tick of linearTicks(0, asked, Math.min(asked, 8)).filter(Number.isInteger)) {
    marks.push(element("path", {class: "axis", d: `M${toX(tick)} ${top + height}v5`}));
    marks.push(element("text", {class: "tick middle", x: toX(tick), y: top + height + 20}, tick));
  }
  marks.push(element("text", {class: "middle", x: left + width / 2, y: top + height + 44}, "step"));
  if (logarithmic && axis.place(1e-3) > 0 && axis.place(1e-3) < 1) {
    marks.push(element("path", {class: "goal", d: `M${left} ${toY(1e-3)}h${width}`}));
    marks.push(element("text", {class: "goal-text", x: left + 6, y: toY(1e-3) - 5}, "0.001"));
  }
  const points = losses.map((loss, step) => [toX(step), toY(loss)]);
  marks.push(element("path", {class: "rest", d: line(points)}));
  marks.push(element("path", {class: "way", id: "loss-line", d: line(points.slice(0, last + 1))}));
  marks.push(element("circle", {class: "here", cx: points[last][0], cy: points[last][1], r: 5}));
  curve.replaceChildren(...marks);
  $("curve-caption").textContent = logarithmic ? "Loss above its lowest value" : "Loss";
}

function drawLimit(rule, beta) {
  const limit = stabilityLimit(rule, beta);
  const [low, high] = [data.lrs[0], data.lrs[data.lrs.length - 1]];
  const part = limit === null ? -1 : Math.log(limit / low) / Math.log(high / low);
  $("limit").hidden = !(part >= 0 && part <= 1);
  $("limit").style.left = `calc(8px + ${part} * (100% - 16px))`;
  $("limit").firstElementChild.textContent = `limit ${shown(limit ?? 0)}`;
  const formula = rule.key === "nesterov" ? "2 (1 + β) / ((1 + 2β) λ)" : beta > 0 ? "2 (1 + β) / λ" : "2 / λ";
  $("stability").textContent = limit !== null
    ? `Stable below a learning rate of ${shown(limit)} = ${formula}, with λ = ${shown(data.curvature.largest)}, ` +
      `the largest curvature${data.curvature.where}.`
    : data.curvature ? `No such limit: the steps of ${rule.name} do not grow with the gradients.`
    : "The curvature has no bound that is known.";
}

function drawReadouts(path, last, asked) {
  const loss = path.gap[last] + (data.lowest ?? 0);
  $("loss").textContent = bounded(loss, path.gap[last]) +
    (data.lowest ? `, ${bounded(path.gap[last], path.gap[last])} above the lowest` : "");
  $("distance").textContent = bounded(path.distance[last], path.distance[last]);
  $("distance-name").textContent = `Distance to the ${data.lowest === null ? "saddle" : "minimum"} ` +
    `(${shown(path.target.x)}, ${shown(path.target.y)})`;
  const hit = data.lowest === null ? -1 : path.gap.findIndex(gap => gap < 1e-3);
  $("hit").textContent = data.lowest === null ? "there is no lowest" : hit >= 0 ? hit : `more than ${path.gap.length - 1}`;
  const {kind, text} = verdict(path, last, asked);
  // An animation does not talk all the time to those who listen.
  if (frame === null || last === Math.min(asked, path.gap.length - 1)) {
    $("verdict").textContent = text;
    $("verdict").className = kind;
  }
}

function draw() {
  const rule = data.rules[now.optimizer];
  const path = paths[index(now)];
  const last = Math.min(now.steps, path.gap.length - 1, frame ?? Infinity);
  const beta = rule.momentum ? data.momenta[now.momentum] : 0;
  $("lr-value").textContent = data.lrs[now.lr];
  $("lr").setAttribute("aria-valuetext", data.lrs[now.lr]);
  $("momentum").disabled = !rule.momentum;
  $("momentum-name").textContent = rule.momentum === "beta1" ? "Momentum (β₁)" : "Momentum";
  $("momentum-value").textContent = rule.momentum ? beta : "none";
  $("momentum").setAttribute("aria-valuetext", rule.momentum ? beta : "none");
  $("steps-value").textContent = now.steps;
  $("log").disabled = data.lowest === null;
  drawMap(path, last);
  drawCurve(path, last, now.steps);
  drawLimit(rule, beta);
  drawReadouts(path, last, now.steps);
}

// --- settings, in the controls and in the address --------------------------------------------------------------------

function nearest(values, value, otherwise) {
  if (!Number.isFinite(value)) return otherwise;
  return values.reduce((best, v, i) => Math.abs(v - value) < Math.abs(values[best] - value) ? i : best, 0);
}

function fromAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const value = name => asked.has(name) ? Number(asked.get(name)) : NaN;
  const within = (v, low, high, otherwise) => Number.isFinite(v) ? Math.min(high, Math.max(low, Math.round(v))) : otherwise;
  return {
    optimizer: Math.max(0, data.rules.findIndex(rule => rule.key === asked.get("optimizer"))),
    lr: nearest(data.lrs, value("lr"), nearest(data.lrs, data.lr)),
    momentum: nearest(data.momenta, value("momentum"), nearest(data.momenta, data.momentum)),
    steps: within(value("steps"), 1, data.steps, data.shown),
    start: within(value("start"), 0, data.starts.length - 1, 0),
  };
}

function toAddress() {
  const {optimizer, lr, momentum, steps, start} = now;
  const hash = new URLSearchParams({optimizer: data.rules[optimizer].key, lr: data.lrs[lr],
                                    momentum: data.momenta[momentum], steps, start});
  history.replaceState(null, "", "#" + hash);
}

const names = ["optimizer", "lr", "momentum", "steps", "start"];

function toControls() {
  for (const name of names) $(name).value = now[name];
}

function pause() {
  clearInterval(timer);
  timer = 0;
  frame = null;
  $("play").textContent = "Play";
}

function play() {
  if (timer) {
    pause();
    return draw();
  }
  const end = Math.min(now.steps, paths[index(now)].gap.length - 1);
  frame = 0;
  $("play").textContent = "Stop";
  // Two to six seconds, however many steps there are.
  timer = setInterval(() => {
    if (++frame >= end) pause();
    draw();
  }, Math.max(40, Math.min(250, 4000 / end)));
  draw();
}

function option(value, text) {
  const result = document.createElement("option");
  result.value = value;
  result.textContent = text;
  return result;
}

async function begin() {
  $("optimizer").replaceChildren(...data.rules.map((rule, i) => option(i, rule.name)));
  $("start").replaceChildren(...data.starts.map(([x, y], i) => option(i, `(${shown(x)}, ${shown(y)})`)));
  $("start-control").hidden = data.starts.length < 2;
  $("lr").max = data.lrs.length - 1;
  $("momentum").max = data.momenta.length - 1;
  $("steps").max = data.steps;
  paths = readPaths(await unpack($("paths").textContent));
  now = fromAddress();
  toControls();
  $("controls").addEventListener("input", () => {
    pause();
    for (const name of names) now[name] = Number($(name).value);
    toAddress();
    draw();
  });
  $("controls").addEventListener("submit", event => event.preventDefault());
  $("play").addEventListener("click", play);
  addEventListener("hashchange", () => {
    pause();
    now = fromAddress();
    toControls();
    draw();
  });
  draw();
  document.body.dataset.ready = "yes";
}

begin();
