// What every part of the page uses: elements, numbers, times and addresses.

export const states = {
  faulty: { sign: "×", words: "faulty" },
  stalled: { sign: "‖", words: "stalled" },
  unreadable: { sign: "?", words: "unreadable" },
  suspect: { sign: "!", words: "suspect" },
  recovered: { sign: "✓", words: "recovered" },
  normal: { sign: "", words: "normal" },
  empty: { sign: "", words: "no frame yet" },
};

export function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in element) element[key] = value; else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

export function svg(name, attributes = {}, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

export function figure(value) {
  if (value === undefined || value === null) return "–";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}

// "severity 9.1 (limit 3.6)", without a line's end before a number.
export function severity(frame) {
  return `severity\u00a0${figure(frame.severity)} (limit\u00a0${figure(frame.threshold)})`;
}

export function percent(share) {
  return share > 0 && share < 0.01 ? "<1 %" : `${Math.round(100 * share)} %`;
}

export function age(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

const ofDay = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const withZone = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" });
const withDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

// A moment in local time. The zone goes with it wherever it stands alone, and the day where it is not today.
export function clock(time, { zone = true, today = Date.now() } = {}) {
  const moment = new Date(time);
  const day = withDay.format(moment);
  return `${day === withDay.format(new Date(today)) ? "" : `${day}, `}${(zone ? withZone : ofDay).format(moment)}`;
}

// A sentence of the daemon, its times in local time.
export function local(sentence) {
  return sentence.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, time => clock(time));
}

export function decisionWords(decision) {
  return { fault: "True fault", "false-alarm": "False alarm", unsure: "Unsure", withdrawn: "Taken back" }[decision] || decision;
}

// What the browser keeps for the next visit: a person's name, for example. It may keep nothing.
export function kept(name) {
  try { return localStorage.getItem(`autoqc.${name}`) || ""; } catch { return ""; }
}

export function keep(name, value) {
  try { localStorage.setItem(`autoqc.${name}`, value); } catch { /* asked again next time */ }
}

// The end of an address. A form would write a space as a plus sign, which is none for the daemon.
export function query(values) {
  return Object.entries(values).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
}

// Which of a well's frames of one number: its view, and its file where several say the same.
export function frameQuery(frame) {
  return query({ view: frame.view, file: frame.key });
}

export function frameAddress(run, well, frame) {
  return `runs/${encodeURIComponent(run)}/wells/${well}/frames/${frame}`;
}

export function pictureAddress(run, well, frame, width, kind = "image") {
  return `api/v1/${frameAddress(run, well, frame.frame)}/${kind}.png?${frameQuery(frame)}&width=${width}&v=${frame.sequence}`;
}
