"""Hostile TIFF files dropped among good frames: hostile.py AUTOQC MODEL [FILES] [SEED]

Every hostile file is a file of the TIFF corpus in AUTOQC_DATA, or a real frame, with bytes changed, cut or repeated. All of them
are named like frames. Good frames must all be judged, nothing may crash, and memory must stay below LIMIT.
"""

import collections
import glob
import os
import random
import shutil
import sys
import tempfile
import time

from daemon import Daemon, Failure, simulate

LIMIT = 1500  # MiB, most of them for the one page that the limits of the configuration allow
LONGEST = 900  # s
WELLS = 24


def mutated(data, chance):
    data = bytearray(data)
    for _ in range(chance.choice([0, 1, 2, 4, 16, 64])):
        if data:
            # The header and the directory matter most.
            reach = len(data) if chance.random() < 0.5 else min(len(data), 512)
            data[chance.randrange(reach)] = chance.choice([0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)])
    if chance.random() < 0.2:
        del data[chance.randrange(len(data) + 1):]
    if chance.random() < 0.1:
        data += data[: chance.randrange(1, 4096)]
    return bytes(data)


def main():
    autoqc, model = (os.path.realpath(path) for path in sys.argv[1:3])
    files = int(sys.argv[3]) if len(sys.argv) > 3 else 10_000
    chance = random.Random(int(sys.argv[4]) if len(sys.argv) > 4 else 1)
    here = os.path.dirname(os.path.realpath(__file__))
    data = os.environ.get("AUTOQC_DATA", f"{here}/../../../shared/data")
    seeds = [path for path in glob.glob(f"{data}/**/*.tif*", recursive=True) if os.path.getsize(path) < 1 << 20]
    if not seeds:
        sys.exit(f"no TIFF corpus in {data}: set AUTOQC_DATA")
    work = tempfile.mkdtemp()
    plate, daemon = f"{work}/in", None
    try:
        daemon = Daemon(autoqc, model, work, threads=0).start()
        good = files // 100
        simulate(autoqc, f"{work}/good", f"{work}/truth.csv", 1, good)
        frames = sorted(os.listdir(f"{work}/good"))
        for number in range(files):
            well = f"{chr(ord('C') + number % WELLS // 12)}{number % WELLS % 12 + 1}"
            with open(chance.choice(seeds), "rb") as seed:
                content = mutated(seed.read(), chance)
            with open(f"{plate}/evil_{well}_f{number}.tiff", "wb") as file:
                file.write(content)
            if number % 100 == 99:
                os.rename(f"{work}/good/{frames[number // 100]}", f"{plate}/{frames[number // 100]}")
            if daemon.process.poll() is not None:
                sys.exit(f"the daemon ended by itself with {daemon.process.returncode}")
        begun = time.monotonic()
        code, text = daemon.run("sync", daemon.out, "--timeout", str(LONGEST), timeout=LONGEST + 60)
        seconds = time.monotonic() - begun
        with open(f"/proc/{daemon.process.pid}/status") as status:
            peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) // 1024
        daemon.check()
        daemon.stop()
        states = collections.Counter(("evil" if name.startswith("evil_") else "good", row["state"])
                                     for (name, _), row in daemon.rows.items())
        print(f"{files} hostile files: {states['evil', 'quarantined']} quarantined, {states['evil', 'scored']} readable and judged; "
              f"{states['good', 'scored']} of {good} good frames judged; all had their outcome {seconds:.0f} s after the last came; "
              f"peak memory {peak} MiB")
        sys.exit(0 if code == 0 and states["good", "scored"] == good and peak <= LIMIT else 1)
    except Failure as reason:
        sys.exit(str(reason))
    finally:
        if daemon:
            daemon.kill()
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
