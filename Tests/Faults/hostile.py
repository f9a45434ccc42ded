"""Hostile TIFF files dropped among good frames: hostile.py AUTOQC MODEL [FILES] [SEED]

Every hostile file is a file of the TIFF corpus in AUTOQC_DATA, or a real frame, with bytes changed, cut or repeated. All of them
are named like frames. Good frames must all be judged, nothing may crash, and memory must stay below LIMIT.
"""

import glob
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

LIMIT = 1500  # MiB, most of them for the one page that the limits of the configuration allow
PATIENCE = 900  # s
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
    plate, out = f"{work}/plate", f"{work}/results"
    os.mkdir(plate)
    messages = open(f"{work}/messages", "wb")
    daemon = subprocess.Popen([autoqc, "watch", "--model", model, "--out", out, plate], stderr=messages)
    try:
        good = files // 100
        subprocess.run([autoqc, "simulate", "plate", "--out", f"{work}/good", "--truth", f"{work}/truth.csv", "--wells", "1",
                        "--frames", str(good), "--interval", "0.01", "--width", "256", "--height", "192"],
                       check=True, stderr=subprocess.DEVNULL)
        frames = sorted(os.listdir(f"{work}/good"))
        for number in range(files):
            well = f"{chr(ord('C') + number % WELLS // 12)}{number % WELLS % 12 + 1}"
            with open(chance.choice(seeds), "rb") as seed:
                content = mutated(seed.read(), chance)
            with open(f"{plate}/evil_{well}_f{number}.tiff", "wb") as file:
                file.write(content)
            if number % 100 == 99:
                os.rename(f"{work}/good/{frames[number // 100]}", f"{plate}/{frames[number // 100]}")
            if daemon.poll() is not None:
                sys.exit(f"the daemon ended by itself with {daemon.returncode}")
        start = time.monotonic()
        done = subprocess.run([autoqc, "sync", out, "--timeout", str(PATIENCE)]).returncode == 0
        with open(f"/proc/{daemon.pid}/status") as status:
            peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) // 1024
        daemon.send_signal(signal.SIGTERM)
        code = daemon.wait()
        export = subprocess.run([autoqc, "export", out], stdout=subprocess.PIPE, text=True).stdout.splitlines()
        judged = sum(",scored," in row and "/evil_" not in row for row in export)
        states = {state: sum(f",{state}," in row and "/evil_" in row for row in export) for state in ("scored", "quarantined")}
        print(f"{files} hostile files: {states['quarantined']} quarantined, {states['scored']} readable and judged; "
              f"{judged} of {good} good frames judged; all had their outcome {time.monotonic() - start:.0f} s after the last "
              f"came; peak memory {peak} MiB; exit status {code}")
        audit = subprocess.run([autoqc, "audit", out]).returncode
        sys.exit(0 if done and code == 0 and judged == good and peak <= LIMIT and audit == 0 else 1)
    finally:
        if daemon.poll() is None:
            daemon.kill()
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
