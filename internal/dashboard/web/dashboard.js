"use strict";
// The server renders; this keeps the page at what it last sent, and draws the
// charts from the page's own tables.

const view = document.getElementById("view");

// morph makes one element like another and leaves alone what is alike already:
// focus, selection, open tables and the scroll position stay.
function morph(from, to) {
  if (from.hasAttribute("data-keep")) return;
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  for (const { name } of [...from.attributes]) {
    const own = name === "open"; // what the reader did
    if (!own && !to.hasAttribute(name)) from.removeAttribute(name);
  }
  const wanted = [...to.childNodes];
  const ids = new Set(wanted.map((node) => node.id).filter(Boolean));
  let there = from.firstChild;
  for (const node of wanted) {
    const same = node.id && [...from.children].find((child) => child.id === node.id);
    while (same && there !== same) there = drop(there); // children with an id never change places
    if (!there) {
      from.append(node);
    } else if (!same && (node.id || there.nodeName !== node.nodeName) && ids.has(there.id)) {
      there.before(node); // what is there is wanted further on
    } else if (there.nodeName !== node.nodeName || there.id !== node.id) {
      const next = there.nextSibling;
      there.replaceWith(node);
      there = next;
    } else {
      if (node.nodeType === Node.ELEMENT_NODE) morph(there, node);
      else if (there.data !== node.data) there.data = node.data;
      there = there.nextSibling;
    }
  }
  while (there) there = drop(there);
}

// drop takes a node out and returns the one after it.
function drop(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

function show(html) {
  const template = document.createElement("template");
  template.innerHTML = `<div id="view">${html}</div>`;
  morph(view, template.content.firstElementChild);
  announce();
  charts.draw();
}

// announce tells a screen reader when the state changes, and no figures.
let announced = view.firstElementChild.dataset.announce;
function announce(text = view.firstElementChild.dataset.announce) {
  if (text === announced) return;
  announced = text;
  document.getElementById("announcer").textContent = text;
}

// The connection. A page that nobody sees closes it: then nothing is read for it.
let source = null;
let heard = 0; // when something last came from the server

function connect() {
  if (source || document.hidden) return;
  source = new EventSource("/events");
  heard = Date.now();
  const hear = () => {
    heard = Date.now();
    lost(false);
  };
  source.addEventListener("open", hear);
  source.addEventListener("beat", hear);
  source.addEventListener("view", (event) => {
    hear();
    show(JSON.parse(event.data));
  });
  source.addEventListener("error", () => {
    lost(true);
    if (source.readyState === EventSource.CLOSED) { // refused: the browser does not try again
      disconnect();
      setTimeout(again, 3000);
    }
  });
}

function disconnect() {
  if (source) source.close();
  source = null;
}

// again goes to the login where the session has ended.
async function again() {
  try {
    const answer = await fetch("/", { method: "HEAD", redirect: "manual" });
    if (answer.type === "opaqueredirect") return location.assign("/login");
  } catch { /* it is still away */ }
  connect();
}

// listen gives up a connection that died without a word, as in a machine's sleep:
// the server says something every 15 s.
function listen() {
  if (!source || Date.now() - heard < 40_000) return;
  lost(true);
  disconnect();
  connect();
}
setInterval(listen, 5000);

function lost(is) {
  const banner = document.getElementById("lost");
  if (banner.hidden !== is) return;
  banner.hidden = !is;
  view.classList.toggle("stale", is);
  announce(is ? "The dashboard does not answer" : undefined);
}

document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
window.addEventListener("pagehide", disconnect);
window.addEventListener("pageshow", connect);

// Charts.
const charts = {
  drawn: [],

  range: () => document.querySelector("input[name=range]:checked")?.value,

  // points reads a table: columns of numbers, the first one of seconds since 1970.
  points(range) {
    const table = document.querySelector(`table[data-history="${range}"]`);
    const columns = [[], [], [], [], []];
    for (const row of table.querySelectorAll("[data-point]")) {
      row.dataset.point.split(",").forEach((v, i) => columns[i].push(Number(v)));
    }
    return { per: table.dataset.per, columns };
  },

  draw() {
    if (!this.range()) return; // an empty table has no charts
    const { per, columns } = this.points(this.range());
    const [until, written, candidates, rejected, duplicates] = columns;
    this.one("chart-written", per, [until, written, candidates], ["written", "candidates"], 1);
    this.one("chart-rejected", per, [until, rejected, duplicates], ["rejected", "duplicates"], 3);
    for (const unit of document.querySelectorAll("#pace .unit")) unit.textContent = `per ${per}`;
  },

  one(id, per, data, names, firstColour) {
    const element = document.getElementById(id);
    const known = this.drawn.find((c) => c.element === element);
    if (known) {
      known.data = data;
      known.per = per;
      if (known.plot.width !== element.clientWidth) known.plot.setSize(sizeOf(element));
      known.plot.setData(data);
      return;
    }
    const chart = { element, data, per, names };
    chart.plot = new uPlot(options(chart, firstColour), data, element);
    this.drawn = [...this.drawn.filter((c) => c.element.isConnected), chart];
    element.addEventListener("keydown", (event) => step(chart, event));
  },

  // restyle begins anew, with other colours or another size of text.
  restyle() {
    for (const { plot } of this.drawn) plot.destroy();
    this.drawn = [];
    for (const element of document.querySelectorAll(".chart")) element.replaceWith(element.cloneNode(false));
    this.draw();
  },
};

const sizeOf = (element) => ({ width: element.clientWidth, height: Math.round(13 * rem()) });
const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);
const utc = (seconds, style) => new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...style }).format(seconds * 1000);

