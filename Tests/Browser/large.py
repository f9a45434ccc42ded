"""A plate of 384 wells x 1000 frames whose daemon is gone, from a ledger made up for it."""
import pathlib
import signal
import sqlite3
import subprocess
import time
import urllib.request

from looks import check, looks


def large_plate(autoqc, model, folder, browser, pictures):
    """384 wells x 1000 frames, from a ledger made up for it."""
    out = pathlib.Path(folder) / "large"
    out.mkdir()
    subprocess.run([autoqc, "watch", "--once", "--model", model, "--out", out, pathlib.Path(folder) / "none"],
                   check=False, capture_output=True)
    fill(out / "ledger.sqlite", frames=1000)
    view = subprocess.Popen([autoqc, "view", out, "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
    try:
        address = next(line.strip() for line in view.stderr if line.startswith("http"))
        browser.open(address)
        browser.until("document.querySelectorAll('#plate button:not(.empty)').length === 384", "384 wells")
        check(browser.run("document.querySelectorAll('#plate .faulty').length") == 11, "eleven of them are faulty")
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
        browser.run("location.hash = '#run=large'")
        browser.until("document.getElementById('standing-words').textContent.includes('the plate is over') && document.body.classList.contains('past')",
                      "a plate without new frames is said to be over")
        looks(browser, pictures, "plate-384")
    finally:
        view.send_signal(signal.SIGTERM)
        check(view.wait(30) == 0, "view ends with 0")


def gone(autoqc, folder, browser, pictures):
    """A daemon that is asked for and not there."""
    out = pathlib.Path(folder) / "large"
    view = subprocess.Popen([autoqc, "view", out, "--status", out / "none.json", "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
    try:
        browser.open(next(line.strip() for line in view.stderr if line.startswith("http")))
        browser.until("document.getElementById('standing-words').textContent.startsWith('No frame is judged: no daemon runs')",
                      "a daemon that is gone is said so in a banner")
        check(browser.run("document.getElementById('link').classList.contains('lost') && document.body.classList.contains('past')"),
              "with no green dot, over a grey plate")
        browser.picture(pictures / "gone.png")
    finally:
        view.send_signal(signal.SIGTERM)
        view.wait(30)


def views(browser):
    """A well of two channels: one is shown, the other can be chosen."""
    browser.run("location.hash = '#run=large&well=A01'")
    browser.until("document.getElementById('view').options.length === 2", "both channels of A01 are offered")
    check(not browser.run("document.getElementById('view').parentElement.hidden"), "the choice of views is shown")
    browser.until("document.querySelectorAll('#strip button').length === 24", "the 24 latest frames of the first are shown")
    browser.run("""(() => {
        const view = document.getElementById('view');
        view.value = 'cUV - DAPI';
        view.dispatchEvent(new Event('change'));
    })()""")
    browser.until("document.querySelectorAll('#strip button').length === 3", "the frames of the other channel are shown")
    browser.run("location.hash = '#run=large&well=B02'")
    browser.until("document.getElementById('well-title').textContent === 'Well B02'", "another well is shown")
    browser.until("document.getElementById('view').parentElement.hidden", "a well of one view has no choice")


def fill(path, frames):
    """Rows as the daemon writes them, a frame of each well per 8 s up to now; SQLite's own triggers keep the sums."""
    end = time.time_ns()
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
                       int(is_faulty), "unknown" if is_faulty else None, end - (frames - 1 - frame) * 8_000_000_000, sequence)

        for frame in range(3):
            sequence += 1
            yield (root, f"large_A01_DAPI_f{frame}.tiff", "A01", "cUV - DAPI", frame, 1, "normal", 0, None,
                   end - (frames - 1 - frame) * 8_000_000_000, sequence)

    database.executemany(
        "INSERT INTO frames (root, path, page, pages, run, well, view, frame, state, score, severity, threshold, verdict, area, "
        "well_faulty, cause, completed_ns, judged_ns, sequence, turn) VALUES (?1, ?2, 0, 1, 'large', ?3, ?4, ?5, 'scored', 0.1, ?6, 7.9, ?7, "
        "0, ?8, ?9, ?10, ?10, ?11, ?11)", rows())
    database.execute(
        "INSERT INTO alarms (time_ns, event, run, well, view, frame, severity, threshold, cause, reason, model) SELECT judged_ns, 'FAULT', "
        "run, well, view, frame, severity, threshold, cause, '', '' FROM frames WHERE verdict = 'faulty'")
    database.commit()
    database.close()
