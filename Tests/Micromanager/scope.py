"""A Micro-Manager core beside autoqc, with faults in the middle of a run: scope.py AUTOQC MODEL

Stages, shutter and autofocus are Micro-Manager's demo devices in a real core. The camera is one in Python that shows simulated
cells: sharp ones, blurred ones where the z-stage is off, debris in wells that got dirty, and darkness where the shutter is closed. It
takes a frame only while few frames wait to be judged, so that a slow machine changes nothing. The adapter is the one of examples/micromanager.
"""
import contextlib
import datetime
import io
import json
import os
import pathlib
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import numpy
import tifffile
import useq
from pymmcore_plus import configure_logging
from pymmcore_plus.experimental.unicore import SimpleCameraDevice, UniMMCore

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "examples/micromanager"))
import acquire as adapter
from advice import FolderAdvice, PageAdvice

AUTOQC, MODEL = (os.path.abspath(path) for path in sys.argv[1:3])
WELLS = ["A1", "A2", "A3", "A4", "B1", "B2"]
TIMES = 10
# Columns and rows of the camera.
SIZE = (640, 400)
# What the camera may see, as faults of the simulator.
KINDS = {
    "sharp": "[]",
    "blurred": "[{kind: z-shift, wells: all, strength: 1}]",
    "dirty": "[{kind: contamination, form: debris, wells: all, strength: 1}]",
}
FAULT = 3
TOKEN = "0123456789abcdef"
LIMIT = 300


def until(what, happened):
    end = time.monotonic() + LIMIT
    while not happened():
        if time.monotonic() > end:
            raise SystemExit(f"FAILED: in vain: {what}")
        time.sleep(0.05)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def simulate(folder):
    """Frames of each kind, well and time."""
    pictures = {}
    for kind, faults in KINDS.items():
        script = folder / f"{kind}.yaml"
        script.write_text(f"faults: {faults}\n")
        command = [AUTOQC, "simulate", "plate", "--out", folder / kind, "--run", "sim", "--seed", "5", "--speed", "10000"]
        command += ["--width", str(SIZE[0]), "--height", str(SIZE[1])]
        command += ["--truth", folder / f"{kind}.csv", "--wells", str(len(WELLS)), "--frames", str(TIMES), "--faults", script]
        subprocess.run(command, check=True, capture_output=True)
        names = sorted({file.name.split("_")[1] for file in (folder / kind).glob("*.tiff")})
        assert len(names) == len(WELLS)
        for well, name in zip(WELLS, names):
            pictures[kind, well] = [tifffile.imread(folder / kind / f"sim_{name}_f{t}.tiff") for t in range(TIMES)]
    return pictures


class Camera(SimpleCameraDevice):
    """Shows what lies under the stage; `faults` happen before the frame of a well and time."""

    def __init__(self, scope, pictures):
        super().__init__()
        self.scope, self.pictures, self.exposure = scope, pictures, 10.0
        # `shown` has the wells that do not look sharp, and how they look.
        self.taken, self.faults, self.shown = 0, {}, {}
        self.moments = dict.fromkeys(WELLS, 0)
        self.noise = numpy.random.default_rng(1)

    def get_exposure(self):
        return self.exposure

    def set_exposure(self, exposure):
        self.exposure = exposure

    def sensor_shape(self):
        return self.pictures["sharp", "A1"][0].shape

    def dtype(self):
        return numpy.uint8

    def snap(self, buffer):
        self.scope.wait_for_autoqc(self.taken)
        core = self.scope.core
        x, y = core.getXYPosition()
        well = WELLS[round(y) * 4 + round(x)]
        moment = self.moments[well]
        self.moments[well] += 1
        self.faults.pop((moment, well), lambda: None)()
        if core.getShutterOpen():
            kind = "blurred" if abs(core.getZPosition()) > 5 else self.shown.get(well, "sharp")
            buffer[:] = self.pictures[kind, well][moment]
        else:
            buffer[:] = self.noise.normal(6, 1.5, buffer.shape).round().clip(0, 255)
        self.taken += 1
        return {}


class Core(UniMMCore):
    """The demo's autofocus does nothing; this one finds the focus."""

    def fullFocus(self):
        super().fullFocus()
        self.setZPosition(0)


