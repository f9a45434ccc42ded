// What the daemon advises to do, as a banner with an answer for each.

import { clock, keep, kept, local, make } from "./words.js";

const actions = { refocus: "Refocus", "skip-well": "Skip", pause: "Pause the run", stop: "Stop the run" };
const answers = { acknowledged: "Acknowledge", done: "Done", refused: "Refuse" };

export class Advice {
  constructor(address, send) {
    [this.address, this.send] = [address, send];
    this.root = document.getElementById("advice");
    this.list = document.getElementById("advice-list");
    this.form = document.getElementById("advice-form");
    this.name = document.getElementById("advice-name");
    this.note = document.getElementById("advice-note");
    this.name.value = kept("reviewer");
    this.canAnswer = false;
  }

  // A server without the interlock has no such address: it is not asked again.
  async refresh() {
    if (this.isMissing) return;
    const all = await this.address("advice");
    this.isMissing = all === undefined;
    const open = (all ?? []).filter(advice => advice.state === "pending" || advice.state === "acknowledged");
    const text = JSON.stringify([open, this.canAnswer]);
    if (text === this.shown) return;
    this.shown = text;
    this.root.hidden = !open.length;
    this.form.hidden = !this.canAnswer;
    this.list.replaceChildren(...open.map(advice => this.#item(advice)));
  }

  #item(advice) {
    const wells = advice.wells?.length ? ` ${advice.wells.join(", ")}` : "";
    const state = advice.state === "acknowledged" ? `acknowledged${advice.by ? ` by ${advice.by}` : ""}${advice.at ? ` at ${clock(advice.at)}` : ""}` : "";
    const said = make("span", { className: "said", role: "status", textContent: state });
    const item = make("li", {}, make("span", { className: "what" },
      make("b", { textContent: `${actions[advice.action] ?? advice.action}${wells}` }),
      ` in run ${advice.run}: ${local(advice.reason)} (since ${clock(advice.since)}) `), said);
    if (!this.canAnswer) return item;
    const buttons = Object.entries(answers).filter(([state]) => state !== advice.state).map(([state, words]) => {
      const button = make("button", { type: "button", textContent: words, "aria-label": `${words}: ${actions[advice.action] ?? advice.action}${wells}` });
      button.addEventListener("click", () => this.#answer(advice, state, said));
      return button;
    });
    item.append(make("span", { className: "answers" }, ...buttons));
    return item;
  }

  async #answer(advice, state, said) {
    keep("reviewer", this.name.value);
    const answer = await this.send(`advice/${encodeURIComponent(advice.id)}`, { state, by: this.name.value, note: this.note.value });
    if (answer.error) { said.textContent = answer.error; return; }
    this.note.value = "";
    await this.refresh();
  }
}
