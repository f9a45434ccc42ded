"""A week of frames, scaled: week.py AUTOQC MODEL [KNOWN] [ROUNDS]

Two daemons run side by side, one on a new ledger, one on a ledger that holds a week of a 64-well plate (KNOWN frames, their files
archived away). Small frames go to them in turns, run after run, each run's folder removed after the next one as an archiving
facility would. A frame may take no longer beside the week than without it, and memory and file descriptors must stay as they
were after the first run.
"""

import os
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

WELLS = 64
FRAMES = 32  # of each well in a run
PATIENCE = 600  # s
SLOWER, MORE, DESCRIPTORS = 1.25, 12, 8  # times, MiB, a few connections to the ledger that are opened on demand and kept


def well(number):
    return f"{chr(ord('A') + number // 8)}{number % 8 + 1}"


class Daemon:
    def __init__(self, autoqc, model, work, name, contents):
        self.autoqc, self.contents = autoqc, contents
        self.plate, self.out = f"{work}/{name}", f"{work}/{name}-results"
        self.command = [autoqc, "watch", "--model", model, "--out", self.out, self.plate]
        self.messages = f"{work}/{name}-messages"
        os.mkdir(self.plate)
        subprocess.run(self.command + ["--once"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def remember(self, known):
        """Fills the ledger with frames whose files are gone."""
        ledger = sqlite3.connect(f"{self.out}/ledger.sqlite")
        ledger.execute("INSERT OR IGNORE INTO roots (path) VALUES (?)", (self.plate,))
        (root,) = ledger.execute("SELECT id FROM roots WHERE path = ?", (self.plate,)).fetchone()
        day = max(1, known // 7)
        rows = ((root, f"day{n // day}/day{n // day}_{well(n % WELLS)}_f{n // WELLS}.tiff", 1 << 40 | n, 1_000_000 + n,
                 f"day{n // day}", f"{well(n % WELLS)[0]}0{well(n % WELLS)[1:]}", n // WELLS, n, n + 1) for n in range(known))
        ledger.executemany(
            "INSERT INTO frames (root, path, page, pages, inode, size, mtime_ns, ctime_ns, run, well, view, frame, state, score_patch,"
            " score, severity, threshold, verdict, area, well_faulty, judged_ns, sequence, tier, precision)"
            " VALUES (?, ?, 0, 1, ?, ?, 1, 1, ?, ?, '', ?, 'scored', 0.1, 0.1, 1, 6, 'normal', 0, 0, ?, ?, 'full', 'f32')", rows)
        ledger.commit()
        ledger.close()

    def start(self):
        begun = time.monotonic()
        with open(self.messages, "wb") as messages:
            self.process = subprocess.Popen(self.command, stderr=messages)
        while "The first listing is done" not in open(self.messages, errors="replace").read():
            if self.process.poll() is not None or time.monotonic() - begun > PATIENCE:
                sys.exit(f"{self.plate}: not ready\n{open(self.messages).read()}")
            time.sleep(0.05)
        return time.monotonic() - begun

    def judge(self, run):
        """Milliseconds a frame of one more run."""
        folder = f"{self.plate}/{run}"
        os.mkdir(folder)
        begun = time.monotonic()
        for number in range(WELLS * FRAMES):
            with open(f"{folder}/{run}_{well(number % WELLS)}_f{number // WELLS}.tiff", "wb") as file:
                file.write(self.contents[number // WELLS % len(self.contents)])
        synced = subprocess.run([self.autoqc, "sync", self.out, "--timeout", str(PATIENCE)], stderr=subprocess.DEVNULL)
        if synced.returncode:
            sys.exit(f"{self.plate}: not all of {run} was judged\n{open(self.messages).read()[-2000:]}")
        return (time.monotonic() - begun) / (WELLS * FRAMES) * 1000

    @property
    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    @property
    def memory(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait()


def main():
    autoqc, model = (os.path.realpath(path) for path in sys.argv[1:3])
    known, rounds = (int(sys.argv[i]) if len(sys.argv) > i else default for i, default in ((3, 4_838_400), (4, 8)))
    work = tempfile.mkdtemp()
    daemons = []
    try:
        subprocess.run([autoqc, "simulate", "plate", "--out", f"{work}/frame", "--truth", f"{work}/truth.csv", "--wells", "1",
                        "--frames", "5", "--interval", "0.01", "--width", "64", "--height", "64"], check=True, stderr=subprocess.DEVNULL)
        # In turns, as the same image again and again would be a camera that is stuck.
        contents = [open(f"{work}/frame/{name}", "rb").read() for name in sorted(os.listdir(f"{work}/frame"))]
        new, week = daemons = [Daemon(autoqc, model, work, name, contents) for name in ("new", "week")]
        week.remember(known)
        new.start()
        ready = week.start()
        print(f"{known} frames in the ledger: the first listing is done after {ready:.1f} s", flush=True)
        times, standing = {new: [], week: []}, []
        for number in range(rounds):
            for daemon in daemons:
                times[daemon].append(daemon.judge(f"run{number}"))
                if number:
                    shutil.rmtree(f"{daemon.plate}/run{number - 1}")
            standing.append((week.memory, week.descriptors))
            print(f"run {number}: {times[new][-1]:.2f} ms a frame with a new ledger, {times[week][-1]:.2f} with the week's; "
                  f"{standing[-1][0]:.0f} MiB, {standing[-1][1]} descriptors", flush=True)
        ratio = statistics.median(w / n for w, n in zip(times[week], times[new]))
        growth = standing[-1][0] - standing[0][0]
        codes = [daemon.stop() for daemon in daemons]
        print(f"a frame takes {ratio:.2f} times as long with the week's ledger (limit {SLOWER}); memory {growth:+.1f} MiB "
              f"(limit {MORE}) and descriptors {standing[-1][1] - standing[0][1]:+d} after {rounds * WELLS * FRAMES} frames; "
              f"exit status {codes}")
        sys.exit(0 if ratio <= SLOWER and growth <= MORE and standing[-1][1] - standing[0][1] <= DESCRIPTORS and codes == [0, 0] else 1)
    finally:
        for daemon in daemons:
            if getattr(daemon, "process", None) and daemon.process.poll() is None:
                daemon.process.kill()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
