// The way through a run's flagged frames, one after another, by keys or buttons.

const keys = { n: 1, p: -1 };
const decisions = { f: "fault", a: "false-alarm", u: "unsure", z: "withdrawn" };

export class FlaggedFrames {
  // `here` tells what is shown, `open` opens a frame, `frameView` decides on it.
  constructor(address, here, open, frameView) {
    [this.address, this.here, this.open, this.frameView] = [address, here, open, frameView];
    this.progress = document.getElementById("progress");
    this.areOn = document.getElementById("keys-on");
    document.getElementById("next-flagged").addEventListener("click", () => this.step(1));
    document.getElementById("previous-flagged").addEventListener("click", () => this.step(-1));
    addEventListener("keydown", event => this.#press(event));
  }

  // Opens the flagged frame after or before the one that is shown.
  async step(by) {
    const { run } = this.here();
    if (run === null) return;
    const frames = (await this.address(`runs/${encodeURIComponent(run)}/flagged`))?.frames ?? [];
    const shown = this.here();
    if (shown.run !== run || !frames.length) return;
    const at = this.#place(frames, shown);
    const next = frames[Math.min(frames.length - 1, Math.max(0, by > 0 ? Math.floor(at) + 1 : Math.ceil(at) - 1))];
    this.open({ run, well: next.well, view: next.view, frame: next.frame, file: next.key });
  }

  // How far the one is who looks.
  async count() {
    const { run } = this.here();
    if (run === null) return;
    const path = `runs/${encodeURIComponent(run)}`;
    const [flagged, made] = await Promise.all([this.address(`${path}/flagged`), this.address(`${path}/decisions`)]);
    const shown = this.here();
    if (!flagged || !made || shown.run !== run) return;
    const own = made.decisions.filter(decision => decision.reviewer === this.frameView.name);
    const name = frame => `${frame.well} ${frame.view} ${frame.frame}`;
    const frames = new Set(own.filter(decision => decision.frame !== undefined).map(name));
    const wells = new Set(own.filter(decision => decision.frame === undefined).map(decision => decision.well));
    const decided = flagged.frames.filter(frame => frames.has(name(frame)) || wells.has(frame.well)).length;
    const at = this.#place(flagged.frames, shown);
    const place = Number.isInteger(at) && at >= 0 ? `Flagged frame ${at + 1} of ${flagged.frames.length}` : `${flagged.frames.length} flagged frames`;
    this.progress.textContent = `${place}; you decided on ${decided}.`;
  }

  // Where a frame is among the flagged ones; between two of them for one that is not flagged.
  #place(frames, { well, view, frame, file }) {
    if (well === null || frame === null) return -1;
    const found = frames.findIndex(other => other.well === well && other.frame === frame && (!file || other.key === file) && (view === null || other.view === view));
    if (found >= 0) return found;
    const order = ({ well, frame }) => [well.length, well, frame];
    const isAfter = (one, other) => { const index = one.findIndex((value, at) => value !== other[at]); return index >= 0 && one[index] > other[index]; };
    const after = frames.findIndex(other => isAfter(order(other), order({ well, frame })));
    return (after < 0 ? frames.length : after) - 0.5;
  }

  async #press(event) {
    if (!this.areOn.checked || event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input:not([type=checkbox], [type=radio]), select, textarea")) return;
    const key = event.key.toLowerCase();
    if (keys[key]) {
      event.preventDefault();
      await this.step(keys[key]);
    } else if (decisions[key]) {
      event.preventDefault();
      if (await this.frameView.decide(decisions[key]) && decisions[key] !== "withdrawn") await this.step(1);
    }
  }
}
