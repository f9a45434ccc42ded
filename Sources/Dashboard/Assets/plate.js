// The plate map, the hint below it and the legend: how wells are now, the worst of the run, or the share of flagged frames.

import { age, figure, make, percent, severity, states, svg } from "./words.js";

// A well is shown paler when its last frame is that much older than the plate's last one, in ms.
const oldAfter = 10 * 60 * 1000;
// Curves are asked for anew so often, in ms.
const curvesEvery = 15000;
// Steps of a scale of colours, and from which share of flagged frames on a well has which shade.
const steps = 5;
const shares = [0.5, 0.1, 0];

// Of terms that people ask for by another name.
const measures = {
  severity: "severity", level: "brightness (level)", "sharpness-fine": "focus (sharpness-fine)", "sharpness-coarse": "focus (sharpness-coarse)",
};

const name = (row, column) => {
  const letter = index => String.fromCharCode(65 + index);
  return (row < 26 ? letter(row) : letter(Math.floor(row / 26) - 1) + letter(row % 26)) + String(column).padStart(2, "0");
};

export class Plate {
  constructor(open, now, address) {
    this.address = address;
    this.grid = document.getElementById("plate");
    this.hint = document.getElementById("hint");
    this.legend = document.getElementById("legend");
    this.shows = document.getElementById("shows");
    this.measure = document.getElementById("measure");
    this.curves = document.getElementById("curves");
    this.open = open;
    this.now = now;
    this.wells = new Map();
    this.cells = new Map();
    this.grid.addEventListener("click", event => this.#act(event, this.open));
    this.grid.addEventListener("mouseover", event => this.#act(event, well => this.#describe(well)));
    this.grid.addEventListener("focusin", event => this.#act(event, well => this.#describe(well)));
    this.grid.addEventListener("keydown", event => this.#move(event));
    for (const choice of [this.shows, this.measure, this.curves]) choice.addEventListener("change", () => this.#repaint());
  }

  #act(event, body) {
    const cell = event.target.closest("button[data-well]");
    if (cell) body(cell.dataset.well);
  }

  // Shows another run: nothing of the old one stays.
  clear(run) {
    this.run = run;
    this.drawn = null;
    this.wells.clear();
    this.grid.replaceChildren();
    this.cells.clear();
    this.rows = this.columns = 0;
    this.hint.textContent = "\u00a0";
    this.#explain();
  }

  update(answer) {
    if (answer.rows !== this.rows || answer.columns !== this.columns) this.#build(answer.rows, answer.columns);
    for (const well of answer.wells) this.wells.set(well.well, well);
    this.#offer();
    // A scale of colours goes by all wells.
    if (this.#isScaled) this.#repaint(); else for (const well of answer.wells) this.#paint(well);
    this.#explain();
    this.tick();
  }

  get #mode() { return this.shows.querySelector("input:checked").value; }
  get #isScaled() { return this.#mode === "now" && this.measure.value !== "severity"; }

  // The terms that the frames of this run have.
  #offer() {
    const names = new Set();
    for (const well of this.wells.values()) for (const name of Object.keys(well.terms ?? {})) names.add(name);
    const all = ["severity", ...[...names].sort()];
    if (all.join() === [...this.measure.options].map(option => option.value).join()) return;
    const chosen = this.measure.value;
    this.measure.replaceChildren(...all.map(name => make("option", { value: name, textContent: measures[name] ?? name })));
    this.measure.value = all.includes(chosen) ? chosen : "severity";
  }

  #repaint() {
    this.measure.disabled = this.#mode !== "now";
    for (const well of this.wells.values()) this.#paint(well);
    this.#explain();
    if (this.described) this.#describe(this.described);
    this.#drawCurves();
  }

  #build(rows, columns) {
    [this.rows, this.columns] = [Math.max(rows, this.rows || 0), Math.max(columns, this.columns || 0)];
    [rows, columns] = [this.rows, this.columns];
    this.cells.clear();
    this.grid.classList.toggle("dense", columns > 12);
    this.grid.style.setProperty("--columns", columns);
    const head = make("div", { className: "row", role: "row" }, make("span", { className: "head" }));
    for (let column = 1; column <= columns; column += 1) {
      head.append(make("span", { className: "head", role: "columnheader", textContent: column }));
    }
    const lines = [head];
    for (let row = 0; row < rows; row += 1) {
      const line = make("div", { className: "row", role: "row" });
      line.append(make("span", { className: "head", role: "rowheader", textContent: name(row, 1).slice(0, -2) }));
      for (let column = 1; column <= columns; column += 1) {
        const well = name(row, column);
        const cell = make("button", { type: "button", className: "empty", role: "gridcell", tabIndex: -1 });
        cell.dataset.well = well;
        cell.setAttribute("aria-label", `${well}: no frame yet`);
        cell.setAttribute("aria-selected", "false");
        this.cells.set(well, cell);
        line.append(cell);
      }
      lines.push(line);
    }
    this.grid.replaceChildren(...lines);
    const first = this.cells.get("A01");
    if (first) first.tabIndex = 0;
    for (const well of this.wells.values()) this.#paint(well);
    if (this.selected) this.select(this.selected);
  }

  #paint(well) {
    const cell = this.cells.get(well.well);
    if (!cell) return;
    const { state, sign, number } = this.#look(well);
    cell.className = state;
    const children = [];
    if (sign) children.push(make("b", { textContent: sign }));
    if (this.curves.checked && this.drawn?.[well.well]) children.push(curve(this.drawn[well.well]));
    else if (number !== undefined) children.push(make("i", { textContent: number }));
    cell.replaceChildren(...children);
    cell.setAttribute("aria-label", this.#sentence(well));
  }

  // Class, sign and number of a well on the map.
  #look(well) {
    if (this.#mode === "worst") {
      if (!well.worst) return { state: well.state === "unreadable" || well.judged === 0 ? well.state : "normal", sign: "" };
      return { state: `faulty${shade(well.worst)}`, sign: states.faulty.sign, number: figure(well.worst.severity) };
    }
    if (this.#mode === "share") {
      const share = well.judged ? well.flagged / well.judged : 0;
      const above = shares.findIndex(limit => share > limit);
      return { state: above < 0 ? "normal" : ["faulty most", "faulty", "suspect"][above], sign: "", number: percent(share) };
    }
    const sign = states[well.state].sign;
    if (this.#isScaled) {
      const value = well.terms?.[this.measure.value];
      return value === undefined ? { state: "empty", sign } : { state: `scale-${this.#step(value)}`, sign, number: figure(value) };
    }
    return {
      state: well.state + (well.state === "faulty" ? shade(well) : ""), sign,
      number: well.severity === undefined ? undefined : figure(well.severity),
    };
  }

  get #range() {
    const values = [...this.wells.values()].map(well => well.terms?.[this.measure.value]).filter(value => value !== undefined);
    return values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
  }

