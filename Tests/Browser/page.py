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
import subprocess
import sys
import tempfile
import time
import urllib.request

from browser import Browser
from large import gone, large_plate
from looks import check, looks

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


def empty(stage, browser, pictures):
    browser.until("!document.getElementById('waiting').hidden && document.getElementById('link').classList.contains('still')",
                  "a page without a frame does not say that it is live")
    text = browser.run("document.getElementById('waiting').textContent")
    check(str(stage.plate) in text and "01_B1_f100.tiff" in text, "but which folder is watched, and for what names")
    looks(browser, pictures, "empty")


def memory(stage, browser):
    """What happened, the worst of the run, and shares."""
    faulty = sum(well["state"] == "faulty" for well in stage.ask("/api/v1/runs/sim")["wells"])
    browser.until(f"document.title.startsWith('{faulty} faulty')", "the title has the number of faulty wells")
    browser.until("[...document.querySelectorAll('#event-list button')].some(item => item.textContent.includes('ONSET') && item.textContent.includes('A02'))",
                  "the events tell of A02")
    first = browser.run("document.querySelector('#event-list time').textContent")
    check(re.fullmatch(r"\d\d:\d\d:\d\d \S+", first), f"with time and zone: {first}")
    browser.run("""(kind => { kind.value = 'detector'; kind.dispatchEvent(new Event('change')); })(document.getElementById('event-kind'))""")
    browser.until("![...document.querySelectorAll('#event-list b')].some(kind => kind.textContent.includes('ONSET'))", "by kind, too")
    browser.run("""(kind => { kind.value = 'all'; kind.dispatchEvent(new Event('change')); })(document.getElementById('event-kind'))""")
    cell = "document.querySelector('#plate button[data-well=%s]')"
    browser.run("document.querySelector('input[value=worst]').click()")
    check(browser.run(f"{cell % 'C01'}.classList.contains('faulty') && {cell % 'A01'}.classList.contains('normal')"),
          "the worst of the run shows a well that was faulty for a while")
    browser.run("document.querySelector('input[value=share]').click()")
    check(browser.run(f"{cell % 'A02'}.textContent.endsWith('%')"), "the share of flagged frames")
    browser.run("document.querySelector('input[value=now]').click()")
    browser.run("(measure => { measure.value = 'level'; measure.dispatchEvent(new Event('change')); })(document.getElementById('measure'))")
    check(browser.run(f"{cell % 'B03'}.className.startsWith('scale-')"), "another measurement has its own scale")
    browser.run("(measure => { measure.value = 'severity'; measure.dispatchEvent(new Event('change')); })(document.getElementById('measure'))")
    browser.run("document.getElementById('curves').click()")
    browser.until("document.querySelectorAll('#plate .curve').length === 12", "small curves in the wells")
    browser.run("document.getElementById('curves').click()")


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
    browser.until("!document.querySelector('.scale-bar').hidden && /µm/.test(document.querySelector('.scale-bar').textContent)", "a scale bar")
    long = browser.run("document.querySelector('.scale-bar').textContent")
    browser.run("document.getElementById('zoom-in').click(); document.getElementById('zoom-in').click()")
    check(browser.run("document.getElementById('zoom-reset').textContent") == "400 %" and
          browser.run("document.querySelector('.scale-bar').textContent") != long, "the frame can be zoomed, and the scale bar follows")
    browser.run("document.getElementById('zoom-reset').click()")
    times = browser.run("[...document.querySelectorAll('#series .axis')].filter(name => /^\\d\\d:\\d\\d:\\d\\d$/.test(name.textContent)).length")
    check(times >= 2, "clock times stand below the frame numbers")
    if browser.run("!document.getElementById('heat').disabled"):
        browser.run("document.getElementById('heat').click()")
        browser.until("document.querySelector('#picture .heat').naturalWidth > 0", "the heat map is there")
        browser.until("!document.querySelector('.colour-bar').hidden", "and its colour bar")
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
    browser.until("document.getElementById('link').classList.contains('lost') && document.body.classList.contains('past')",
                  "the page says that there is no connection, over a grey plate")
    check("The last frame came at" in browser.run("document.getElementById('standing-words').textContent"), "and when the last frame came")
    stage.start()
    browser.open(stage.address + "#run=sim&well=A02")
    # On another port the browser knows no name.
    browser.until("document.getElementById('decided').textContent.startsWith('Another person has decided')", "the decision is there after a restart")
    call(browser, "Ada")
    browser.until("document.querySelector('[data-decision=fault]').getAttribute('aria-pressed') === 'true'", "and shown to who made it")
    check(browser.run("document.getElementById('note').value") == "really a bubble", "and its note")
    labels = subprocess.run([stage.autoqc, "export", stage.out, "--labels"], check=True, capture_output=True, text=True).stdout
    check(",1," in labels and "Ada" in labels, "export --labels has the decision")


