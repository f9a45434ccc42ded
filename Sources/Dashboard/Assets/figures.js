// The numbers in the header: the daemon's own, or without a daemon the run's.

import { age, make } from "./words.js";

const whole = new Intl.NumberFormat("en");

export class Figures {
  constructor(now) {
    this.now = now;
    this.root = document.getElementById("figures");
  }

  show(status, wells) {
    const items = status.daemon ? this.#daemon(status.daemon, wells) : this.#run(wells);
    if (status.disk_free !== undefined) {
      const share = status.disk_free / status.disk_size;
      items.push(["disk left", `${whole.format(Math.round(status.disk_free / 1e9))} GB`, `${Math.round(100 * share)} %`, share < 0.05]);
    }
    this.root.replaceChildren(...items.map(([name, value, small, isWarning, title]) => {
      const figure = make("dd", {}, value);
      if (small) figure.append(" ", make("small", { textContent: small }));
      return make("div", { className: isWarning ? "warn" : "", title: title ?? "" }, make("dt", { textContent: name }), figure);
    }));
  }

  #daemon(daemon, wells) {
    const share = daemon.judged ? 100 * daemon.flagged / daemon.judged : 0;
    const seconds = value => value === undefined ? "–" : value < 1 ? `${Math.round(1000 * value)} ms` : `${value.toFixed(1)} s`;
    const canary = daemon.canary;
    return [
      ["seen", whole.format(daemon.seen)], ["judged", whole.format(daemon.judged)],
      ["waiting", whole.format(daemon.waiting), daemon.lag > 5 ? `${Math.round(daemon.lag)} s` : "", daemon.lag > 5],
      ["quarantined", whole.format(daemon.quarantined), "", daemon.quarantined > 0],
      ["frames/s", daemon.frames_per_second.toFixed(1)],
      ["latency", seconds(daemon.latency_median), `99 % ${seconds(daemon.latency_share99)}`],
      ["flagged", `${share.toFixed(1)} %`],
      ...falseAlarms(daemon, wells),
      ["model", daemon.model.slice(0, 8), daemon.precision],
      ...(canary ? [["self-test", `${canary.found} of ${canary.copies}`, age(this.now() - Date.parse(canary.time)), Boolean(canary.alarm)]] : []),
    ];
  }

  #run(wells) {
    const sum = key => wells.reduce((total, well) => total + well[key], 0);
    const judged = sum("judged"), flagged = sum("flagged");
    return [
      ["wells", whole.format(wells.length)], ["judged", whole.format(judged)],
      ["flagged", whole.format(flagged), judged ? `${(100 * flagged / judged).toFixed(1)} %` : ""],
      ["quarantined", whole.format(sum("unreadable")), "", sum("unreadable") > 0],
    ];
  }
}

// How many normal frames of this plate the calibration lets be flagged, and how many its own frames can vouch for.
function falseAlarms(daemon, wells) {
  if (daemon.false_alarm_rate === undefined) return [];
  const judged = wells.reduce((total, well) => total + well.judged, 0);
  if (!judged) return [];
  const count = rate => rate * judged >= 10 ? whole.format(Math.round(rate * judged)) : Number((rate * judged).toPrecision(1)).toString();
  const frames = daemon.calibration_frames;
  const vouched = frames === undefined ? undefined : 1 / (frames + 1);
  const title = `The calibration lets ${Number((1000 * daemon.false_alarm_rate).toPrecision(2))} of 1000 normal frames be flagged. `
    + (vouched === undefined ? "" : `Its ${frames} normal frames alone can vouch for ${Number((1000 * vouched).toPrecision(2))} of 1000.`);
  const small = vouched !== undefined && vouched > daemon.false_alarm_rate ? `vouched for: ${count(vouched)}` : "";
  return [["expected false alarms", `about ${count(daemon.false_alarm_rate)}`, small, false, title]];
}