  #step(value) {
    const [low, high] = this.#range;
    return Math.min(steps - 1, Math.floor((value - low) / Math.max(high - low, 1e-9) * steps));
  }

  #sentence(well) {
    const parts = [`${well.well}: ${states[well.state].words}`];
    if (well.severity !== undefined) parts.push(severity(well));
    if (this.#isScaled && well.terms?.[this.measure.value] !== undefined) parts.push(`${measures[this.measure.value] ?? this.measure.value} ${figure(well.terms[this.measure.value])}`);
    if (well.cause && (well.state === "faulty" || well.state === "suspect")) parts.push(well.cause === "unknown" ? "cause unknown" : well.cause);
    if (well.reason) parts.push(well.reason);
    parts.push(`frame ${well.frame}`);
    if (well.completed) parts.push(`${age(this.now() - Date.parse(well.completed))} ago`);
    if (well.flagged) parts.push(`${well.flagged} of ${well.judged} flagged (${percent(well.flagged / well.judged)})`);
    if (well.worst) parts.push(`worst frame ${well.worst.frame}, ${severity(well.worst)}`);
    return parts.join(" · ");
  }

  #describe(name) {
    this.described = name;
    const well = this.wells.get(name);
    this.hint.textContent = well ? this.#sentence(well) : `${name}: no frame yet`;
  }

  // The legend of what the map shows; with numbers of wells where it shows their states.
  #explain() {
    const counts = {};
    for (const well of this.wells.values()) {
      const { state } = this.#look(well);
      counts[state] = (counts[state] || 0) + 1;
    }
    counts.empty = Math.max(0, (this.rows || 0) * (this.columns || 0) - this.wells.size) + (counts.empty || 0);
    const faulty = (counts.faulty || 0) + (counts["faulty much"] || 0) + (counts["faulty most"] || 0);
    const entry = (state, words, count, sign = "") => make("li", {}, make("span", { className: `chip ${state}`, textContent: sign }), words,
      count === undefined ? "" : make("b", { textContent: count }));
    let entries;
    if (this.#mode === "worst") {
      entries = [entry("normal", "no frame flagged", counts.normal || 0), entry("faulty", "worst frame up to 2 x the limit", counts.faulty || 0, "×"),
        entry("faulty much", "up to 5 x", counts["faulty much"] || 0, "×"), entry("faulty most", "above", counts["faulty most"] || 0, "×")];
    } else if (this.#mode === "share") {
      entries = [entry("normal", "none flagged", counts.normal || 0), entry("suspect", "up to 10 %", counts.suspect || 0),
        entry("faulty", "up to half", counts.faulty || 0), entry("faulty most", "more", counts["faulty most"] || 0)];
    } else if (this.#isScaled) {
      const [low, high] = this.#range;
      entries = Array.from({ length: steps }, (_, step) => entry(`scale-${step}`, step === 0 ? `from ${figure(low)}` : step === steps - 1 ? `to ${figure(high)}` : ""));
      entries.push(make("li", { textContent: "what this adds to the severity; symbols as ever" }));
    } else {
      entries = ["normal", "recovered", "suspect"].map(state => entry(state, states[state].words, counts[state] || 0, states[state].sign))
        .concat(entry("faulty", "faulty", faulty, "×"), ["stalled", "unreadable"].map(state => entry(state, states[state].words, counts[state] || 0, states[state].sign)));
    }
    this.legend.replaceChildren(...entries.flat(), entry("empty", states.empty.words, counts.empty));
  }

  async #drawCurves() {
    const run = this.run;
    if (!this.curves.checked || !run || this.isAsking || Date.now() - (this.drawnAt || 0) < curvesEvery && this.drawn) return;
    this.isAsking = true;
    const answer = await this.address(`runs/${encodeURIComponent(run)}/curves`);
    this.isAsking = false;
    if (!answer || run !== this.run) return;
    [this.drawn, this.drawnAt] = [answer.curves, Date.now()];
    for (const well of this.wells.values()) this.#paint(well);
  }

  // What changes with time alone.
  tick() {
    let newest = 0;
    for (const well of this.wells.values()) newest = Math.max(newest, Date.parse(well.completed || 0) || 0);
    for (const well of this.wells.values()) {
      const isOld = newest - (Date.parse(well.completed || 0) || newest) > oldAfter;
      this.cells.get(well.well)?.classList.toggle("old", isOld);
    }
    if (this.described) this.#describe(this.described);
    this.#drawCurves();
  }

  select(well) {
    this.cells.get(this.selected)?.setAttribute("aria-selected", "false");
    this.selected = well;
    const cell = this.cells.get(well);
    if (!cell) return;
    cell.setAttribute("aria-selected", "true");
    this.#settle(cell);
    this.#describe(well);
  }

  focus(well) {
    this.cells.get(well)?.focus();
  }

  #settle(cell) {
    for (const other of this.grid.querySelectorAll('button[tabindex="0"]')) other.tabIndex = -1;
    cell.tabIndex = 0;
  }

  #move(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns };
    const cells = [...this.cells.values()];
    const at = cells.indexOf(event.target);
    let to = at + (steps[event.key] || 0);
    if (event.key === "Home") to = 0;
    if (event.key === "End") to = cells.length - 1;
    if (at < 0 || to === at || to < 0 || to >= cells.length) return;
    event.preventDefault();
    this.#settle(cells[to]);
    cells[to].focus();
  }
}

// The darker, the further above the limit.
function shade(frame) {
  const ratio = frame.severity && frame.threshold ? frame.severity / frame.threshold : 0;
  return ratio > 5 ? " most" : ratio > 2 ? " much" : "";
}

// The last severities of a well, the limit as a line, on a scale that shows both small and large ones.
function curve(ratios) {
  const scale = value => Math.log2(1 + Math.max(0, value));
  const most = Math.max(scale(2), ...ratios.map(scale));
  const y = value => 18 - 16 * scale(value) / most;
  const points = ratios.map((value, index) => `${(index * 38 / Math.max(1, ratios.length - 1) + 1).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  const picture = svg("svg", { class: "curve", viewBox: "0 0 40 20", "aria-hidden": "true" });
  picture.append(svg("line", { x1: 0, x2: 40, y1: y(1), y2: y(1) }), svg("polyline", { points }));
  return picture;
}
