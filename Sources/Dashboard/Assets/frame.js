// One frame: its picture with outline and heat map, its figures, its files, and what a reviewer says of it.

import { make, figure } from "./plate.js";
import { frameQuery, pictureAddress, query, words } from "./well.js";

const space = "http://www.w3.org/2000/svg";

export class FrameView {
  constructor(address, send, changed) {
    [this.address, this.send, this.changed] = [address, send, changed];
    this.root = document.getElementById("frame");
    this.title = document.getElementById("frame-title");
    this.picture = document.getElementById("picture");
    this.why = document.getElementById("why");
    this.facts = document.getElementById("facts");
    this.files = document.getElementById("files");
    this.form = document.getElementById("decision");
    this.decided = document.getElementById("decided");
    this.outline = document.getElementById("outline");
    this.heat = document.getElementById("heat");
    this.reviewer = document.getElementById("reviewer");
    this.note = document.getElementById("note");
    this.whole = document.getElementById("whole");
    try { this.reviewer.value = localStorage.getItem("autoqc.reviewer") || ""; } catch { /* stays empty */ }
    for (const box of [this.outline, this.heat]) box.addEventListener("change", () => this.#layers());
    for (const button of this.form.querySelectorAll("[data-decision]")) {
      button.addEventListener("click", () => this.#decide(button.dataset.decision));
    }
    this.form.addEventListener("submit", event => event.preventDefault());
  }

  hide() {
    this.root.hidden = true;
    this.frame = null;
  }

  async open(run, well, view, frame, file) {
    [this.run, this.well, this.view, this.frame, this.file] = [run, well, view, frame, file];
    const asked = query({ view: view ?? "", file: file ?? "" });
    const data = await this.address(`runs/${encodeURIComponent(run)}/wells/${well}/frames/${frame}?${asked}`);
    if (run !== this.run || well !== this.well || view !== this.view || frame !== this.frame || file !== this.file) return;
    if (!data) return this.hide();
    this.root.hidden = false;
    this.data = data;
    this.title.textContent = `Frame ${frame}`;
    this.#show();
    this.#tell();
    this.#link();
    this.#judge(data.decision);
  }

  #show() {
    const frame = this.data.frame;
    if (frame.state === "quarantined") {
      return this.picture.replaceChildren(make("p", { textContent: `This frame could not be judged: ${frame.reason}` }));
    }
    const picture = make("img", { width: 1280, height: 800, alt: `Frame ${frame.frame} of well ${this.well}, ${frame.verdict}`, src: pictureAddress(this.run, this.well, frame, 1280) });
    picture.addEventListener("error", () => this.picture.replaceChildren(make("p", { textContent: "The frame's file is gone, or cannot be read any more." })));
    this.picture.replaceChildren(picture);
    this.layers = {};
    if (frame.has_heat_map) {
      this.layers.heat = make("img", { className: "heat", alt: "", src: pictureAddress(this.run, this.well, frame, 640, "heat") });
      this.picture.append(this.layers.heat);
    }
    if (this.data.width && this.data.outline.length) {
      const drawing = document.createElementNS(space, "svg");
      drawing.setAttribute("viewBox", `0 0 ${this.data.width} ${this.data.height}`);
      const shape = this.data.outline.map(ring => {
        const corners = [];
        for (let index = 0; index < ring.length; index += 2) corners.push(`${ring[index]} ${ring[index + 1]}`);
        return `M${corners.join("L")}Z`;
      }).join("");
      for (const kind of ["under", "over"]) {
        const path = document.createElementNS(space, "path");
        path.setAttribute("class", kind);
        path.setAttribute("d", shape);
        drawing.append(path);
      }
      this.layers.outline = drawing;
      this.picture.append(drawing);
    }
    this.heat.disabled = !frame.has_heat_map;
    this.heat.parentElement.title = frame.has_heat_map ? "" : "No score map was kept of this frame.";
    this.outline.disabled = !this.layers.outline;
    this.#layers();
  }

  #layers() {
    if (this.layers?.heat) this.layers.heat.hidden = !this.heat.checked;
    if (this.layers?.outline) this.layers.outline.toggleAttribute("hidden", !this.outline.checked);
  }

