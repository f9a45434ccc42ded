// The drill-down into a well: its time series and its film strip.

import { Chart } from "./chart.js";
import { decisionWords, figure, make, pictureAddress, query, severity, states } from "./words.js";

export class WellView {
  constructor(address, openFrame, openView) {
    this.address = address;
    this.openFrame = openFrame;
    this.views = document.getElementById("view");
    this.views.addEventListener("change", () => openView(this.views.value));
    this.title = document.getElementById("well-title");
    this.summary = document.getElementById("well-summary");
    this.series = document.getElementById("series");
    this.strip = document.getElementById("strip");
    this.flagged = document.getElementById("flagged");
    this.flagged.addEventListener("change", () => this.showStrip());
    document.getElementById("older").addEventListener("click", () => this.showStrip({ before: this.oldest }));
    document.getElementById("newest").addEventListener("click", () => this.showStrip());
    this.strip.addEventListener("keydown", event => this.#step(event));
    new ResizeObserver(() => this.data && this.#draw()).observe(this.series);
  }

  // A well's frames of one view; of none that is named, of its first one.
  async open(run, well, view) {
    [this.run, this.well, this.view, this.frame, this.file, this.data] = [run, well, view, null, null, null];
    this.title.textContent = `Well ${well}`;
    this.summary.textContent = "";
    this.series.replaceChildren();
    this.chart = null;
    this.strip.replaceChildren();
    this.isLive = true;
    await this.refresh();
    await this.showStrip();
  }

  async refresh() {
    const [run, well, view] = [this.run, this.well, this.view];
    const data = await this.address(`runs/${encodeURIComponent(run)}/wells/${well}?${query(view === null ? {} : { view })}`);
    if (!data || run !== this.run || well !== this.well || view !== this.view) return;
    this.data = data;
    this.view = data.view;
    this.#offer(data.views);
    this.#draw();
    const range = data.range;
    const sum = key => data.buckets.reduce((sum, bucket) => sum + bucket[key], 0);
    const parts = [`${data.frames} frames`, `${sum("flagged")} flagged`];
    if (sum("suspect")) parts.push(`${sum("suspect")} suspect`);
    if (range) {
      parts.push(range.first_bad === undefined ? `usable: all, ${range.first_frame} to ${range.last_frame}`
        : `last good frame ${range.last_good ?? "none"}, first flagged ${range.first_bad}`);
    }
    for (const whole of data.decisions.filter(decision => decision.frame === undefined)) {
      parts.push(`${decisionWords(whole.decision)} for the whole well (${whole.reviewer || "no name"})`);
    }
    this.summary.textContent = parts.join(" · ");
    this.#mark();
  }

  #offer(views) {
    const names = views.map(view => view.view);
    if (names.join("\n") !== [...this.views.options].map(option => option.value).join("\n")) {
      this.views.replaceChildren(...views.map(view => make("option", { value: view.view, textContent: view.words })));
    }
    this.views.value = this.view;
    this.views.parentElement.hidden = views.length < 2;
  }

  #draw() {
    this.chart = new Chart(this.data, Math.max(240, this.series.clientWidth), frame => this.#jump(frame));
    this.series.replaceChildren(this.chart.picture);
    this.#mark();
  }

  #jump(frame) {
    const bucket = this.data.buckets.reduce((best, next) =>
      Math.abs((next.first + next.last) / 2 - frame) < Math.abs((best.first + best.last) / 2 - frame) ? next : best);
    const target = Math.min(bucket.last, Math.max(bucket.first, Math.round(frame)));
    this.showStrip({ before: target + 12 });
    this.openFrame(target);
  }

  // The newest frames, or those before one.
  async showStrip({ before } = {}) {
    const [run, well, view] = [this.run, this.well, this.view];
    this.isLive = before === undefined;
    const asked = { limit: 24 };
    if (view !== null) asked.view = view;
    if (before !== undefined) asked.before = before;
    if (this.flagged.checked) asked.flagged = 1;
    const data = await this.address(`runs/${encodeURIComponent(run)}/wells/${well}/frames?${query(asked)}`);
    if (!data || run !== this.run || well !== this.well || view !== this.view) return;
    const frames = data.frames.reverse();
    this.oldest = frames[0]?.frame;
    const items = frames.map(frame => this.#item(frame));
    this.strip.replaceChildren(...items);
    if (!items.length) this.strip.append(make("li", { className: "none", textContent: "no such frame" }));
    if (this.isLive) this.strip.scrollLeft = this.strip.scrollWidth;
    this.#mark();
    return frames;
  }

  #item(frame) {
    const isBad = frame.verdict === "faulty", isLost = frame.state === "quarantined";
    const button = make("button", { type: "button", className: isBad ? "bad" : isLost ? "lost" : "" });
    button.dataset.frame = frame.frame;
    button.dataset.file = frame.key;
    const what = isLost ? `unreadable: ${frame.reason}` : `${frame.suspect ? states.suspect.words : frame.verdict}, ${severity(frame)}`;
    button.setAttribute("aria-label", `Frame ${frame.frame}, ${what}`);
    button.title = what;
    if (isLost) {
      button.append(make("div", { className: "none", textContent: "? unreadable" }));
    } else {
      const picture = make("img", { alt: "", loading: "lazy", width: 224, height: 140, src: pictureAddress(this.run, this.well, frame, 224) });
      picture.addEventListener("error", () => picture.replaceWith(make("div", { className: "none", textContent: "file is gone" })));
      button.append(picture);
    }
    button.append(make("span", {}, make("b", { textContent: `f${frame.frame}` }),
      isLost ? "" : `${isBad ? states.faulty.sign + " " : frame.suspect ? states.suspect.sign + " " : ""}${figure(frame.severity)}`));
    button.addEventListener("click", () => this.openFrame(frame.frame, frame.key));
    return make("li", {}, button);
  }

  select(frame, file) {
    [this.frame, this.file] = [frame, file];
    if (this.strip.querySelector(`[data-frame="${frame}"]`)) this.#mark(); else this.showStrip({ before: frame + 12 });
  }

  #mark() {
    for (const button of this.strip.querySelectorAll("button")) {
      const isHere = Number(button.dataset.frame) === this.frame && (!this.file || button.dataset.file === this.file);
      button.setAttribute("aria-pressed", isHere);
      if (isHere) button.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    this.chart?.mark(this.frame);
  }

  #step(event) {
    const step = { ArrowLeft: "previousElementSibling", ArrowRight: "nextElementSibling" }[event.key];
    const button = step && event.target.closest("li")?.[step]?.querySelector("button");
    if (!button) return;
    event.preventDefault();
    button.focus();
    button.click();
  }
}
