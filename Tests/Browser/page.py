"""The live page as a person sees it: page.py AUTOQC MODEL [PICTURES]

A simulated plate with faults is judged while a headless Chromium looks: colours follow the ledger, the drill-down shows the
right frame and mask, a decision survives a restart of the daemon, 384 wells answer within 100 ms, paper has all that the screen
has, nothing is complained of.
"""
import csv
import html
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request

from browser import Browser

FAULTS = """faults:
  - {kind: air-bubble, form: dark-bubble, wells: [A2], onset: 2, strength: 1}
  - {kind: illumination, form: over-exposure, wells: [B3], onset: 3, strength: 1}
  - {kind: artifact, form: missing-rows, wells: [C1], onset: 1, end: 3, strength: 1}
"""


class Stage:
    """A folder with a daemon, its page, and a plate."""

    def __init__(self, autoqc, model, folder):
        self.autoqc, self.model, self.folder = autoqc, model, pathlib.Path(folder)
        self.plate, self.out = self.folder / "plate", self.folder / "out"
        self.plate.mkdir()
        self.daemon = None

    def start(self):
        log = open(self.folder / "daemon.log", "ab")
        self.said_before = log.tell()
        self.daemon = subprocess.Popen(
            [self.autoqc, "watch", "--model", self.model, "--out", self.out, "--listen", "127.0.0.1:0", self.plate],
            stderr=log)
        self.address = self.until(self.opened, "the page is open")

    def opened(self):
        # What an earlier start said names another port.
        said = (self.folder / "daemon.log").read_bytes()[self.said_before:].decode()
        for line in said.splitlines():
            if "The live page is open" in line:
                return next(word for word in line.split() if word.startswith("address=")).removeprefix("address=")
        return None

    def stop(self):
        self.daemon.send_signal(signal.SIGTERM)
        began = time.monotonic()
        status = self.daemon.wait(60)
        check(status == 0, f"the daemon ends while a page is open, with {status}")
        return time.monotonic() - began

    def play(self, wells, frames):
        (self.folder / "faults.yaml").write_text(FAULTS)
        subprocess.run(
            [self.autoqc, "simulate", "plate", "--out", self.plate / "sim", "--run", "sim", "--wells", str(wells),
             "--frames", str(frames), "--interval", "8", "--speed", "8", "--writer", "rename",
             "--truth", self.folder / "truth.csv", "--faults", self.folder / "faults.yaml"],
            check=True, capture_output=True)

    def ask(self, path):
        with urllib.request.urlopen(self.address.rstrip("/") + path) as answer:
            return json.load(answer)

    def until(self, happened, what, within=300):
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            value = happened()
            if value:
                return value
            if self.daemon.poll() is not None:
                break
            time.sleep(0.1)
        raise SystemExit(f"in vain: {what}\n{(self.folder / 'daemon.log').read_text()[-2000:]}")


def check(is_so, what):
    print(f"{'ok  ' if is_so else 'FAIL'} {what}", flush=True)
    if not is_so:
        raise SystemExit(1)


def colours(browser):
    """The state of each well as the map shows it."""
    return browser.run("""Object.fromEntries([...document.querySelectorAll('#plate button')]
        .map(cell => [cell.dataset.well, cell.className.split(' ')[0]]).filter(([, state]) => state !== 'empty'))""")


def live_plate(stage, browser, pictures):
    stage.play(wells=12, frames=5)
    stage.until(lambda: sum(well["judged"] for well in stage.ask("/api/v1/runs/sim")["wells"]) == 60, "60 frames are judged")
    browser.until("document.querySelectorAll('#plate button:not(.empty)').length === 12", "twelve wells on the map")
    expected = {well["well"]: well["state"] for well in stage.ask("/api/v1/runs/sim")["wells"]}
    browser.until(f"""Object.entries({json.dumps(expected)}).every(([well, state]) =>
        document.querySelector(`#plate button[data-well=${{well}}]`).classList.contains(state))""",
                  "the map has the ledger's states")
    shown = colours(browser)
    truth = {row["well"] for row in csv.DictReader(open(stage.folder / "truth.csv")) if row.get("faults") or row.get("fault")}
    print("     shown:", {well: state for well, state in shown.items() if state != "normal"}, "true:", sorted(truth))
    check(shown["A02"] == "faulty", "the well with the air bubble is faulty on the map")
    check(all(shown[well] == "normal" for well in ("A01", "B01", "B02")), "wells without a fault are normal")
    browser.picture(pictures / "live-plate.png")