class Scope:
    """A microscope, and an autoqc that watches its folder."""

    def __init__(self, folder, run, pictures, has_autofocus=True, more=""):
        self.run, self.watched, self.out = run, folder / f"plate-{run}", folder / f"out-{run}"
        self.watched.mkdir()
        self.log, self.port, self.daemon = folder / f"{run}.log", free_port(), None
        self.config = folder / f"{run}.yaml"
        self.config.write_text(
            f"model: {MODEL}\noutput: {self.out}\nwatch: [{self.watched}]\ncanary: {{every: 0}}\n"
            f"stalled_after: 0\nadvice: {{patience: 3}}\nweb: {{listen: '127.0.0.1:{self.port}', token: {TOKEN}}}\n"
            f"{more}"
        )
        self.core = Core()
        devices = {"XY": "DXYStage", "Z": "DStage", "Shutter": "DShutter"} | ({"Focus": "DAutoFocus"} if has_autofocus else {})
        for label, device in devices.items():
            self.core.loadDevice(label, "DemoCamera", device)
        self.camera = Camera(self, pictures)
        self.core.loadPyDevice("Camera", self.camera)
        self.core.initializeAllDevices()
        self.core.setCameraDevice("Camera")
        self.core.setXYStageDevice("XY")
        self.core.setFocusDevice("Z")
        self.core.setShutterDevice("Shutter")
        if has_autofocus:
            self.core.setAutoFocusDevice("Focus")
        # The core opens the shutter by itself for its own cameras only.
        self.core.setAutoShutter(False)
        self.core.setShutterOpen(True)
        self.follower, self.counts = None, []

    def start(self):
        log = open(self.log, "a")
        command = [AUTOQC, "watch", "--config", self.config]
        # The page ends with the daemon, as the daemon holds its standard input.
        self.daemon = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"OMP_WAIT_POLICY": "passive"})
        until("the page answers", lambda: self.page_is_up())

    def page_is_up(self):
        assert self.daemon.poll() is None, f"autoqc ended:\n{self.log.read_text()}"
        with contextlib.suppress(OSError):
            self.on_page()
            return True

    def kill(self):
        self.daemon.kill()
        self.daemon.wait()

    def stop(self):
        self.daemon.terminate()
        assert self.daemon.wait(LIMIT) == 0, f"autoqc did not end well:\n{self.log.read_text()}"

    def on_page(self):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/v1/advice")
        request.add_header("Authorization", f"Bearer {TOKEN}")
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)

    def query(self, sql):
        address = f"file:{self.out}/ledger.sqlite?mode=ro"
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=30)) as connection:
            return connection.execute(sql).fetchall()

    def judged(self):
        # The page answers before the ledger is made.
        with contextlib.suppress(sqlite3.OperationalError):
            return self.query("SELECT count(*) FROM frames WHERE state = 'scored'")[0][0]
        return 0

    def wait_for_autoqc(self, taken):
        """Returns when few frames wait, or autoqc is gone."""
        until("the frames are judged", lambda: self.daemon.poll() is not None or self.judged() >= taken - len(WELLS))

    def acquire(self, source):
        """Runs the plate; says how many frames were written."""
        positions = [{"name": well, "x": n % 4, "y": n // 4} for n, well in enumerate(WELLS)]
        sequence = useq.MDASequence(
            axis_order="tp", time_plan={"interval": 0.2, "loops": TIMES}, stage_positions=positions
        )

        def started(follower):
            self.follower = follower

        # A run that is paused for no reason is to end, too.
        limit = threading.Timer(2 * LIMIT, self.core.mda.cancel)
        limit.daemon = True
        limit.start()
        with contextlib.redirect_stdout(io.StringIO()) as said:
            count = adapter.acquire(self.core, sequence, self.run, self.watched, source, "scope", started)
        limit.cancel()
        self.said = said.getvalue()
        until("the frames are judged", lambda: self.daemon.poll() is not None or self.judged() == count)
        return count

    def frames_after(self, advice):
        """Frames that were written after an advice was given."""
        given = datetime.datetime.fromisoformat(advice["since"]).timestamp()
        return sum(file.stat().st_mtime > given for file in self.watched.glob("*.tiff"))

    def check(self, wanted=None):
        """The same advice, in the same states, in ledger, page and files; all of it is valid useq, and nobody acted twice."""
        until("no advice is open", lambda: not [one for one in self.on_page() if one["state"] in ("pending", "acknowledged")])
        page = self.on_page()
        assert wanted in (None, {(one["action"], one["state"]) for one in page}), f"{page}\n{self.said}"

        def files():
            return [json.loads(file.read_text()) for file in sorted(self.out.glob(f"{self.run}/advice/*.json"))]

        def ledger():
            return sorted(self.query("SELECT id, state, by FROM advice"))

        until("the ledger says the same", lambda: ledger() == sorted((one["id"], one["state"], one["by"]) for one in page))
        until("the files say the same", lambda: sorted(files(), key=str) == sorted(page, key=str))
        for one in page:
            assert one["useq"] and [useq.MDAEvent.model_validate(event) for event in one["useq"]]
        answers = [json.loads(line) for line in (self.out / "advice.jsonl").read_text().splitlines()]
        taken = [line["advice"] for line in answers if line["state"] == "acknowledged"]
        assert len(taken) == len(set(taken)), f"acted on twice: {answers}"
        return page


def calm(scope):
    """Without a fault, the run goes to its end."""
    count = scope.acquire(FolderAdvice(scope.out))
    assert count == len(WELLS) * TIMES, scope.said
    scope.check(set())
    return f"{count} frames, no advice"


class Killed(FolderAdvice):
    """autoqc is killed between its advice and the acknowledgement, and started again."""

    def __init__(self, scope):
        super().__init__(scope.out, patience=LIMIT)
        self.scope, self.kills = scope, 0

    def answer(self, advice, state, by, note=""):
        if state == "acknowledged" and self.kills == 0:
            self.kills += 1
            self.scope.kill()
            self.scope.start()
            assert advice["id"] in [one["id"] for one in self.pending(self.scope.run)], "the advice is there again"
        return super().answer(advice, state, by, note)


def shutter(scope):
    """The shutter sticks: the run pauses, a person mends it, and the run goes to its end. autoqc is killed meanwhile."""
    source, held = Killed(scope), []

    def mend():
        until("the run is paused", lambda: scope.follower and scope.follower.is_paused and scope.core.mda.is_paused())
        held.append(scope.camera.taken)
        until("no frame comes", lambda: scope.judged() == scope.camera.taken)
        held.append(scope.camera.taken)
        pause = [one for one in scope.on_page() if one["action"] == "pause"][0]
        held.append(scope.frames_after(pause))
        scope.core.setShutterOpen(True)
        scope.follower.resume()

    scope.camera.faults[FAULT, "A1"] = lambda: scope.core.setShutterOpen(False)
    person = threading.Thread(target=mend)
    person.start()
    count = scope.acquire(source)
    person.join()
    assert source.kills == 1 and count == len(WELLS) * TIMES, f"{count} frames\n{scope.said}"
    assert held[0] == held[1] and held[2] <= len(WELLS), f"{held}\n{scope.said}"
    scope.check({("pause", "done")})
    return f"paused {held[2]} frames after the advice, {count} frames"


class Gone(FolderAdvice):
    """autoqc is killed between its advice and the acknowledgement."""

    def __init__(self, scope):
        super().__init__(scope.out, patience=2)
        self.scope = scope

    def answer(self, advice, state, by, note=""):
        self.scope.kill()
        return super().answer(advice, state, by, note)


def gone(scope):
    """autoqc is gone when its advice is to be taken: the run goes to its end, and the advice is still to be answered."""
    scope.camera.faults[FAULT, "A1"] = lambda: scope.core.setShutterOpen(False)
    count = scope.acquire(Gone(scope))
    assert count == len(WELLS) * TIMES and "the run goes on" in scope.said, scope.said
    scope.start()
    pause = [one for one in scope.on_page() if one["action"] == "pause"]
    assert [one["state"] for one in pause] == ["pending"], pause
    return f"{count} frames"


def focus(scope):
    """The stage drifts out of focus: the wells are focused again, and the run goes to its end."""
    scope.camera.faults[FAULT, "A1"] = lambda: scope.core.setZPosition(40)
    count = scope.acquire(PageAdvice(f"http://127.0.0.1:{scope.port}", TOKEN))
    assert count == len(WELLS) * TIMES and scope.core.getZPosition() == 0, scope.said
    page = scope.check()
    # An advice on one well may have given way to that on all wells before it was taken.
    states = {(one["action"], one["state"]) for one in page}
    assert ("refocus", "done") in states and states <= {("refocus", "done"), ("refocus", "expired")}, f"{page}\n{scope.said}"
    last = scope.query(f"SELECT count(*) FROM frames WHERE frame >= {TIMES - 3} AND verdict = 'faulty'")
    assert last == [(0,)], last
    return f"{count} frames, refocused on advice {len(page)} times"


def debris(scope):
    """One well gets dirty: it is skipped, and the others are imaged to the end."""
    scope.camera.faults[FAULT, "A2"] = lambda: scope.camera.shown.update(A2="dirty")
    scope.acquire(FolderAdvice(scope.out))
    page = scope.check({("skip-well", "done")})
    counts = {well: len(list(scope.watched.glob(f"*_{adapter.well(well)}_*.tiff"))) for well in WELLS}
    dirty = counts.pop("A2")
    assert page[0]["wells"] == ["A02"] and set(counts.values()) == {TIMES} and dirty < TIMES, f"{dirty} {counts}\n{scope.said}"
    return f"skipped after {dirty} frames of the well"


def without_autofocus(scope):
    """The same without an autofocus: the core stops."""
    scope.camera.faults[FAULT, "A1"] = lambda: scope.core.setZPosition(40)
    count = scope.acquire(PageAdvice(f"http://127.0.0.1:{scope.port}", TOKEN))
    assert count < len(WELLS) * TIMES, scope.said
    page = scope.check()
    states = {(one["action"], one["state"]) for one in page}
    assert ("stop", "done") in states and not states & {("refocus", "done"), ("pause", "done")}, f"{page}\n{scope.said}"
    after = scope.frames_after([one for one in page if one["action"] == "stop"][0])
    assert after <= len(WELLS), f"{after} frames after the advice to stop\n{scope.said}"
    return f"stopped after {count} frames, {after} of them after the advice"


def main():
    configure_logging(stderr_level="ERROR")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        pictures = simulate(folder)
        for play in (calm, shutter, gone, focus, debris, without_autofocus):
            scope = Scope(folder, play.__name__.replace("_", "-"), pictures, play is not without_autofocus)
            scope.start()
            try:
                result = play(scope)
                scope.stop()
            except BaseException:
                print(scope.log.read_text(), file=sys.stderr)
                scope.kill()
                raise
            print(f"ok {play.__name__}: {result}", flush=True)
    print("6 passed, 0 failed")


if __name__ == "__main__":
    main()
