// The plate map, the hint below it, the legend and the list of wells that need a look.

export const states = {
  faulty: { sign: "×", words: "faulty" },
  stalled: { sign: "‖", words: "stalled" },
  unreadable: { sign: "?", words: "unreadable" },
  suspect: { sign: "!", words: "suspect" },
  normal: { sign: "", words: "normal" },
  empty: { sign: "", words: "no frame yet" },
};
const order = Object.keys(states);
const longestList = 40;
// A well is shown paler when its last frame is that much older than the plate's last one, in ms.
const oldAfter = 10 * 60 * 1000;

export function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in element) element[key] = value; else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

export function figure(value) {
  if (value === undefined || value === null) return "–";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}

export function age(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

const name = (row, column) => {
  const letter = index => String.fromCharCode(65 + index);
  return (row < 26 ? letter(row) : letter(Math.floor(row / 26) - 1) + letter(row % 26)) + String(column).padStart(2, "0");
};

export class Plate {
  constructor(open, now) {
    this.grid = document.getElementById("plate");
    this.hint = document.getElementById("hint");
    this.legend = document.getElementById("legend");
    this.list = document.getElementById("list");
    this.open = open;
    this.now = now;
    this.wells = new Map();
    this.cells = new Map();
    this.grid.addEventListener("click", event => this.#act(event, this.open));
    this.grid.addEventListener("mouseover", event => this.#act(event, well => this.#describe(well)));
    this.grid.addEventListener("focusin", event => this.#act(event, well => this.#describe(well)));
    this.grid.addEventListener("keydown", event => this.#move(event));
  }

  #act(event, body) {
    const cell = event.target.closest("button[data-well]");
    if (cell) body(cell.dataset.well);
  }

  // Shows another run: nothing of the old one stays.
  clear() {
    this.wells.clear();
    this.grid.replaceChildren();
    this.cells.clear();
    this.rows = this.columns = 0;
    this.hint.textContent = "\u00a0";
    this.#explain();
    this.#warn();
  }

  update(answer) {
    if (answer.rows !== this.rows || answer.columns !== this.columns) this.#build(answer.rows, answer.columns);
    for (const well of answer.wells) {
      this.wells.set(well.well, well);
      this.#paint(well);
    }
    this.#explain();
    this.#warn();
    this.tick();
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
    const ratio = well.severity && well.threshold ? well.severity / well.threshold : 0;
    const shade = well.state === "faulty" ? (ratio > 5 ? " most" : ratio > 2 ? " much" : "") : "";
    cell.className = well.state + shade;
    const sign = states[well.state].sign;
    const children = [];
    if (sign) children.push(make("b", { textContent: sign }));
    if (well.severity !== undefined) children.push(make("i", { textContent: figure(well.severity) }));
    cell.replaceChildren(...children);
    cell.setAttribute("aria-label", this.#sentence(well));
  }

  #sentence(well) {
    const parts = [`${well.well}: ${states[well.state].words}`];
    if (well.severity !== undefined) parts.push(`severity ${figure(well.severity)} (limit ${figure(well.threshold)})`);
    if (well.cause && well.state !== "normal") parts.push(well.cause === "unknown" ? "cause unknown" : well.cause);
    if (well.reason) parts.push(well.reason);
    parts.push(`frame ${well.frame}`);
    if (well.completed) parts.push(`${age(this.now() - Date.parse(well.completed))} ago`);
    if (well.flagged) parts.push(`${well.flagged} of ${well.judged} flagged`);
    return parts.join(" · ");
  }

  #describe(name) {
    this.described = name;
    const well = this.wells.get(name);
    this.hint.textContent = well ? this.#sentence(well) : `${name}: no frame yet`;
  }

  #explain() {
    const counts = {};
    for (const well of this.wells.values()) counts[well.state] = (counts[well.state] || 0) + 1;
    counts.empty = Math.max(0, this.rows * this.columns - this.wells.size) + (counts.empty || 0);
    this.legend.replaceChildren(...["normal", "suspect", "faulty", "stalled", "unreadable", "empty"].map(state => make(
      "li", {}, make("span", { className: `chip ${state}`, textContent: states[state].sign }),
      states[state].words, make("b", { textContent: counts[state] || 0 }))));
  }

  #warn() {
    const wells = [...this.wells.values()].filter(well => well.state !== "normal" && well.state !== "empty");
    wells.sort((left, right) => order.indexOf(left.state) - order.indexOf(right.state)
      || (right.severity || 0) - (left.severity || 0));
    const items = wells.slice(0, longestList).map(well => {
      const isOver = well.state === "faulty" && well.severity < well.threshold;
      const cause = isOver ? "faulty, the last frame is normal" : well.cause && well.cause !== "unknown" ? well.cause : states[well.state].words;
      const what = well.reason || (well.severity === undefined ? cause : `${cause}, severity ${figure(well.severity)}`);
      const button = make("button", { type: "button" },
        make("span", { className: `chip ${well.state}`, textContent: states[well.state].sign }),
        make("span", { className: "name", textContent: well.well }),
        make("span", { className: "what", textContent: what }),
        make("span", { className: "age", textContent: `f${well.frame} · ${well.flagged} flagged` }));
      button.addEventListener("click", () => this.open(well.well));
      return make("li", {}, button);
    });
    if (wells.length > longestList) items.push(make("li", { className: "more", textContent: `and ${wells.length - longestList} more` }));
    if (!items.length) items.push(make("li", { className: "fine", textContent: this.wells.size ? "All wells are normal." : "No frame yet." }));
    this.list.replaceChildren(...items);
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
