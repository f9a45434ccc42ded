// Whether what the page shows is of now: the dot in the header, and a banner above a grey plate where it is not.

import { age, clock, local, make } from "./words.js";

// Status comes every 2 s. Without it for so long there is no connection, in ms.
const patience = 10000;
// No frame for ten times the usual time between two frames of a well, and a minute at least: as the daemon reports STALLED.
const shortestSilence = 60000, usualTimes = 10;

export class Standing {
  constructor(now, follow) {
    [this.now, this.follow] = [now, follow];
    this.link = document.getElementById("link");
    this.banner = document.getElementById("standing");
    this.words = document.getElementById("standing-words");
    this.newer = document.getElementById("standing-newer");
    this.newer.addEventListener("click", () => this.follow(this.newest));
    this.wells = [];
    this.isConnected = null;
  }

  // The daemon said how it is.
  heard(status) {
    [this.status, this.heardAt, this.isConnected] = [status, Date.now(), true];
    this.tick();
  }

  lost() {
    if (this.isConnected !== false) this.lostAt = this.now();
    this.isConnected = false;
    this.tick();
  }

  // Which run is shown, its wells, and the run that was recorded last.
  shows(run, wells, newest) {
    [this.run, this.wells, this.newest] = [run, [...wells], newest];
    this.tick();
  }

  tick() {
    if (this.isConnected && Date.now() - this.heardAt > patience) this.lost();
    const { dot, label, sentence, isOver, kind } = this.#standing();
    this.kind = kind;
    this.link.className = `link ${dot}`;
    if (this.link.textContent !== label) this.link.textContent = label;
    this.banner.hidden = !sentence;
    this.banner.classList.toggle("over", Boolean(isOver));
    if (this.words.textContent !== (sentence || "")) this.words.textContent = sentence || "";
    this.newer.hidden = !(sentence && isOver && this.newest && this.newest !== this.run);
    this.newer.textContent = `Show run ${this.newest}`;
    document.body.classList.toggle("past", Boolean(sentence));
  }

  get #last() {
    return Math.max(0, ...this.wells.map(well => Date.parse(well.completed || 0) || 0));
  }

  // Its `kind` is set where somebody should hear of it.
  #standing() {
    const last = this.#last;
    const known = last ? ` The last frame came at ${clock(last)}.` : " No frame has come.";
    if (this.isConnected === null) return { dot: "", label: "connecting" };
    if (!this.isConnected) {
      return { kind: "connection", dot: "lost", label: "no connection", sentence: `No connection to the page's server since ${clock(this.lostAt)}. What is shown is older.${known}` };
    }
    const { daemon, daemon_gone: gone } = this.status;
    if (gone) return { kind: "gone", dot: "lost", label: "no daemon", sentence: `No frame is judged: ${local(gone)}.${known}` };
    if (daemon && !daemon.is_alive) return { kind: "stuck", dot: "lost", label: "the daemon is stuck", sentence: `No frame is judged: the daemon is stuck.${known}` };
    if (!last) return { dot: daemon ? "still" : "", label: !daemon ? "no daemon is asked" : daemon.is_ready ? "waiting for the first frame" : "looking through the folders" };
    if (this.newest && this.run !== this.newest) return { dot: "", label: "an earlier run", isOver: true, sentence: `This run is over.${known}` };
    const silence = this.now() - last;
    if (silence > this.#silence && !daemon?.waiting) {
      return {
        kind: daemon ? "silent" : undefined, dot: daemon ? "still" : "", label: `no frame for ${age(silence)}`, isOver: true,
        sentence: `No frame for ${age(silence)}: the plate is over, or the microscope has stopped.${known}`,
      };
    }
    return daemon ? { dot: "live", label: `live for ${age(this.now() - Date.parse(daemon.started))}` } : { dot: "", label: "no daemon is asked" };
  }

  // How long no frame may come, from how often they came so far.
  get #silence() {
    const intervals = this.wells.filter(well => well.judged > 1 && well.completed)
      .map(well => (Date.parse(well.completed) - Date.parse(well.first)) / (well.judged - 1)).sort((a, b) => a - b);
    return Math.max(shortestSilence, usualTimes * (intervals[Math.floor(intervals.length / 2)] || 0));
  }
}

// What an empty page says: which folders are watched, and what a name has to look like.
export class Waiting {
  constructor(address) {
    this.address = address;
    this.root = document.getElementById("waiting");
  }

  async show(isEmpty) {
    this.root.hidden = !isEmpty;
    if (!isEmpty) { this.isAsked = false; return; }
    if (this.isAsked) return;
    this.isAsked = true;
    const watched = await this.address("watched");
    if (!watched) {
      this.isAsked = false;
      return this.root.replaceChildren(make("p", { textContent: "No frame was judged here, and no daemon has written here yet." }));
    }
    const folders = watched.folders.map(folder => make("li", {}, make("code", { textContent: folder })));
    this.root.replaceChildren(
      make("p", { textContent: "No frame has come yet. These folders are watched:" }), make("ul", {}, ...folders),
      make("p", {}, "Names of frames look like ", make("code", { textContent: watched.example ?? watched.pattern }),
        watched.example ? " (pattern " : "", watched.example ? make("code", { textContent: watched.pattern }) : "", watched.example ? ")." : "."),
      make("p", { textContent: "autoqc doctor says which names it finds there and whether they fit." }));
  }
}