  #tell() {
    const frame = this.data.frame;
    this.why.textContent = frame.explanation || "";
    this.why.hidden = !frame.explanation;
    const facts = [["verdict", frame.verdict || frame.state]];
    if (frame.severity !== undefined) facts.push(["severity", `${figure(frame.severity)} (limit ${figure(frame.threshold)})`]);
    if (frame.cause) facts.push(["cause", frame.confidence ? `${frame.cause} (${Math.round(100 * frame.confidence)} %)` : frame.cause]);
    if (frame.terms) facts.push(["terms", Object.entries(frame.terms).sort((a, b) => b[1] - a[1]).map(([name, value]) => `${name} ${figure(value)}`).join(", ")]);
    if (frame.area) facts.push(["area", `${(100 * frame.area).toFixed(1)} %`]);
    if (frame.score !== undefined) facts.push(["score", frame.score.toPrecision(4)]);
    if (frame.tier && frame.tier !== "full") facts.push(["judged", frame.tier]);
    if (frame.completed) facts.push(["taken", frame.completed.replace("T", " ").slice(0, 19)]);
    if (frame.model) facts.push(["model", frame.model]);
    facts.push(["file", frame.page ? `${frame.file}, page ${frame.page}` : frame.file]);
    this.facts.replaceChildren(...facts.map(([name, value]) => make("div", {}, make("dt", { textContent: name }), make("dd", { textContent: value }))));
  }

  #link() {
    const frame = this.data.frame;
    const base = `api/v1/runs/${encodeURIComponent(this.run)}/wells/${this.well}/frames/${frame.frame}`;
    const links = [["Frame", "frame.tiff"]];
    if (frame.has_mask) links.push(["Mask (TIFF)", "mask.tiff"], ["Regions (GeoJSON)", "mask.geojson"]);
    if (frame.has_heat_map) links.push(["Score map (TIFF)", "scores.tiff"]);
    this.files.replaceChildren(...links.map(([text, name]) => make("a", { href: `${base}/${name}?${frameQuery(frame)}`, textContent: text, download: "" })));
  }

  #judge(decision) {
    for (const button of this.form.querySelectorAll("[data-decision]")) {
      button.setAttribute("aria-pressed", decision?.decision === button.dataset.decision);
    }
    this.note.value = decision?.note || "";
    this.decided.classList.remove("bad");
    this.decided.textContent = decision
      ? `${words(decision.decision)}, said ${decision.reviewer || "somebody without a name"} on ${decision.decided.replace("T", " ").slice(0, 16)}.` : "";
  }

  allow(isAllowed) {
    for (const button of this.form.querySelectorAll("button")) button.disabled = !isAllowed;
    this.form.title = isAllowed ? "" : "This page only reads; decide on the daemon's own page.";
  }

  async #decide(decision) {
    try { localStorage.setItem("autoqc.reviewer", this.reviewer.value); } catch { /* asked again next time */ }
    const wish = { well: this.well, decision, note: this.note.value, reviewer: this.reviewer.value };
    if (!this.whole.checked) Object.assign(wish, { frame: this.frame, view: this.data.frame.view, file: this.data.frame.key });
    const answer = await this.send(`runs/${encodeURIComponent(this.run)}/decisions`, wish);
    if (answer.error) {
      this.decided.textContent = answer.error;
      this.decided.classList.add("bad");
      return;
    }
    if (this.whole.checked) this.decided.textContent = `${words(decision)} for all flagged frames of ${this.well}.`;
    else this.#judge(decision === "withdrawn" ? null : answer);
    this.changed();
  }
}
