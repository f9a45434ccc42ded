"""The daemon, killed at random moments while a plate is played: kills.py AUTOQC MODEL [KILLS] [SEED]

Small simulated frames arrive without a pause; the daemon is ended with SIGKILL and started again, KILLS times. Afterwards it
judges what is left, and every frame must have one outcome, every faulty frame one mask and one alarm line.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

WELLS = 8
INTERVAL = 1  # s between two frames of a well
LONGEST = 1.5  # s that a daemon lives, at most


def main():
    autoqc, model = (os.path.realpath(path) for path in sys.argv[1:3])
    kills = int(sys.argv[3]) if len(sys.argv) > 3 else 200
    chance = random.Random(int(sys.argv[4]) if len(sys.argv) > 4 else 1)
    work = tempfile.mkdtemp()
    plate, out, truth = f"{work}/plate", f"{work}/results", f"{work}/truth.csv"
    os.mkdir(plate)
    watch = [autoqc, "watch", "--model", model, "--out", out, plate]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    player = None
    try:
        lives = [chance.uniform(0, LONGEST) for _ in range(kills)]
        frames = int(sum(lives) / INTERVAL) + 1
        player = subprocess.Popen(
            [autoqc, "simulate", "plate", "--out", plate, "--truth", truth, "--wells", str(WELLS), "--interval", str(INTERVAL),
             "--frames", str(frames), "--width", "256", "--height", "192"], **quiet)
        for life in lives:
            daemon = subprocess.Popen(watch, **quiet)
            time.sleep(life)
            if daemon.poll() is not None:
                sys.exit(f"the daemon ended by itself with {daemon.returncode}")
            daemon.send_signal(signal.SIGKILL)
            daemon.wait()
        if player.wait() != 0:
            sys.exit("the plate was not played to its end")
        subprocess.run(watch + ["--once"], check=True, **quiet)
        left = [name for _, _, names in os.walk(out) for name in names if name.endswith(".tmp")]
        print(f"{kills} kills while {WELLS * frames} frames came; {len(left)} unfinished files left",
              " ".join(left))
        sys.stdout.flush()
        audit = subprocess.run([autoqc, "audit", out]).returncode
        check = subprocess.run([autoqc, "simulate", "check", "--out", out, "--truth", truth],
                               stdout=subprocess.PIPE, text=True)
        print("".join(line + "\n" for line in check.stdout.splitlines() if "missed" in line or "twice" in line), end="")
        sys.exit(1 if audit or check.returncode or left else 0)
    finally:
        if player and player.poll() is None:
            player.kill()
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
