// Each lens beside its own past runs: a table with a control chart (Levey-Jennings) in each row.

import { figure, make, svg } from "./words.js";

const width = 300, height = 64, edge = 8, room = 30;

export class LensView {
  constructor(address) {
    this.address = address;
    this.root = document.getElementById("lenses");
    this.rows = document.getElementById("lens-rows");
    this.root.addEventListener("toggle", () => this.#load());
  }

  // Looking at every run takes a moment: only while somebody looks.
  open(run) {
    this.run = run;
    this.root.hidden = !run;
    this.rows.replaceChildren();
    this.#load();
  }

  async #load() {
    const run = this.run;
    if (!this.root.open || !run) return;
    const data = await this.address(`runs/${encodeURIComponent(run)}/lenses`);
    if (!data || run !== this.run) return;
    this.rows.replaceChildren(...data.lenses.map(lens => this.#row(lens)));
  }

  #row(lens) {
    const past = lens.mean === undefined ? "too few runs" : `${figure(lens.mean)} ± ${figure(lens.spread)}`;
    const deviation = lens.deviation === undefined ? "–" : `${lens.deviation < 0 ? "−" : "+"}${Math.abs(lens.deviation).toFixed(1)}`;
    const cells = [`${lens.flagged} of ${lens.judged}`, figure(lens.severity), past, deviation].map(text => make("td", { textContent: text }));
    return make("tr", { className: lens.is_out ? "out" : "" },
      make("th", { scope: "row", textContent: `${lens.is_out ? "× " : ""}${lens.lens}` }), ...cells, make("td", {}, this.#chart(lens)));
  }

  #chart(lens) {
    const values = lens.runs.map(run => run.severity);
    const limits = lens.mean === undefined ? [] : [-3, -2, -1, 0, 1, 2, 3].map(deviation => ({ deviation, value: lens.mean + deviation * lens.spread }));
    const all = [...values, ...limits.map(limit => limit.value)];
    const low = Math.min(...all), high = Math.max(low + 1e-6, ...all);
    const x = index => edge + index * (width - room - 2 * edge) / Math.max(1, values.length - 1);
    const y = value => height - edge - (value - low) / (high - low) * (height - 2 * edge);
    const picture = svg("svg", { class: "lens", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Median severity of lens ${lens.lens} in ${values.length} runs, now ${figure(lens.severity)}` });
    for (const { deviation, value } of limits) {
      picture.append(svg("line", { class: `s${Math.abs(deviation)}`, x1: 0, x2: width - room, y1: y(value), y2: y(value) }));
      if (deviation % 3 === 0) picture.append(svg("text", { x: width - room + 4, y: y(value) + 3.5 }, deviation === 0 ? "mean" : `${deviation > 0 ? "+" : "−"}3 s`));
    }
    picture.append(svg("polyline", { points: values.map((value, index) => `${x(index)},${y(value)}`).join(" ") }));
    lens.runs.forEach((run, index) => {
      const isThis = index === values.length - 1;
      const point = svg("circle", { class: `${isThis ? "this" : ""} ${run.is_out ? "out" : ""}`.trim(), cx: x(index), cy: y(run.severity), r: isThis ? 4.5 : 2.5 });
      point.append(svg("title", {}, `run ${run.run}: ${figure(run.severity)}`));
      picture.append(point);
    });
    return picture;
  }
}
