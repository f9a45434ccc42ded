// The drill-down into a well: its time series and its film strip.

import { make, figure, states } from "./plate.js";

export const svg = (name, attributes = {}, text) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
};

const height = 170, top = 22, bottom = 22, left = 34, right = 8;
const scale = value => Math.log10(1 + Math.max(0, value));

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
    const whole = data.decisions.find(decision => decision.frame === undefined);
    if (whole) parts.push(`${words(whole.decision)} for the whole well (${whole.reviewer || "no name"})`);
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
    const { buckets, threshold, transitions } = this.data;
    const width = Math.max(240, this.series.clientWidth);
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": this.#sentence() });
    if (!buckets.length) return this.series.replaceChildren(picture);
    const first = buckets[0].first, last = Math.max(first + 1, buckets[buckets.length - 1].last);
    const most = Math.max(2 * (threshold || 1), ...buckets.map(bucket => bucket.high || 0));
    const x = frame => left + (frame - first) / (last - first) * (width - left - right);
    const y = value => height - bottom - scale(value) / scale(most) * (height - top - bottom);
    this.x = { first, last, width };
    for (const value of [0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000].filter(value => value <= most)) {
      picture.append(svg("line", { class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value) }),
        svg("text", { class: "axis", x: left - 5, y: y(value) + 4, "text-anchor": "end" }, value));
    }
    this.#drawTransitions(picture, transitions, x, last);
    const isSparse = buckets.length <= 150;
    for (const bucket of buckets) {
      const at = x((bucket.first + bucket.last) / 2);
      if (bucket.unreadable) picture.append(svg("rect", { class: "lost", x: at - 2, y: height - bottom - 4, width: 4, height: 8 }));
      if (bucket.high === undefined) continue;
      if (isSparse && bucket.first === bucket.last) {
        picture.append(svg("circle", { class: bucket.flagged ? "flag" : bucket.suspect ? "dot odd" : "dot", cx: at, cy: y(bucket.high), r: bucket.flagged ? 3.6 : 2.4 }));
      } else {
        picture.append(svg("line", { class: bucket.flagged ? "flagbar" : bucket.suspect ? "bar odd" : "bar", x1: at, x2: at, y1: y(bucket.low), y2: y(bucket.high) - 0.5 }));
      }
    }
    if (threshold !== undefined) {
      picture.append(svg("line", { class: "limit", x1: left, x2: width - right, y1: y(threshold), y2: y(threshold) }),
        svg("text", { class: "limit-name", x: width - right, y: y(threshold) - 4, "text-anchor": "end" }, `threshold ${figure(threshold)}`));
    }
    picture.append(svg("text", { class: "axis", x: left, y: height - 5 }, `frame ${first}`),
      svg("text", { class: "axis", x: width - right, y: height - 5, "text-anchor": "end" }, buckets[buckets.length - 1].last),
      svg("text", { class: "axis", x: 2, y: 11 }, "severity"));
    this.here = svg("line", { class: "here", x1: -9, x2: -9, y1: top - 6, y2: height - bottom });
    picture.append(this.here);
    picture.addEventListener("click", event => {
      const box = picture.getBoundingClientRect();
      const at = (event.clientX - box.left) / box.width * width;
      this.#jump(first + (at - left) / (width - left - right) * (last - first));
    });
    this.series.replaceChildren(picture);
    this.#mark();
  }

  #drawTransitions(picture, transitions, x, last) {
    transitions.forEach((transition, index) => {
      const isOnset = transition.event === "ONSET";
      const at = x(transition.frame);
      if (isOnset) {
        const end = transitions[index + 1] ? x(transitions[index + 1].frame) : x(last);
        picture.append(svg("rect", { class: "bad", x: at, y: top - 6, width: Math.max(2, end - at), height: height - top - bottom + 6 }));
      }
      if (transitions.length > 24) return;
      const isLate = at > (x(last) - 50);
      picture.append(svg("line", { class: isOnset ? "change-line" : "change-line clear", x1: at, x2: at, y1: top - 6, y2: height - bottom }),
        svg("text", { class: isOnset ? "change-text" : "change-text clear", x: isLate ? at - 3 : at + 3, y: isOnset ? top - 8 : top + 4, "text-anchor": isLate ? "end" : "start" },
          `${isOnset ? "▼ ONSET" : "△ CLEAR"} ${transition.frame}`));
    });
  }

  #sentence() {
    const transitions = this.data.transitions.map(transition => `${transition.event} at frame ${transition.frame}`).join(", ");
    return `Severity of ${this.data.frames} frames over time, threshold ${figure(this.data.threshold)}. ${transitions || "The well never turned faulty."}`;
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
    const what = isLost ? `unreadable: ${frame.reason}` : `${frame.suspect ? states.suspect.words : frame.verdict}, severity ${figure(frame.severity)}`;
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
    this.#mark();
  }

  #mark() {
    for (const button of this.strip.querySelectorAll("button")) {
      const isHere = Number(button.dataset.frame) === this.frame && (!this.file || button.dataset.file === this.file);
      button.setAttribute("aria-pressed", isHere);
      if (isHere) button.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    if (!this.here || !this.x) return;
    const { first, last, width } = this.x;
    const at = this.frame === null ? -9 : left + (this.frame - first) / (last - first) * (width - left - right);
    this.here.setAttribute("x1", at);
    this.here.setAttribute("x2", at);
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

// Which of a well's frames of one number: its view, and its file where several say the same.
export function frameQuery(frame) {
  return query({ view: frame.view, file: frame.key });
}

// The end of an address. A form would write a space as a plus sign, which is none for the daemon.
export function query(values) {
  return Object.entries(values).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
}

export function pictureAddress(run, well, frame, width, kind = "image") {
  return `api/v1/runs/${encodeURIComponent(run)}/wells/${well}/frames/${frame.frame}/${kind}.png?${frameQuery(frame)}&width=${width}&v=${frame.sequence}`;
}

export function words(decision) {
  return { fault: "True fault", "false-alarm": "False alarm", unsure: "Unsure", withdrawn: "Taken back" }[decision] || decision;
}