function options(chart, firstColour) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const line = (name, i) => ({
    label: name,
    stroke: colour(`--line-${firstColour + i}`),
    width: 2,
    dash: i ? [6, 4] : [], // not told apart by colour alone
    fill: i ? undefined : colour(`--fill-${firstColour}`),
    points: { show: false },
  });
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: `${0.75 * rem()}px system-ui, sans-serif` };
  return {
    ...sizeOf(chart.element),
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.08)] } },
    axes: [
      { ...axis, size: 2 * rem(), space: 5 * rem(), values: (_, at) => at.map((s) => (chart.per === "day" ? utc(s, { day: "numeric", month: "short" }) : utc(s, { hour: "2-digit", minute: "2-digit" }))) },
      { ...axis, size: 3.2 * rem(), values: (_, at) => at.map((v) => compact.format(v)), incrs: [1, 2, 5].flatMap((d) => [...Array(13).keys()].map((e) => d * 10 ** e)).sort((a, b) => a - b) },
    ],
    series: [{}, ...chart.names.map(line)],
    hooks: { setCursor: [(plot) => readOut(chart, plot.cursor.idx)] },
  };
}

const compact = new Intl.NumberFormat("en", { notation: "compact" });
const whole = new Intl.NumberFormat("en");

function readOut(chart, i) {
  const out = chart.element.parentElement.querySelector(".readout");
  if (i == null) return; // what was read last stays
  const at = utc(chart.data[0][i], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  out.textContent = `${chart.per} until ${at}: ` + chart.names.map((name, k) => `${whole.format(chart.data[k + 1][i])} ${name}`).join(", ");
}

// step moves the cursor by the arrow keys.
function step(chart, event) {
  const end = chart.data[0].length - 1;
  const now = chart.plot.cursor.idx ?? end + 1;
  const next = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: end }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  const i = Math.min(end, Math.max(0, next));
  chart.plot.setCursor({ left: chart.plot.valToPos(chart.data[0][i], "x"), top: 0 });
}

view.addEventListener("change", (event) => {
  if (event.target.name === "range") charts.draw();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.restyle());
new ResizeObserver(() => charts.draw()).observe(view);

charts.draw();
connect();
