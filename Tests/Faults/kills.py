"""The daemon, killed at random moments while a plate is played: kills.py AUTOQC MODEL [KILLS] [SEED]

Small simulated frames arrive without a pause and two movies grow page by page, while other hands touch, rewrite and replace files
without changing a pixel. One daemon is ended with SIGKILL and started again, KILLS times; another one on the same folder is left
alone. Afterwards every frame must have one outcome, every faulty frame one mask and one alarm line, and both daemons must have
told the same: the same FAULT lines, the same ONSETs and CLEARs in the same order, the same patterns on the plate in the end, the
same masks bit for bit.
"""

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import tiff
from daemon import Daemon, Failure, simulate

WELLS = 8
INTERVAL = 1  # s between two frames of a well
LONGEST = 1.5  # s that a daemon lives, at most
MOVIES = ["02_H1_f1.tif", "02_H2_f1.tif"]


class Meddler(threading.Thread):
    """Does to the files what changes no pixel, and lets the movies grow, until `over` is set."""

    def __init__(self, plate, pages, chance):
        super().__init__()
        self.plate, self.pages, self.chance = plate, pages, chance
        self.over, self.turns = threading.Event(), 0

    def run(self):
        while not self.over.wait(0.1):
            self.turns += 1
            if self.turns % 10 == 0:
                for movie in MOVIES:
                    tiff.append(f"{self.plate}/{movie}", *self.pages[self.turns // 10 % len(self.pages)])
            else:
                names = [name for name in os.listdir(self.plate) if name not in MOVIES and not name.startswith(".")]
                # Not the newest ones: the microscope may still write to these.
                names = sorted(names, key=lambda name: os.stat(f"{self.plate}/{name}").st_ctime)[:-2 * WELLS]
                if names:
                    self.chance.choice([self.touch, self.rewrite, self.replace])(f"{self.plate}/{self.chance.choice(names)}")

    def touch(self, path):
        stamp = self.chance.uniform(1e9, 2e9)
        os.utime(path, (stamp, stamp))

    def rewrite(self, path):
        with open(path, "r+b") as file:
            content = file.read()
            file.seek(0)
            file.write(content)

    def replace(self, path):
        shutil.copyfile(path, f"{self.plate}/.again")
        os.rename(f"{self.plate}/.again", path)


def told(out):
    """What the alarm logs and masks say, by path, without what may differ between two runs."""
    found = {}
    for folder, _, names in os.walk(out):
        for name in names:
            path = os.path.relpath(f"{folder}/{name}", out)
            with open(f"{folder}/{name}", "rb") as file:
                if os.path.basename(folder) == "masks":
                    found[path] = file.read()
                elif os.path.basename(folder) == "alarms":
                    lines = [re.sub(r"(time|latency_ms)=\S* ?", "", line.decode()).strip() for line in file]
                    found[path] = standing(lines) if name == "plate.log" else in_order(lines)
    return found


def in_order(lines):
    """Frames of a well that waited may be judged after newer ones: their FAULT lines have no order."""
    return sorted(line for line in lines if "event=FAULT" in line) + [line for line in lines if "event=FAULT" not in line]


def standing(lines):
    """The patterns that stand in the end: which wells are told of first is a matter of chance."""
    last = {re.search(r"pattern=(\S*)", line)[1]: line for line in lines if "pattern=" in line}
    return sorted(pattern for pattern, line in last.items() if "event=PLATE " in line)


def differences(killed, alone):
    for path in sorted(killed.keys() | alone.keys()):
        mine, other = killed.get(path), alone.get(path)
        if mine == other:
            continue
        if isinstance(mine or other, bytes):
            yield f"{path}: {'missing' if mine is None else 'too many' if other is None else 'other bytes'}"
        else:
            mine, other = mine or [], other or []
            yield "\n    ".join([f"{path}:", *(f"too many: {line}" for line in mine if line not in other),
                                 *(f"missing: {line}" for line in other if line not in mine),
                                 *(["twice, or in another order"] if set(mine) == set(other) else [])])


def check(autoqc, killed, alone, truth):
    """Whether nothing was lost, doubled or told otherwise."""
    wrong = []
    for name, daemon in (("killed", killed), ("left alone", alone)):
        try:
            daemon.check()
            daemon.stop()
        except Failure as reason:
            wrong.append(f"the daemon that was {name}: {reason}")
    print("".join(line + "\n" for line in wrong), end="")
    left = [name for _, _, names in os.walk(killed.out) for name in names if name.endswith(".tmp")]
    print(f"{len(left)} unfinished files left", " ".join(left))
    unlike = list(differences(told(killed.out), told(alone.out)))
    print(f"{len(unlike)} of {len(told(alone.out))} alarm logs and masks differ from those of the daemon that was left alone",
          *unlike, sep="\n  ")
    checked = subprocess.run([autoqc, "simulate", "check", "--out", killed.out, "--truth", truth], stdout=subprocess.PIPE,
                             text=True)
    print("".join(line + "\n" for line in checked.stdout.splitlines() if "missed" in line or "twice" in line), end="")
    return not (wrong or checked.returncode or left or unlike)


def main():
    autoqc, model = (os.path.realpath(path) for path in sys.argv[1:3])
    kills = int(sys.argv[3]) if len(sys.argv) > 3 else 200
    chance = random.Random(int(sys.argv[4]) if len(sys.argv) > 4 else 1)
    work = tempfile.mkdtemp()
    plate, truth = f"{work}/plate", f"{work}/truth.csv"
    daemons, player, meddler = [], None, None
    try:
        lives = [chance.uniform(0, LONGEST) for _ in range(kills)]
        frames = int(sum(lives) / INTERVAL) + 1
        # The movies show a well with a fault that comes and goes.
        simulate(autoqc, f"{work}/movie", f"{work}/movie.csv", 1, 40)
        pages = [tiff.pixels(f"{work}/movie/{name}") for name in sorted(os.listdir(f"{work}/movie"))]
        killed, alone = daemons = [Daemon(autoqc, model, f"{work}/{name}", watch=[plate]) for name in ("killed", "alone")]
        alone.start()
        player = subprocess.Popen(
            [autoqc, "simulate", "plate", "--out", plate, "--truth", truth, "--wells", str(WELLS), "--interval", str(INTERVAL),
             "--frames", str(frames), "--width", "256", "--height", "192"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        meddler = Meddler(plate, pages, chance)
        meddler.start()
        for life in lives:
            killed.start(ready=False)
            time.sleep(life)
            if killed.process.poll() is not None:
                sys.exit(f"the daemon ended by itself with {killed.process.returncode}")
            killed.kill()
        if player.wait() != 0:
            sys.exit("the plate was not played to its end")
        meddler.over.set()
        meddler.join()
        killed.start()
        print(f"{kills} kills while {WELLS * frames} frames and {len(MOVIES)} movies of {meddler.turns // 10} pages came, and "
              f"{meddler.turns - meddler.turns // 10} files were touched, rewritten or replaced", flush=True)
        sys.exit(0 if check(autoqc, killed, alone, truth) else 1)
    except Failure as reason:
        sys.exit(str(reason))
    finally:
        if meddler:
            meddler.over.set()
            meddler.join()
        if player and player.poll() is None:
            player.kill()
        for daemon in daemons:
            daemon.kill()
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