def drill_down(browser, pictures, stage):
    browser.run("document.querySelector('#plate button[data-well=A02]').click()")
    browser.until("!document.getElementById('frame').hidden && document.querySelector('#picture svg path')", "a frame with its outline")
    browser.until("document.querySelector('#picture img').complete && document.querySelector('#picture img').naturalWidth > 0", "the picture is there")
    shown = browser.run("""({frame: Number(document.getElementById('frame-title').textContent.split(' ')[1]),
        size: document.querySelector('#picture svg').getAttribute('viewBox'), path: document.querySelector('#picture path').getAttribute('d')})""")
    detail = stage.ask(f"/api/v1/runs/sim/wells/A02/frames/{shown['frame']}")
    check(detail["frame"]["verdict"] == "faulty", f"the frame opened first, {shown['frame']}, is a flagged one")
    check(shown["size"] == "0 0 1280 800", "the outline is on the frame's own scale")
    corner = detail["outline"][0][:2]
    check(shown["path"].startswith(f"M{corner[0]} {corner[1]}L"), "the outline is the mask's")
    check(browser.run("document.querySelectorAll('#series .change-text').length >= 1"), "ONSET is marked in the series")
    check(browser.run("document.querySelectorAll('#series .limit').length === 1"), "the threshold is drawn")
    if browser.run("!document.getElementById('heat').disabled"):
        browser.run("document.getElementById('heat').click()")
        browser.until("document.querySelector('#picture .heat').naturalWidth > 0", "the heat map is there")
    else:
        print("     no score map was kept")
    browser.until("[...document.querySelectorAll('#strip img')].every(image => image.complete && image.naturalWidth > 0)", "the film strip is loaded")
    browser.picture(pictures / "well.png", whole=True)


def decision(stage, browser):
    browser.run("""document.getElementById('reviewer').value = 'Ada';
        document.getElementById('note').value = 'really a bubble';
        document.querySelector('[data-decision=fault]').click()""")
    browser.until("document.getElementById('decided').textContent.includes('Ada')", "the decision is confirmed")
    seconds = stage.stop()
    check(seconds < 15, f"the daemon stops within 15 s while a page is open ({seconds:.1f} s)")
    browser.until("document.getElementById('link').classList.contains('lost')", "the page says that the daemon is gone")
    stage.start()
    browser.open(stage.address + "#run=sim&well=A02")
    browser.until("document.querySelector('[data-decision=fault]').getAttribute('aria-pressed') === 'true'", "the decision is there after a restart")
    check(browser.run("document.getElementById('note').value") == "really a bubble", "and its note")
    labels = subprocess.run([stage.autoqc, "export", stage.out, "--labels"], check=True, capture_output=True, text=True).stdout
    check(",1," in labels and "Ada" in labels, "export --labels has the decision")


def keyboard(browser):
    browser.run("location.hash = '#run=sim'; document.querySelector('#plate button[tabindex=\"0\"]').focus()")
    browser.press("Home")
    browser.press("ArrowRight")
    check(browser.run("document.activeElement.dataset.well") == "A02", "arrow keys move on the plate")
    browser.press("Enter")
    browser.until("!document.getElementById('well').hidden", "Enter opens the well")
    browser.press("Escape")
    browser.until("document.getElementById('well').hidden", "Escape closes it")
    check(browser.run("document.activeElement.dataset.well") == "A02", "and the focus is back on the plate")
    unnamed = browser.run("""[...document.querySelectorAll('button, input, select, img')].filter(element =>
        !(element.getAttribute('aria-label') || element.textContent.trim() || element.labels?.length || element.hasAttribute('alt')))
        .map(element => element.outerHTML.slice(0, 80))""")
    check(unnamed == [], f"every control has a name {unnamed}")


def unknown_run(browser, pictures):
    browser.run("location.hash = '#run=gone'")
    browser.until("!document.getElementById('unknown').hidden", "a run that is not there is said to be none")
    check(browser.run("document.getElementById('unknown').textContent").startswith("There is no frame of a run “gone”"), "by its name")
    check(browser.run("document.getElementById('list').textContent") == "No frame yet.", "and nothing is said of wells")
    browser.picture(pictures / "unknown-run.png")
    browser.run("document.querySelector('#unknown a').click()")
    browser.until("document.getElementById('unknown').hidden && document.querySelectorAll('#plate button:not(.empty)').length === 12",
                  "and a link leads to one that is")


def lenses(browser, pictures):
    browser.run("document.querySelector('#lenses summary').click()")
    browser.until("document.querySelectorAll('#lens-rows tr').length > 0", "the lenses of the run")
    check(browser.run("document.querySelectorAll('#lens-rows .this').length === document.querySelectorAll('#lens-rows tr').length"),
          "each lens has its chart, and this run is marked in it")
    browser.picture(pictures / "lenses.png", whole=True)
    contrast(browser)