def call(browser, name):
    """Gives a reviewer's name."""
    browser.run(f"(name => {{ name.value = '{name}'; name.dispatchEvent(new Event('change')); }})(document.getElementById('reviewer'))")


def flagged_frames(stage, browser, pictures):
    """Another person goes through the flagged frames by keys."""
    frames = stage.ask("/api/v1/runs/sim/flagged")["frames"]
    own = {(item["well"], item["frame"]) for item in stage.ask("/api/v1/runs/sim/decisions")["decisions"]}
    shown = "document.getElementById('frame-title').textContent"
    place = "document.getElementById('progress').textContent"
    call(browser, "Bob")
    browser.until(f"{place}.endsWith('you decided on 0.')", "the page tells how many flagged frames one has decided on")
    first = frames[0]
    browser.run(f"location.hash = '#run=sim&well={first['well']}&frame={first['frame']}'")

    def stands_at(number):
        frame = frames[number - 1]
        browser.until(f"{shown} === 'Frame {frame['frame']}' && document.getElementById('well-title').textContent === 'Well {frame['well']}' && {place}.startsWith('Flagged frame {number} ')",
                      f"flagged frame {number} is {frame['well']} f{frame['frame']}")
        return frame

    for number in 1, 2, 3:
        frame = stands_at(number)
        if (frame["well"], frame["frame"]) in own:
            check("Ada" not in browser.run("document.getElementById('decided').textContent") and
                  "Another person has decided" in browser.run("document.getElementById('decided').textContent"),
                  "what another person said is not shown before one's own decision")
        browser.press("a")
    stands_at(4)
    browser.until(f"{place}.endsWith('you decided on 3.')", "A says false alarm, and goes on to the next flagged frame")
    browser.press("p")
    stands_at(3)
    check(browser.run("document.querySelector('[data-decision=\"false-alarm\"]').getAttribute('aria-pressed')") == "true", "P goes back, where the decision stands")
    browser.press("z")
    browser.until(f"{place}.endsWith('you decided on 2.')", "Z takes it back")
    browser.press("f")
    stands_at(4)
    browser.run("""(fetch => { window.sent = 0; window.fetch = (address, options) => {
        window.sent += options?.method === 'POST'; return fetch(address, options); }; })(window.fetch); document.getElementById('note').focus()""")
    browser.press("a")
    check(browser.run("window.sent") == 0, "a key in a field of text decides nothing")
    browser.run("document.getElementById('note').blur()")
    made = [(item["reviewer"], item["well"], item["frame"], item["decision"]) for item in stage.ask("/api/v1/runs/sim/decisions")["decisions"]]
    check(all(("Bob", frame["well"], frame["frame"], "false-alarm") in made for frame in frames[:2]) and any(item[0] == "Ada" for item in made),
          "both people's decisions are kept")
    looks(browser, pictures, "decisions")


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
    looks(browser, pictures, "lenses")


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
    paper(browser, pictures / "review.pdf", ["Usable", "reviewers", "Ada", "Bob", "Cohen's", "kappa", "Lenses", "deviation", *wells, *last.split()])
    check(browser.run("document.querySelectorAll('.wells .bar').length") == len(wells), "each well has its bar over time")
    browser.picture(pictures / "review.png")
    looks(browser, pictures, "review")
    browser.open(stage.address)


def main(autoqc, pictures):
    pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="autoqc-page-") as folder:
        stage = Stage(autoqc, MODEL, folder)
        (stage.folder / "none").mkdir()
        browser = Browser()
        try:
            stage.start()
            browser.open(stage.address)
            empty(stage, browser, pictures)
            live_plate(stage, browser, pictures)
            memory(stage, browser)
            looks(browser, pictures, "plate")
            drill_down(browser, pictures, stage)
            looks(browser, pictures, "well")
            heard = list(browser.complaints)
            check(heard == [], f"no errors in the console, nothing refused by the policy {heard}")
            decision(stage, browser)
            flagged_frames(stage, browser, pictures)
            keyboard(browser)
            lenses(browser, pictures)
            unknown_run(browser, pictures)
            print_all(stage, browser, pictures)
            large_plate(autoqc, MODEL, folder, browser, pictures)
            gone(autoqc, folder, browser, pictures)
            # Brought about here: the daemon was stopped, the frames of that plate have no files, and a run was none.
            own = ("ERR_CONNECTION_REFUSED", "image.png", "/scale", "runs/gone")
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
