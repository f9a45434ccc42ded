// The page: which run, well and frame are shown, what the daemon says, and what changes while one looks.

import { Advice } from "./advice.js";
import { Attention } from "./attention.js";
import { EventList, Notifier } from "./events.js";
import { Figures } from "./figures.js";
import { FlaggedFrames } from "./flagged.js";
import { FrameView } from "./frame.js";
import { LensView } from "./lens.js";
import { Plate } from "./plate.js";
import { Standing, Waiting } from "./standing.js";
import { WellView } from "./well.js";
import { local, make } from "./words.js";

const runs = document.getElementById("run");
const unknown = document.getElementById("unknown");
const alertBar = document.getElementById("alert");
let shown = { run: null, well: null, view: null, frame: null, file: null };
let clock = 0;
let events = null;
let isFollowing = true;
let isRefreshing = false;
let statusRound = 0;

const mostLinks = 12;
const now = () => Date.now() + clock;

// What an address answers: undefined where there is no such thing, null where there is no answer.
async function address(path) {
  try {
    const answer = await fetch(`api/v1/${path}`);
    return answer.ok ? await answer.json() : answer.status === 404 ? undefined : null;
  } catch {
    return null;
  }
}

async function send(path, value) {
  try {
    const answer = await fetch(`api/v1/${path}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value) });
    const data = await answer.json();
    return answer.ok ? data : { error: data.error || `refused (${answer.status})` };
  } catch {
    return { error: "The page's server cannot be reached; nothing was stored. Try again." };
  }
}

const openWell = well => go({ ...shown, well, view: null, frame: null, file: null });
const plate = new Plate(openWell, now, address);
const attention = new Attention(openWell);
const standing = new Standing(now, run => go({ run, well: null, view: null, frame: null, file: null }));
const waiting = new Waiting(address);
const figures = new Figures(now);
const happened = new EventList(address, ({ run, well, view, frame }) => go({ run, well, view, frame: frame ?? null, file: null }));
const notifier = new Notifier();
const advice = new Advice(address, send);
const wellView = new WellView(address, (frame, file = null) => go({ ...shown, view: wellView.view, frame, file }),
  view => go({ ...shown, view, frame: null, file: null }));
const lensView = new LensView(address);
const frameView = new FrameView(address, send, () => {
  wellView.refresh();
  flaggedFrames.count();
});
const flaggedFrames = new FlaggedFrames(address, () => shown, go, frameView);

// The address keeps what is shown, so that it survives a reload and can be sent to a colleague.
function go(next) {
  const hash = new URLSearchParams();
  for (const key of ["run", "well", "view", "frame", "file"]) if (next[key] !== null && next[key] !== undefined) hash.set(key, next[key]);
  if (`#${hash}` === location.hash) return show(next);
  location.hash = hash;
}

function read() {
  const hash = new URLSearchParams(location.hash.slice(1));
  const frame = hash.get("frame");
  return { run: hash.get("run"), well: hash.get("well"), view: hash.get("view"), frame: frame === null ? null : Number(frame), file: hash.get("file") };
}

async function show(next) {
  const run = next.run ?? shown.run;
  const isOtherRun = run !== shown.run;
  const isOtherWell = isOtherRun || next.well !== shown.well || (next.view ?? null) !== null && next.view !== wellView.view;
  shown = { run, well: next.well, view: next.view ?? null, frame: next.frame, file: next.file ?? null };
  if (isOtherRun) await openRun(run);
  document.getElementById("well").hidden = !next.well;
  for (const id of ["attention", "happened"]) document.getElementById(id).hidden = Boolean(next.well);
  plate.select(next.well);
  if (!next.well) return frameView.hide();
  if (isOtherWell) {
    frameView.hide();
    const loaded = wellView.open(run, next.well, shown.view);
    document.getElementById("well-title").focus({ preventScroll: true });
    await loaded;
    // The frame one most likely wants to see: the last flagged one on the strip, else the last.
    if (next.frame === null && shown.well === next.well) {
      const bad = [...wellView.strip.querySelectorAll("button.bad")].pop() || [...wellView.strip.querySelectorAll("button")].pop();
      if (bad) [shown.frame, shown.file] = [Number(bad.dataset.frame), bad.dataset.file];
    }
  }
  if (shown.frame !== null && shown.well === next.well) {
    wellView.select(shown.frame, shown.file);
    await frameView.open(run, next.well, wellView.view, shown.frame, shown.file);
    flaggedFrames.count();
  }
}

async function openRun(run) {
  plate.clear(run);
  attention.update(run, []);
  standing.shows(run, [], runs.options[0]?.value);
  unknown.hidden = document.getElementById("patterns").hidden = true;
  events?.close();
  happened.show(run);
  if (!run) return;
  runs.value = run;
  const answer = await address(`runs/${encodeURIComponent(run)}`);
  lensView.open(answer ? run : null);
  if (answer) update(answer); else if (answer === undefined) sayUnknown(run);
  listen(run, answer?.sequence || 0);
}

// An address may name a run of another folder, or one whose first frame is still to come.
function sayUnknown(run) {
  const names = [...runs.options].map(option => option.value).slice(0, mostLinks);
  const links = names.map(name => make("a", { href: `#${new URLSearchParams({ run: name })}`, textContent: name }));
  unknown.replaceChildren(`There is no frame of a run “${run}” here${links.length ? "; there are" : ", nor of any other"}`, ...links);
  unknown.hidden = false;
}

function update(answer) {
  unknown.hidden = true;
  plate.update(answer);
  const wells = [...plate.wells.values()];
  attention.update(shown.run, wells);
  standing.shows(shown.run, wells, runs.options[0]?.value);
  waiting.show(false);
  const list = document.getElementById("patterns");
  list.hidden = !answer.patterns.length;
  list.replaceChildren(...answer.patterns.map(({ pattern, reason }) => make("li", { textContent: `${pattern}: ${reason ?? ""}` })));
}

function listen(run, sequence) {
  events = new EventSource(`api/v1/events?run=${encodeURIComponent(run)}&after=${sequence}`);
  events.addEventListener("status", event => status(JSON.parse(event.data)));
  events.addEventListener("plate", event => {
    const answer = JSON.parse(event.data);
    update(answer);
    if (answer.wells.some(well => well.well === shown.well)) refreshWell();
  });
  events.addEventListener("error", () => tell(() => standing.lost()));
}

// What the page itself finds out is told as loudly as an event.
function tell(change) {
  const before = standing.kind;
  change();
  if (standing.kind && standing.kind !== before) notifier.warn(standing.words.textContent);
}

async function refreshWell() {
  if (isRefreshing) return;
  isRefreshing = true;
  await wellView.refresh();
  if (wellView.isLive) await wellView.showStrip();
  setTimeout(() => { isRefreshing = false; }, 2000);
}

function status(answer) {
  clock = Date.parse(answer.now) - Date.now();
  const { daemon, daemon_gone: gone } = answer;
  const wells = [...plate.wells.values()];
  tell(() => standing.heard(answer));
  figures.show(answer, wells);
  const measures = !gone && daemon?.measures ? `${daemon.lag >= 1 ? `Judging is behind by ${Math.round(daemon.lag)} s` : "To keep up"}: ${daemon.measures}. Nothing is lost.` : "";
  const canary = daemon?.canary?.alarm ? `The detector fails its own test: ${daemon.canary.alarm}.` : "";
  const alerts = [...(gone ? [] : daemon?.obstacles ?? []), measures, canary].filter(Boolean);
  alertBar.hidden = alerts.length === 0;
  alertBar.textContent = local(alerts.join(" "));
  frameView.allow(answer.can_decide);
  frameView.suggest(answer.reviewer);
  advice.canAnswer = answer.can_decide;
  plate.tick();
  if (statusRound % 2 === 0) {
    happened.refresh().then(news => notifier.tell(news));
    advice.refresh();
  }
  if (statusRound++ % 5 === 0) list();
}

async function list() {
  const answer = await address("runs");
  if (!answer) return;
  const names = answer.map(run => run.run);
  if (names.join("\n") !== [...runs.options].map(option => option.value).join("\n")) {
    runs.replaceChildren(...names.map(name => make("option", { value: name, textContent: name })));
    if (shown.run) runs.value = shown.run;
    standing.shows(shown.run, plate.wells.values(), names[0]);
  }
  waiting.show(!names.length);
  if (names.length && (shown.run === null || (isFollowing && !shown.well && names[0] !== shown.run))) {
    const asked = shown.run === null ? read().run ?? names[0] : names[0];
    isFollowing = asked === names[0];
    await show({ ...read(), run: asked });
  } else if (!names.length && !events) {
    listen("", 0);
  }
}

runs.addEventListener("change", () => {
  go({ run: runs.value, well: null, view: null, frame: null, file: null });
});
document.getElementById("close").addEventListener("click", () => {
  const well = shown.well;
  go({ ...shown, well: null, view: null, frame: null, file: null });
  plate.focus(well);
});
addEventListener("hashchange", () => {
  const next = read();
  if (next.run && next.run !== shown.run) isFollowing = next.run === runs.options[0]?.value;
  show(next);
});
addEventListener("keydown", event => {
  if (event.key === "Escape" && shown.well) document.getElementById("close").click();
});
// Until there is a run.
attention.update(null, []);
lensView.open(null);
setInterval(() => { plate.tick(); tell(() => standing.tick()); }, 5000);
list();