def contrast(browser):
    """The lowest contrast of text and what lies below it, after WCAG 2."""
    low = browser.run("""(() => {
        const parse = text => text.match(/[\\d.]+/g).map(Number);
        const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
        const ground = element => {
            for (let at = element; at; at = at.parentElement) {
                const colour = parse(getComputedStyle(at).backgroundColor);
                if (colour.length < 4 || colour[3] === 1) return colour;
            }
            return [255, 255, 255];
        };
        const found = [];
        for (const element of document.querySelectorAll('body *')) {
            const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
            if (!own || !element.offsetParent || element.closest('svg') || element.closest('.skip')) continue;
            const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
            const size = parseFloat(getComputedStyle(element).fontSize), bold = Number(getComputedStyle(element).fontWeight) >= 700;
            const needed = size >= 24 || bold && size >= 18.6 ? 3 : 4.5;
            if ((a + .05) / (b + .05) < needed) found.push(`${element.tagName} ${element.className} "${element.textContent.trim().slice(0, 20)}" ${((a + .05) / (b + .05)).toFixed(2)}`);
        }
        return [...new Set(found)];
    })()""")
    check(low == [], f"text has a contrast of 4.5 to 1 {low}")


def paper(browser, path, words):
    """What comes out of a printer has these words, none of them beyond the edge of a page."""
    browser.pdf(path)
    if not shutil.which("pdftotext"):
        print("     not looked at for want of pdftotext (apt install poppler-utils)")
        return
    boxes = subprocess.run(["pdftotext", "-bbox", path, "-"], check=True, capture_output=True, text=True).stdout
    found, cut, pages = set(), [], 0
    for page in re.split(r"<page ", boxes)[1:]:
        width, height = (float(size) for size in re.match(r'width="([^"]*)" height="([^"]*)"', page).groups())
        pages += 1
        for left, top, right, bottom, word in re.findall(r'<word xMin="(.*?)" yMin="(.*?)" xMax="(.*?)" yMax="(.*?)">(.*?)</word>', page):
            found.add(html.unescape(word))
            if float(left) < 0 or float(top) < 0 or float(right) > width or float(bottom) > height:
                cut.append(word)
    lacking = [word for word in words if word not in found]
    check(pages > 0 and lacking == [] and cut == [], f"{path.name} has {pages} pages, all of it on them: lacking {lacking}, cut {cut}")


def print_all(stage, browser, pictures):
    browser.open(stage.address + "#run=sim")
    browser.until("document.querySelectorAll('#plate button:not(.empty)').length === 12", "twelve wells on the map")
    wells = sorted(well["well"] for well in stage.ask("/api/v1/runs/sim")["wells"])
    # Rows and columns of the map to its last one, and the last entry of the legend.
    paper(browser, pictures / "page.pdf", ["Plate", "A", "H", "1", "12", "frame", "yet"])
    file = stage.folder / "review.html"
    subprocess.run([stage.autoqc, "review", stage.out, "--run", "sim", "--html", file], check=True, capture_output=True)
    browser.open(f"file://{file}")
    browser.until("document.readyState === 'complete' && document.querySelector('h1').textContent === 'Run sim'", "the review is open")
    # The table to its last column and row, and the last frame of the gallery.
    last = browser.run("[...document.querySelectorAll('figcaption b')].pop().textContent")
    paper(browser, pictures / "review.pdf", ["Usable", "reviewer", "says", "Lenses", "deviation", *wells, *last.split()])
    browser.picture(pictures / "review.png")
    browser.open(stage.address)


