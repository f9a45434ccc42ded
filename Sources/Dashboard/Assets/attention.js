// The list of wells that need a look, the worst first, and how many are faulty in the page's title.

import { make, severity, states } from "./words.js";

const order = Object.keys(states);
const longestList = 40;

export class Attention {
  constructor(open) {
    this.open = open;
    this.list = document.getElementById("list");
  }

  update(run, all) {
    const faulty = all.filter(well => well.state === "faulty").length;
    document.title = [faulty ? `${faulty} faulty` : "", run || "", "autoqc"].filter(Boolean).join(" · ");
    const wells = all.filter(well => !["normal", "recovered", "empty"].includes(well.state));
    wells.sort((left, right) => order.indexOf(left.state) - order.indexOf(right.state) || (right.severity || 0) - (left.severity || 0));
    const items = wells.slice(0, longestList).map(well => this.#item(well));
    if (wells.length > longestList) items.push(make("li", { className: "more", textContent: `and ${wells.length - longestList} more` }));
    if (!items.length) items.push(make("li", { className: "fine", textContent: this.#fine(all) }));
    this.list.replaceChildren(...items);
  }

  #fine(all) {
    const recovered = all.filter(well => well.state === "recovered").length;
    if (!all.length) return "No frame yet.";
    return recovered ? `All wells are normal now; ${recovered} recovered.` : "All wells are normal.";
  }

  #item(well) {
    const cause = well.cause && well.cause !== "unknown" ? well.cause : states[well.state].words;
    const what = well.reason || (well.severity === undefined ? cause : `${cause}, ${severity(well)}`);
    const button = make("button", { type: "button" },
      make("span", { className: `chip ${well.state}`, textContent: states[well.state].sign }),
      make("span", { className: "name", textContent: well.well }),
      make("span", { className: "what", textContent: what }),
      make("span", { className: "age", textContent: `frame ${well.frame} · ${well.flagged} flagged` }));
    button.addEventListener("click", () => this.open(well.well));
    return make("li", {}, button);
  }
}
