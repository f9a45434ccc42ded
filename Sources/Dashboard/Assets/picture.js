// A frame's picture: outline of the mask, heat map with its colour bar, zoom, and a scale bar.

import { frameAddress, frameQuery, make, pictureAddress, svg } from "./words.js";

const largest = 8;
// Share of the picture's width that the scale bar takes at most.
const barShare = 0.25;

export class FramePicture {
  constructor(address) {
    this.address = address;
    this.root = document.getElementById("picture");
    this.outline = document.getElementById("outline");
    this.heat = document.getElementById("heat");
    for (const box of [this.outline, this.heat]) box.addEventListener("change", () => this.#layers());
    document.getElementById("zoom-in").addEventListener("click", () => this.#zoom(2));
    document.getElementById("zoom-out").addEventListener("click", () => this.#zoom(1 / 2));
    document.getElementById("zoom-reset").addEventListener("click", () => this.#reset());
    this.root.addEventListener("wheel", event => this.#wheel(event), { passive: false });
    this.root.addEventListener("dblclick", event => this.#zoom(2, event));
    this.root.addEventListener("pointerdown", event => this.#drag(event));
    this.root.addEventListener("keydown", event => this.#key(event));
    new ResizeObserver(() => this.#place()).observe(this.root);
  }

  say(sentence) {
    this.layers = {};
    this.root.replaceChildren(make("p", { textContent: sentence }));
    this.#allow(false, false);
  }

  show(run, well, data) {
    const frame = data.frame;
    this.layers = {};
    this.size = { width: data.width || 1280, height: data.height || 800 };
    this.canvas = make("div", { className: "canvas" });
    const picture = make("img", {
      width: this.size.width, height: this.size.height, draggable: false,
      alt: `Frame ${frame.frame} of well ${well}, ${frame.verdict}`, src: pictureAddress(run, well, frame, 1280),
    });
    picture.addEventListener("error", () => this.say("The frame's file is gone, or cannot be read any more."));
    this.canvas.append(picture);
    if (frame.has_heat_map) {
      this.layers.heat = make("img", { className: "heat", alt: "", draggable: false, src: pictureAddress(run, well, frame, 640, "heat") });
      this.canvas.append(this.layers.heat);
    }
    if (data.width && data.outline.length) {
      this.layers.outline = outlined(data);
      this.canvas.append(this.layers.outline);
    }
    this.bar = make("div", { className: "scale-bar", hidden: true }, make("i"), make("span"));
    this.colours = make("div", { className: "colour-bar", hidden: true }, make("span", { textContent: "score 0" }), make("i"), make("span"));
    this.root.replaceChildren(this.canvas, this.bar, this.colours);
    this.#allow(Boolean(this.layers.outline), Boolean(frame.has_heat_map));
    this.scale = {};
    this.#reset();
    this.#layers();
    this.#measure(run, well, frame);
  }

  // What the pictures are measured by stands in the frame's own file, which may lie on a slow share.
  async #measure(run, well, frame) {
    const canvas = this.canvas;
    const scale = await this.address(`${frameAddress(run, well, frame.frame)}/scale?${frameQuery(frame)}`);
    if (!scale || canvas !== this.canvas) return;
    this.scale = scale;
    this.#place();
    this.#layers();
  }

  #allow(hasOutline, hasHeat) {
    this.outline.disabled = !hasOutline;
    this.heat.disabled = !hasHeat;
    this.heat.parentElement.title = hasHeat ? "" : "No score map was kept of this frame.";
  }

  #layers() {
    if (this.layers?.heat) this.layers.heat.hidden = !this.heat.checked;
    if (this.layers?.outline) this.layers.outline.toggleAttribute("hidden", !this.outline.checked);
    if (!this.colours) return;
    this.colours.hidden = !(this.layers.heat && this.heat.checked && this.scale?.heat_high !== undefined);
    this.colours.lastElementChild.textContent = this.scale?.heat_high?.toPrecision(2) ?? "";
  }

  #reset() {
    this.view = { zoom: 1, x: 0, y: 0 };
    this.#place();
  }

  // Around a point of the picture, or its middle.
  #zoom(factor, event) {
    if (!this.canvas || !this.view) return;
    const box = this.root.getBoundingClientRect();
    const at = event ? { x: event.clientX - box.left, y: event.clientY - box.top } : { x: box.width / 2, y: box.height / 2 };
    const zoom = Math.min(largest, Math.max(1, this.view.zoom * factor));
    const change = zoom / this.view.zoom;
    this.view = { zoom, x: at.x - (at.x - this.view.x) * change, y: at.y - (at.y - this.view.y) * change };
    this.#place();
  }

  // A wheel alone scrolls the page.
  #wheel(event) {
    if (!event.ctrlKey) return;
    event.preventDefault();
    this.#zoom(event.deltaY < 0 ? 1.25 : 0.8, event);
  }

  #drag(event) {
    if (!this.view || this.view.zoom === 1 || event.button !== 0) return;
    event.preventDefault();
    this.root.focus({ preventScroll: true });
    const begin = { x: event.clientX - this.view.x, y: event.clientY - this.view.y };
    const move = moved => {
      Object.assign(this.view, { x: moved.clientX - begin.x, y: moved.clientY - begin.y });
      this.#place();
    };
    this.root.setPointerCapture(event.pointerId);
    this.root.addEventListener("pointermove", move);
    const end = () => this.root.removeEventListener("pointermove", move);
    this.root.addEventListener("pointerup", end, { once: true });
    this.root.addEventListener("pointercancel", end, { once: true });
  }

  #key(event) {
    const steps = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
    if (event.key === "+" || event.key === "=") this.#zoom(2);
    else if (event.key === "-") this.#zoom(1 / 2);
    else if (event.key === "0") this.#reset();
    else if (steps[event.key] && this.view?.zoom > 1) {
      this.view.x += steps[event.key][0];
      this.view.y += steps[event.key][1];
      this.#place();
    } else return;
    event.preventDefault();
  }

  // The picture never leaves its frame.
  #place() {
    if (!this.canvas || !this.view) return;
    const { clientWidth: width, clientHeight: height } = this.root;
    const { zoom } = this.view;
    this.view.x = Math.min(0, Math.max(width * (1 - zoom), this.view.x));
    this.view.y = Math.min(0, Math.max(height * (1 - zoom), this.view.y));
    this.canvas.style.transform = zoom === 1 ? "" : `translate(${this.view.x}px, ${this.view.y}px) scale(${zoom})`;
    this.root.classList.toggle("zoomed", zoom > 1);
    document.getElementById("zoom-reset").textContent = `${Math.round(100 * zoom)} %`;
    this.#drawBar(width);
  }

  #drawBar(width) {
    const micrometres = this.scale?.pixel_size;
    this.bar.hidden = !micrometres || !width;
    if (this.bar.hidden) return;
    const perPixel = micrometres * this.size.width / (width * this.view.zoom);
    const most = barShare * width * perPixel;
    const power = 10 ** Math.floor(Math.log10(most));
    const length = [5, 2, 1].map(step => step * power).find(length => length <= most) ?? power;
    this.bar.firstElementChild.style.width = `${length / perPixel}px`;
    this.bar.lastElementChild.textContent = length >= 1000 ? `${length / 1000} mm` : `${Number(length.toPrecision(2))} µm`;
  }
}

// The outline of a mask, on the frame's own scale.
function outlined(data) {
  const drawing = svg("svg", { viewBox: `0 0 ${data.width} ${data.height}` });
  const shape = data.outline.map(ring => {
    const corners = [];
    for (let index = 0; index < ring.length; index += 2) corners.push(`${ring[index]} ${ring[index + 1]}`);
    return `M${corners.join("L")}Z`;
  }).join("");
  drawing.append(...["under", "over"].map(kind => svg("path", { class: kind, d: shape })));
  return drawing;
}
