// A well's severity over its frames, as a drawing: a logarithmic axis, frame numbers and clock times, and what is faulty in shade.

import { clock, figure, svg } from "./words.js";

const height = 200, top = 44, bottom = 36, left = 40, right = 10;
const scale = value => Math.log10(1 + Math.max(0, value));
const steps = [0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000];
// Room that a number on the axis, and one below it, takes.
const tickRoom = 16, clockRoom = 92, markRoom = 86;

export class Chart {
  // `data` is a well's series; a click says which frame it is on.
  constructor(data, width, pick) {
    Object.assign(this, { data, width });
    const { buckets } = data;
    this.picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": this.#sentence() });
    if (!buckets.length) return;
    this.first = buckets[0].first;
    this.last = Math.max(this.first + 1, buckets[buckets.length - 1].last);
    this.most = Math.max(2 * (data.threshold || 1), ...buckets.map(bucket => bucket.high || 0));
    this.#drawAxes();
    this.#drawTransitions();
    for (const bucket of buckets) this.#drawBucket(bucket, buckets.length <= 150);
    this.#drawLimit();
    this.here = svg("line", { class: "here", x1: -9, x2: -9, y1: top - 4, y2: height - bottom });
    this.picture.append(this.here);
    this.picture.addEventListener("click", event => {
      const box = this.picture.getBoundingClientRect();
      const at = (event.clientX - box.left) / box.width * width;
      pick(this.first + (at - left) / (width - left - right) * (this.last - this.first));
    });
  }

  mark(frame) {
    const at = frame === null ? -9 : this.#x(frame);
    this.here?.setAttribute("x1", at);
    this.here?.setAttribute("x2", at);
  }

  #x(frame) { return left + (frame - this.first) / (this.last - this.first) * (this.width - left - right); }
  #y(value) { return height - bottom - scale(value) / scale(this.most) * (height - top - bottom); }

  #drawAxes() {
    const { picture, width } = this;
    let above = Infinity;
    for (const value of steps.filter(value => value <= this.most)) {
      const y = this.#y(value);
      if (above - y < tickRoom) continue;
      above = y;
      picture.append(svg("line", { class: "grid", x1: left, x2: width - right, y1: y, y2: y }),
        svg("text", { class: "axis", x: left - 6, y: y + 4, "text-anchor": "end" }, value));
    }
    picture.append(svg("text", { class: "axis", x: 2, y: 11 }, "severity, logarithmic"));
    const { buckets } = this.data;
    const count = Math.max(2, Math.floor((width - left - right) / clockRoom));
    let taken = -1;
    for (let index = 0; index < count; index += 1) {
      const at = Math.round(index * (buckets.length - 1) / (count - 1));
      if (at === taken) continue;
      taken = at;
      const bucket = buckets[at];
      const x = this.#x(bucket.first);
      const anchor = index === 0 ? "start" : at === buckets.length - 1 ? "end" : "middle";
      picture.append(svg("line", { class: "grid", x1: x, x2: x, y1: height - bottom, y2: height - bottom + 4 }),
        svg("text", { class: "axis", x, y: height - bottom + 16, "text-anchor": anchor }, index === 0 ? `frame ${bucket.first}` : bucket.first));
      if (bucket.time) picture.append(svg("text", { class: "axis", x, y: height - 5, "text-anchor": anchor }, clock(bucket.time, { zone: false, today: bucket.time })));
    }
  }

  #drawTransitions() {
    const { transitions } = this.data;
    const y = top - 4;
    const ends = { ONSET: -Infinity, CLEAR: -Infinity };
    transitions.forEach((transition, index) => {
      const isOnset = transition.event === "ONSET";
      const x = this.#x(transition.frame);
      if (isOnset) {
        const from = this.#x(transition.from ?? transition.frame);
        const end = transitions[index + 1] ? this.#x(transitions[index + 1].frame) : this.#x(this.last);
        this.picture.append(svg("rect", { class: "bad", x: from, y, width: Math.max(2, end - from), height: height - bottom - y }));
      }
      this.picture.append(svg("line", { class: isOnset ? "change-line" : "change-line clear", x1: x, x2: x, y1: isOnset ? top - 28 : top - 16, y2: height - bottom }));
      // A name that would lie over the one before it is left out; the line stays.
      const isLate = x > this.width - right - markRoom;
      const begin = isLate ? x - 3 - markRoom : x + 3;
      if (begin < ends[transition.event]) return;
      ends[transition.event] = begin + markRoom;
      this.picture.append(svg("text", {
        class: isOnset ? "change-text" : "change-text clear", x: isLate ? x - 3 : x + 3, y: isOnset ? top - 20 : top - 8, "text-anchor": isLate ? "end" : "start",
      }, `${isOnset ? "▼ ONSET" : "△ CLEAR"} ${transition.frame}`));
    });
  }

  #drawBucket(bucket, isSparse) {
    const x = this.#x((bucket.first + bucket.last) / 2);
    if (bucket.unreadable) this.picture.append(svg("rect", { class: "lost", x: x - 2, y: height - bottom - 4, width: 4, height: 8 }));
    if (bucket.high === undefined) return;
    if (isSparse && bucket.first === bucket.last) {
      this.picture.append(svg("circle", { class: bucket.flagged ? "flag" : bucket.suspect ? "dot odd" : "dot", cx: x, cy: this.#y(bucket.high), r: bucket.flagged ? 3.6 : 2.4 }));
    } else {
      this.picture.append(svg("line", { class: bucket.flagged ? "flagbar" : bucket.suspect ? "bar odd" : "bar", x1: x, x2: x, y1: this.#y(bucket.low), y2: this.#y(bucket.high) - 0.5 }));
    }
  }

  #drawLimit() {
    const { threshold } = this.data;
    if (threshold === undefined) return;
    const y = this.#y(threshold);
    this.picture.append(svg("line", { class: "limit", x1: left, x2: this.width - right, y1: y, y2: y }),
      svg("text", { class: "limit-name", x: this.width - right, y: y - 4, "text-anchor": "end" }, `limit ${figure(threshold)}`));
  }

  #sentence() {
    const { frames, threshold, transitions } = this.data;
    const turns = transitions.map(transition => `${transition.event} at frame ${transition.frame}`).join(", ");
    return `Severity of ${frames} frames over time, limit ${figure(threshold)}. ${turns || "The well never turned faulty."}`;
  }
}