def large_plate(autoqc, folder, browser, pictures):
    """384 wells x 1000 frames, from a ledger made up for it."""
    out = pathlib.Path(folder) / "large"
    out.mkdir()
    subprocess.run([autoqc, "watch", "--once", "--model", MODEL, "--out", out, pathlib.Path(folder) / "none"],
                   check=False, capture_output=True)
    fill(out / "ledger.sqlite", frames=1000)
    view = subprocess.Popen([autoqc, "view", out, "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
    try:
        address = next(line.strip() for line in view.stderr if line.startswith("http"))
        browser.open(address)
        browser.until("document.querySelectorAll('#plate button:not(.empty)').length === 384", "384 wells")
        browser.picture(pictures / "plate-384.png")
        took = browser.run("""(async () => {
            const times = [];
            for (const well of ['A01', 'H12', 'P24', 'C07']) {
                const begin = performance.now();
                document.querySelector(`#plate button[data-well=${well}]`).click();
                while (document.getElementById('well-title').textContent !== `Well ${well}`) await new Promise(requestAnimationFrame);
                await new Promise(requestAnimationFrame);
                times.push(performance.now() - begin);
            }
            return times;
        })()""")
        check(max(took) < 100, f"a click on one of 384 wells shows within 100 ms: {[round(value) for value in took]}")
        began = time.monotonic()
        with urllib.request.urlopen(f"{address}api/v1/runs/large") as answer:
            data = answer.read()
        print(f"     384 wells in {len(data) / 1000:.0f} kB and {1000 * (time.monotonic() - began):.0f} ms")
        browser.until("document.querySelectorAll('#series .bar, #series .flagbar').length > 0", "the series of 1000 frames is drawn")
        views(browser)
    finally:
        view.send_signal(signal.SIGTERM)
        check(view.wait(30) == 0, "view ends with 0")


def views(browser):
    """A well of two channels: one is shown, the other can be chosen."""
    browser.run("location.hash = '#run=large&well=A01'")
    browser.until("document.getElementById('view').options.length === 2", "both channels of A01 are offered")
    check(not browser.run("document.getElementById('view').parentElement.hidden"), "the choice of views is shown")
    before = browser.run("document.querySelectorAll('#strip button').length")
    browser.run("""(() => {
        const view = document.getElementById('view');
        view.value = 'cUV - DAPI';
        view.dispatchEvent(new Event('change'));
    })()""")
    browser.until("document.querySelectorAll('#strip button').length === 3", "the frames of the other channel are shown")
    check(before == 24, f"and before them the {before} latest of the first")
    browser.run("location.hash = '#run=large&well=B02'")
    browser.until("document.getElementById('well-title').textContent === 'Well B02'", "another well is shown")
    browser.until("document.getElementById('view').parentElement.hidden", "a well of one view has no choice")


def fill(path, frames):
    """Rows as the daemon writes them; SQLite's own triggers keep the sums."""
    database = sqlite3.connect(path)
    database.execute("INSERT OR IGNORE INTO roots (path) VALUES ('/none')")
    root = database.execute("SELECT id FROM roots WHERE path = '/none'").fetchone()[0]
    wells = [f"{chr(65 + row)}{column:02d}" for row in range(16) for column in range(1, 25)]

    def rows():
        sequence = 0
        for frame in range(frames):
            for index, well in enumerate(wells):
                sequence += 1
                is_faulty = index % 37 == 5 and frame > frames * 0.6
                severity = 20 + index % 40 if is_faulty else 1 + (index * 7 + frame * 13) % 40 / 10
                yield (root, f"large_{well}_f{frame}.tiff", well, "", frame, severity, "faulty" if is_faulty else "normal",
                       int(is_faulty), "unknown" if is_faulty else None, 1_795_000_000_000_000_000 + sequence, sequence)

        for frame in range(3):
            sequence += 1
            yield (root, f"large_A01_DAPI_f{frame}.tiff", "A01", "cUV - DAPI", frame, 1, "normal", 0, None,
                   1_795_000_000_000_000_000 + sequence, sequence)

    database.executemany(
        "INSERT INTO frames (root, path, page, pages, run, well, view, frame, state, score, severity, threshold, verdict, area, "
        "well_faulty, cause, completed_ns, judged_ns, sequence) VALUES (?1, ?2, 0, 1, 'large', ?3, ?4, ?5, 'scored', 0.1, ?6, 7.9, ?7, "
        "0, ?8, ?9, ?10, ?10, ?11)", rows())
    database.commit()
    database.close()


def main(autoqc, pictures):
    pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="autoqc-page-") as folder:
        stage = Stage(autoqc, MODEL, folder)
        (stage.folder / "none").mkdir()
        browser = Browser()
        try:
            stage.start()
            browser.open(stage.address)
            browser.until("document.getElementById('link').classList.contains('live')", "the page says that it is live")
            live_plate(stage, browser, pictures)
            contrast(browser)
            drill_down(browser, pictures, stage)
            contrast(browser)
            check(browser.complaints == [], f"no errors in the console, nothing refused by the policy {browser.complaints}")
            decision(stage, browser)
            keyboard(browser)
            lenses(browser, pictures)
            unknown_run(browser, pictures)
            print_all(stage, browser, pictures)
            large_plate(autoqc, folder, browser, pictures)
            # Brought about here: the daemon was stopped, the frames of that plate have no files, a run was none.
            own = ("ERR_CONNECTION_REFUSED", "image.png", "runs/gone")
            others = [complaint for complaint in browser.complaints if not any(word in complaint for word in own)]
            check(others == [], f"nor later {others}")
            stage.stop()
        finally:
            browser.close()
            if stage.daemon and stage.daemon.poll() is None:
                stage.daemon.kill()
    print("The page is as a person expects it.")


if __name__ == "__main__":
    MODEL = os.path.abspath(sys.argv[2])
    main(os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[3] if len(sys.argv) > 3 else ".build/pictures"))
