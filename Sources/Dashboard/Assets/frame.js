// One frame: its picture with outline and heat map, its figures, its files, and what a reviewer says of it.

import { FramePicture } from "./picture.js";
import { clock, decisionWords, figure, frameAddress, frameQuery, keep, kept, local, make, query } from "./words.js";

export class FrameView {
  constructor(address, send, changed) {
    [this.address, this.send, this.changed] = [address, send, changed];
    this.root = document.getElementById("frame");
    this.title = document.getElementById("frame-title");
    this.picture = new FramePicture(address);
    this.why = document.getElementById("why");
    this.facts = document.getElementById("facts");
    this.files = document.getElementById("files");
    this.form = document.getElementById("decision");
    this.decided = document.getElementById("decided");
    this.reviewer = document.getElementById("reviewer");
    this.note = document.getElementById("note");
    this.whole = document.getElementById("whole");
    this.reviewer.value = kept("reviewer");
    this.reviewer.addEventListener("change", () => {
      keep("reviewer", this.name);
      if (this.data) this.#judge(this.data.decisions);
      this.changed();
    });
    for (const button of this.form.querySelectorAll("[data-decision]")) {
      button.addEventListener("click", () => this.decide(button.dataset.decision));
    }
    this.form.addEventListener("submit", event => event.preventDefault());
  }

  hide() {
    this.root.hidden = true;
    this.frame = null;
  }

  async open(run, well, view, frame, file) {
    [this.run, this.well, this.view, this.frame, this.file, this.data] = [run, well, view, frame, file, null];
    const asked = query({ view: view ?? "", file: file ?? "" });
    const data = await this.address(`${frameAddress(run, well, frame)}?${asked}`);
    if (run !== this.run || well !== this.well || view !== this.view || frame !== this.frame || file !== this.file) return;
    if (!data) return this.hide();
    this.root.hidden = false;
    this.data = data;
    this.title.textContent = `Frame ${frame}`;
    this.#show();
    this.#tell();
    this.#link();
    this.#judge(data.decisions);
  }

  #show() {
    const frame = this.data.frame;
    if (frame.state === "quarantined") return this.picture.say(`This frame could not be judged: ${local(frame.reason)}`);
    this.picture.show(this.run, this.well, this.data);
  }

  #tell() {
    const frame = this.data.frame;
    // A frame that is faulty everywhere has no place in it to point at.
    const isWhole = frame.verdict === "faulty" && frame.area >= 1;
    const whole = !isWhole ? "" : frame.cause === "z-shift" ? "The whole frame is out of focus" : "The whole frame is faulty";
    this.why.textContent = [whole, frame.explanation].filter(Boolean).join(": ");
    this.why.hidden = !this.why.textContent;
    const facts = [["verdict", frame.verdict || frame.state]];
    if (frame.severity !== undefined) facts.push(["severity", `${figure(frame.severity)} (limit ${figure(frame.threshold)})`]);
    if (frame.cause) facts.push(["cause", frame.confidence ? `${frame.cause} (${Math.round(100 * frame.confidence)} %)` : frame.cause]);
    if (frame.terms) facts.push(["terms", Object.entries(frame.terms).sort((a, b) => b[1] - a[1]).map(([name, value]) => `${name} ${figure(value)}`).join(", ")]);
    if (frame.area) facts.push(["area", isWhole ? "the whole frame" : `${(100 * frame.area).toFixed(1)} %`]);
    if (frame.score !== undefined) facts.push(["score of the residual (has no limit)", frame.score.toPrecision(4)]);
    if (frame.tier && frame.tier !== "full") facts.push(["judged", frame.tier]);
    if (frame.completed) facts.push(["taken", clock(frame.completed)]);
    if (frame.model) facts.push(["model", frame.model]);
    facts.push(["file", frame.page ? `${frame.file}, page ${frame.page}` : frame.file]);
    this.facts.replaceChildren(...facts.map(([name, value]) => make("div", {}, make("dt", { textContent: name }), make("dd", { textContent: value }))));
  }

  #link() {
    const frame = this.data.frame;
    const base = `api/v1/${frameAddress(this.run, this.well, frame.frame)}`;
    const links = [["Frame", "frame.tiff"]];
    if (frame.has_mask) links.push(["Mask (TIFF)", "mask.tiff"], ["Regions (GeoJSON)", "mask.geojson"]);
    if (frame.has_heat_map) links.push(["Score map (TIFF)", "scores.tiff"]);
    this.files.replaceChildren(...links.map(([text, name]) => make("a", { href: `${base}/${name}?${frameQuery(frame)}`, textContent: text, download: "" })));
  }

  // Who decides here.
  get name() { return this.reviewer.value.trim(); }

  // The name of who started the page, where none was given here.
  suggest(name) {
    if (!this.reviewer.value && name && !kept("reviewer")) this.reviewer.value = name;
  }

  // What others say is shown once one has decided oneself, so that each looks with their own eyes.
  #judge(decisions) {
    const own = decisions.find(decision => decision.reviewer === this.name);
    const others = decisions.filter(decision => decision !== own);
    for (const button of this.form.querySelectorAll("[data-decision]")) {
      button.setAttribute("aria-pressed", own?.decision === button.dataset.decision);
    }
    this.note.value = own?.note || "";
    this.decided.classList.remove("bad");
    const said = decision => `${decisionWords(decision.decision)}, said ${decision.reviewer || "somebody without a name"} at ${clock(decision.decided)}.`;
    const hidden = others.length === 1 ? "Another person has decided" : `${others.length} others have decided`;
    this.decided.textContent = own ? [own, ...others].map(said).join(" ")
      : others.length ? `${hidden}; you see it once you have.` : "";
  }

  allow(isAllowed) {
    this.isAllowed = isAllowed;
    for (const button of this.form.querySelectorAll("[data-decision]")) button.disabled = !isAllowed;
    this.form.title = isAllowed ? "" : "This page only reads; decide on the daemon's own page.";
  }

  // Whether the decision was stored; none is made on a frame that is still to be shown.
  async decide(decision) {
    if (!this.isAllowed || this.root.hidden || !this.data) return false;
    keep("reviewer", this.name);
    const wish = { well: this.well, decision, note: this.note.value, reviewer: this.name };
    if (!this.whole.checked) Object.assign(wish, { frame: this.frame, view: this.data.frame.view, file: this.data.frame.key });
    const [data, whole] = [this.data, this.whole.checked];
    const answer = await this.send(`runs/${encodeURIComponent(this.run)}/decisions`, wish);
    if (answer.error) {
      this.decided.textContent = answer.error;
      this.decided.classList.add("bad");
      return false;
    }
    // The server may know who it is.
    if (!this.name) this.reviewer.value = answer.reviewer;
    if (!whole) {
      data.decisions = data.decisions.filter(other => other.reviewer !== answer.reviewer);
      if (decision !== "withdrawn") data.decisions.push(answer);
      if (data === this.data) this.#judge(data.decisions);
    } else if (data === this.data) {
      this.decided.textContent = `${decisionWords(decision)} for all flagged frames of ${this.well}.`;
    }
    this.changed();
    return true;
  }
}
