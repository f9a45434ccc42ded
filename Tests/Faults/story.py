"""The same story after crashes: story.py AUTOQC MODEL [KILLS] [SEED]

Small simulated frames are judged once without a disturbance, and once while the daemon is ended with SIGKILL at random moments as
they arrive. The wells' alarm logs must say the same, word by word but for times, and the masks must have the same bits.
"""

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

WELLS, FRAMES = 8, 70
INTERVAL = 0.12  # s between two frames
LIVES = (0.3, 2.2)  # s that a daemon lives
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def files(out, folder):
    for place, _, names in os.walk(out):
        if os.path.basename(place) == folder:
            for name in names:
                yield name, os.path.join(place, name)


def lines(out):
    """What the wells' logs say; the plate's own log depends on which well comes first."""
    said = []
    for name, path in files(out, "alarms"):
        if name != "plate.log":
            with open(path) as log:
                said += [name + " " + re.sub(r"time=\S+ | latency_ms=\d+", "", line) for line in log]
    return sorted(said)


def masks(out):
    return {name: open(path, "rb").read() for name, path in files(out, "masks")}


def main():
    autoqc, model = (os.path.realpath(path) for path in sys.argv[1:3])
    kills = int(sys.argv[3]) if len(sys.argv) > 3 else 60
    chance = random.Random(int(sys.argv[4]) if len(sys.argv) > 4 else 1)
    work = os.path.realpath(tempfile.mkdtemp())
    daemon = None
    try:
        subprocess.run([autoqc, "simulate", "plate", "--out", f"{work}/frames", "--truth", f"{work}/truth.csv", "--wells", str(WELLS),
                        "--frames", str(FRAMES), "--interval", "0.01", "--width", "256", "--height", "192"], check=True, **QUIET)
        names = sorted(os.listdir(f"{work}/frames"), key=lambda name: (int(name.split("_f")[1].split(".")[0]), name))
        calm = [autoqc, "watch", "--model", model, "--out", f"{work}/calm", f"{work}/frames"]
        subprocess.run(calm + ["--once"], check=True, **QUIET)
        os.mkdir(f"{work}/plate")
        watch = [autoqc, "watch", "--model", model, "--out", f"{work}/killed", f"{work}/plate"]
        arrived = killed = 0
        due = time.monotonic()
        while arrived < len(names) or killed < kills:
            now = time.monotonic()
            if daemon is None:
                daemon, end = subprocess.Popen(watch, **QUIET), now + chance.uniform(*LIVES)
            if now >= due and arrived < len(names):
                name = names[arrived]
                shutil.copy(f"{work}/frames/{name}", f"{work}/plate/.{name}")
                os.rename(f"{work}/plate/.{name}", f"{work}/plate/{name}")
                arrived, due = arrived + 1, now + INTERVAL
            if now >= end:
                daemon.kill()
                daemon.wait()
                daemon, killed = None, killed + 1
            time.sleep(0.01)
        if daemon:
            daemon.kill()
            daemon.wait()
        subprocess.run(watch + ["--once"], check=True, **QUIET)
        undisturbed, disturbed = lines(f"{work}/calm"), lines(f"{work}/killed")
        isSame = masks(f"{work}/calm") == masks(f"{work}/killed")
        onsets = sum("event=ONSET" in line for line in undisturbed)
        print(f"{killed} kills while {len(names)} frames came: {len(undisturbed)} lines undisturbed, {onsets} of them ONSETs; "
              f"{len(set(undisturbed) ^ set(disturbed))} lines differ; masks {'the same' if isSame else 'differ'}")
        for line in sorted(set(undisturbed) ^ set(disturbed))[:10]:
            print("undisturbed: " if line in undisturbed else "after kills: ", line, end="")
        sys.exit(0 if undisturbed == disturbed and isSame else 1)
    finally:
        if daemon and daemon.poll() is None:
            daemon.kill()
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
