"""A folder of its own with a daemon on it, for the recipes: what is done to files, and what must be right afterwards."""

import collections
import os
import subprocess
import time

import tiff
from daemon import Daemon, Failure, LeftOut, until

HERE = os.path.dirname(os.path.realpath(__file__))
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


class Bench:
    """A daemon on `in`, and the two frames that all recipes use: a normal one and one with an air bubble."""

    normal, faulty = (tiff.pixels(f"{HERE}/../../examples/frames/{name}.tiff") for name in ("01_A1_f300", "01_B1_f100"))

    def __init__(self, autoqc, model, folder):
        self.autoqc, self.model, self.folder = autoqc, model, folder
        self.inn = f"{folder}/in"
        self.mounted, self.glances, self.daemon = [], 0, None

    def start(self, settings="", **more):
        self.daemon = Daemon(self.autoqc, self.model, self.folder, settings=settings, **more).start()
        return self.daemon

    def good(self, number=0):
        """A plain TIFF of a normal frame; another image for each number, as a camera gives."""
        width, height, grey = self.normal
        return tiff.plain(width, height, grey[number * width:] + grey[:number * width])

    @property
    def bad(self):
        return tiff.plain(*self.faulty)

    def path(self, name):
        return f"{self.inn}/{name}"

    def put(self, name, content, times=None):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(content)
        if times:
            os.utime(self.path(name), (times, times))

    def outcomes(self):
        return {key: row["verdict"] for key, row in self.daemon.rows.items()
                if row["state"] != "skipped" and not key[0].startswith("glance")}

    def judged(self):
        return {key: row["judged"] for key, row in self.daemon.rows.items() if row["state"] != "skipped"}

    def becomes(self, expected):
        """Waits until the ledger says this of these files and nothing of others."""
        expected = {key if isinstance(key, tuple) else (key, 0): value for key, value in expected.items()}
        until(lambda: self.outcomes() == expected,
              lambda: f"the ledger says {self.outcomes()} instead of {expected}\n{self.troubles()}")

    def glance(self, times=2):
        """Lets the daemon look at everything that is there now: frames that come later are judged."""
        for _ in range(times):
            self.glances += 1
            well = f"{'ABCDEFGHIJKLMNOP'[self.glances % 16]}{13 + self.glances // 16}"
            name = f"glance/glance_{well}_f1.tiff"
            self.put(name, self.good(self.glances))
            until(lambda: (name, 0) in self.daemon.rows, f"{name} is not judged\n{self.troubles()}")

    def rests(self, seconds):
        """The writer does nothing for so long; the daemon has looked at everything afterwards."""
        time.sleep(seconds)
        self.glance(1)

    def troubles(self):
        return "\n".join(self.daemon.lines(" warning ", " error ", " critical ")[-8:])

    def holds(self, expected, faults=None, onsets=0, unreadable=0, gone=0):
        """What every recipe ends with. `faults` are the numbers of FAULT lines by run, well and frame that are right, `gone` the
        files that were taken away."""
        self.becomes(expected)
        self.daemon.check(gone)
        self.said_once(faults, onsets, unreadable)
        before, alarms = self.judged(), self.daemon.alarms()
        self.daemon.stop()
        self.daemon.start()
        self.daemon.check(gone)
        for key, judged in self.judged().items():
            if before.get(key) != judged:
                raise Failure(f"{key} is judged again by a restart")
        if self.daemon.alarms() != alarms:
            raise Failure(f"a restart changes the alarm logs: {self.daemon.alarms()[len(alarms):]}")
        self.daemon.stop()

    def said_once(self, faults, onsets, unreadable):
        rows = self.daemon.rows.values()
        right = collections.Counter((row["run"], row["well"], int(row["frame"])) for row in rows if row["verdict"] == "faulty")
        if faults is not None:
            right = collections.Counter(faults)
        told = self.daemon.count("FAULT")
        if told != right:
            raise Failure(f"FAULT lines {dict(told)} instead of {dict(right)}")
        for event, number in (("ONSET", onsets), ("UNREADABLE", unreadable)):
            if sum(self.daemon.count(event).values()) != number:
                raise Failure(f"{event} lines {dict(self.daemon.count(event))} instead of {number}")

    def unchanged(self, before):
        now = self.judged()
        again = [key for key, judged in before.items() if now.get(key) != judged]
        if again:
            raise Failure(f"judged again although nothing happened to the pixels: {again}")

    def takes_up(self, since):
        """The daemon tells of a change of its folder: at least one line, and no flood of them."""
        told = until(lambda: self.daemon.lines(self.inn, os.path.realpath(self.inn), since=since),
                     f"no line of the log names {self.inn} after its change")
        if len(told) > 3:
            raise Failure(f"{len(told)} lines for one change of the folder: {told[:4]}")

    def mount(self, at):
        if os.geteuid():
            raise LeftOut("mounting needs root")
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", at], check=True)
        self.mounted.append(at)

    def unmount(self, at):
        subprocess.run(["umount", "-l", at], check=True, **QUIET)
        self.mounted.remove(at)

    def clear(self):
        if self.daemon:
            self.daemon.kill()
        for at in list(self.mounted):
            self.unmount(at)
