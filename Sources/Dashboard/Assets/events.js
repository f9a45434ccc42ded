// What happened in the run, with clock times, and notifications of the browser for what needs a person.

import { clock, keep, kept, local, make, query } from "./words.js";

// Which events a choice stands for; an end goes with its beginning.
const groups = {
  all: [],
  wells: ["ONSET", "CLEAR", "SHIFT", "DRIFT"],
  plate: ["PLATE", "PLATE-CLEAR", "STALLED", "PAUSE-ADVISED", "PAUSE-CLEAR", "STOP-ADVISED", "STOP-CLEAR"],
  detector: ["CANARY", "CANARY-CLEAR", "BEHIND", "BEHIND-CLEAR", "DISK-LOW", "DISK-CLEAR", "FAILED", "FAILED-CLEAR"],
};
// Events of one answer.
const longest = 100;
const loud = new Set(["ONSET", "PLATE", "STALLED", "PAUSE-ADVISED", "STOP-ADVISED", "CANARY", "DISK-LOW", "FAILED"]);
const signs = { ONSET: "×", PLATE: "×", "PAUSE-ADVISED": "■", "STOP-ADVISED": "■", STALLED: "‖", SHIFT: "!", DRIFT: "!", CANARY: "×", FAILED: "×", "DISK-LOW": "!", BEHIND: "!" };

export class EventList {
  constructor(address, open) {
    [this.address, this.open] = [address, open];
    this.list = document.getElementById("event-list");
    this.kind = document.getElementById("event-kind");
    this.older = document.getElementById("event-older");
    this.kind.addEventListener("change", () => this.show(this.run));
    this.older.addEventListener("click", () => this.#load(this.oldest));
  }

  // The events of a run from the newest on.
  async show(run) {
    [this.run, this.newest, this.oldest] = [run, null, null];
    this.list.replaceChildren();
    this.older.hidden = true;
    if (run) await this.#load(); else this.#say();
  }

  // What came since, of whatever kind; returns it, the earliest first.
  async refresh() {
    if (!this.run || this.isLoading) return [];
    if (this.newest === null) { await this.#load(); return []; }
    const events = (await this.#ask([]))?.filter(event => event.number > this.newest) ?? [];
    if (!events.length) return [];
    this.newest = events[0].number;
    const kinds = groups[this.kind.value];
    this.list.prepend(...events.filter(event => !kinds.length || kinds.includes(event.event)).map(event => this.#item(event)));
    this.#say();
    return events.reverse();
  }

  async #ask(kinds, before) {
    const run = this.run;
    const asked = { ...(kinds.length ? { event: kinds.join(",") } : {}), ...(before ? { before } : {}) };
    const answer = await this.address(`runs/${encodeURIComponent(run)}/events?${query(asked)}`);
    return run === this.run && answer ? answer.events : null;
  }

  async #load(before) {
    this.isLoading = true;
    const events = await this.#ask(groups[this.kind.value], before);
    this.isLoading = false;
    if (!events) return;
    if (!before) this.newest = events[0]?.number ?? 0;
    this.oldest = events[events.length - 1]?.number ?? this.oldest;
    this.older.hidden = events.length < longest;
    this.list.append(...events.map(event => this.#item(event)));
    this.#say();
  }

  #say() {
    this.list.querySelector(".fine")?.remove();
    if (!this.list.children.length) this.list.append(make("li", { className: "fine", textContent: "Nothing happened yet." }));
  }

  #item(event) {
    const ends = /CLEAR$/.test(event.event);
    const parts = [
      make("time", { dateTime: event.time, textContent: clock(event.time) }),
      make("b", { className: ends ? "end" : loud.has(event.event) ? "loud" : "", textContent: `${ends ? "✓" : signs[event.event] ?? ""} ${event.event}` }),
      make("span", { textContent: local(event.message) }),
    ];
    if (!event.well) return make("li", {}, make("div", {}, ...parts));
    const button = make("button", { type: "button" }, ...parts);
    button.addEventListener("click", () => this.open(event));
    return make("li", {}, button);
  }
}

// Notifications are off until a person asks for them, and the browser allows them on this address.
export class Notifier {
  constructor() {
    this.button = document.getElementById("notify");
    this.isPossible = "Notification" in window && isSecureContext;
    this.button.hidden = !this.isPossible;
    this.button.addEventListener("click", () => this.#switch());
    this.#show();
  }

  get isOn() {
    return this.isPossible && Notification.permission === "granted" && kept("notify") === "on";
  }

  async #switch() {
    if (this.isOn) keep("notify", "");
    else if (await Notification.requestPermission() === "granted") keep("notify", "on");
    this.#show();
  }

  #show() {
    this.button.setAttribute("aria-pressed", this.isOn);
    this.button.textContent = this.isOn ? "Notifications on"
      : this.isPossible && Notification.permission === "denied" ? "Notifications are blocked by the browser" : "Notify me";
    this.button.disabled = this.isPossible && Notification.permission === "denied";
  }

  // One of several at once, so that a plate that goes wrong is no heap of them.
  tell(events) {
    const told = events.filter(event => loud.has(event.event));
    if (!this.isOn || !told.length) return;
    const worst = told.find(event => event.event !== "ONSET") ?? told[0];
    const more = told.length > 1 ? ` (and ${told.length - 1} more)` : "";
    new Notification(`autoqc: ${worst.event}${more}`, { body: local(worst.message), tag: `autoqc-${worst.number}` });
  }

  // What the page itself finds out: nobody is there to tell it.
  warn(sentence) {
    if (this.isOn) new Notification("autoqc", { body: sentence, tag: "autoqc-standing" });
  }
}
