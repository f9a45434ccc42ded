"""What a frame costs on larger plates and in fuller folders: scale.py AUTOQC MODEL [SECONDS] [FRAMES_PER_SECOND]

A daemon for each case runs beside the others, over a folder of its own that holds frames of the run which the ledger knows
already, each tenth of them faulty. The run goes on: new frames come to the daemons in turns, so that whatever the machine does
meanwhile hits all of them. A frame must cost no more than LIMIT times the CPU time that it costs in the first case, and come no
later; and looking through a full folder again and again, as on a network share, must leave the cores to the frames.
"""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

# Wells, known frames in the folder.
CASES = [(64, 64), (384, 384), (64, 10_000), (64, 100_000), (384, 100_000)]
LIMIT = float(os.environ.get("LIMIT", 1.2))  # times the first case's
MAX_P50, MAX_P99 = 0.5, 2  # s
MAX_POLLING = 0.1  # of a core
PATIENCE = 120  # s
TICK = os.sysconf("SC_CLK_TCK")


def well(number):
    """Names of a 384-well plate, as in file names and as in the ledger."""
    row, column = chr(ord("A") + number // 24), number % 24 + 1
    return f"{row}{column}", f"{row}{column:02}"


class Daemon:
    def __init__(self, autoqc, model, work, name, wells, known, options=()):
        self.wells, self.known, self.sent = wells, known, {}
        self.plate, self.out, self.socket = f"{work}/{name}", f"{work}/{name}-results", f"{work}/{name}-notify"
        self.messages = f"{work}/{name}-messages"
        self.command = [autoqc, "watch", "--model", model, "--out", self.out, *options, self.plate]
        os.mkdir(self.plate)
        subprocess.run(self.command + ["--once"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.remember()

    def path(self, number):
        return f"01_{well(number % self.wells)[0]}_f{number // self.wells}.tiff"

    def remember(self):
        """Empty files, a row for each, and the alarms of each tenth."""
        ledger = sqlite3.connect(f"{self.out}/ledger.sqlite")
        ledger.execute("INSERT OR IGNORE INTO roots (path) VALUES (?)", (self.plate,))
        (root,) = ledger.execute("SELECT id FROM roots WHERE path = ?", (self.plate,)).fetchone()

        def row(number):
            path = f"{self.plate}/{self.path(number)}"
            with open(path, "wb"):
                pass
            s = os.stat(path)
            return (root, self.path(number), s.st_ino, s.st_mtime_ns, s.st_ctime_ns, well(number % self.wells)[1],
                    number // self.wells, "normal" if number % 10 else "faulty", s.st_mtime_ns, number + 1)

        ledger.executemany(
            "INSERT INTO frames (root, path, page, pages, inode, size, mtime_ns, ctime_ns, run, well, view, frame, state, score_patch,"
            " score, severity, threshold, verdict, area, well_faulty, judged_ns, sequence, tier, precision)"
            " VALUES (?, ?, 0, 1, ?, 0, ?, ?, '01', ?, '', ?, 'scored', 0.1, 0.1, 1, 6, ?, 0, 0, ?, ?, 'full', 'f32')",
            map(row, range(self.known)))
        ledger.execute(
            "INSERT INTO alarms (time_ns, event, run, well, view, frame, severity, threshold, reason, model)"
            " SELECT judged_ns, 'FAULT', run, well, view, frame, severity, threshold, '', '' FROM frames WHERE verdict = 'faulty'")
        ledger.commit()
        ledger.close()

    def start(self):
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(self.socket)
        notify.settimeout(PATIENCE)
        with open(self.messages, "wb") as messages:
            self.process = subprocess.Popen(
                self.command, stderr=messages, env=os.environ | {"NOTIFY_SOCKET": self.socket, "OMP_WAIT_POLICY": "passive"})
        while b"READY=1" not in notify.recv(4096):
            pass
        # The daemon would wait for ever for somebody to read the eleventh message.
        notify.close()

    def send(self, content):
        number = self.known + len(self.sent)
        with open(f"{self.plate}/{self.path(number)}", "wb") as file:
            file.write(content)
        self.sent[self.path(number)] = time.time_ns()

    @property
    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            return sum(int(ticks) for ticks in stat.read().rsplit(")", 1)[1].split()[11:13]) / TICK

    @property
    def memory(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024

    def latencies(self):
        """Of the new frames, from closed to judged, in seconds; those that are not judged are left out."""
        ledger = sqlite3.connect(f"file:{self.out}/ledger.sqlite?mode=ro", uri=True)
        try:
            rows = ledger.execute("SELECT path, judged_ns FROM frames WHERE sequence > ?", (self.known,)).fetchall()
        finally:
            ledger.close()
        return sorted((judged - self.sent[path]) / 1e9 for path, judged in rows if path in self.sent)

    def finish(self):
        """Waits for the last verdict."""
        end = time.monotonic() + PATIENCE
        while len(self.latencies()) < len(self.sent) and time.monotonic() < end:
            time.sleep(0.2)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait()


def contents(autoqc, work):
    """Normal frames: in turns, as the same image again and again would be a camera that is stuck."""
    subprocess.run([autoqc, "simulate", "set", "--out", f"{work}/set", "--train", "10", "--normal", "2", "--faulty", "2",
                    "--folds", "2"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    folder = f"{work}/set/train"
    return [open(f"{folder}/{name}", "rb").read() for name in sorted(os.listdir(folder))]


def feed(daemons, frames, seconds, rate):
    begun = time.monotonic()
    for number in range(int(seconds * rate)):
        time.sleep(max(0, begun + number / rate - time.monotonic()))
        # Nobody's frames are always the same.
        daemons[number % len(daemons)].send(frames[number // len(daemons) % len(frames)])


def report(holds, sentence):
    print(f"{'ok    ' if holds else 'FAILED'} {sentence}", flush=True)
    return holds


def compare(daemons, seconds, rate, frames):
    # What the start left to do is not the frames'.
    time.sleep(5)
    before = [daemon.cpu for daemon in daemons]
    feed(daemons, frames, seconds, rate)
    for daemon in daemons:
        daemon.finish()
    costs = [(daemon.cpu - start) / len(daemon.sent) * 1000 for daemon, start in zip(daemons, before)]
    holds = []
    for daemon, cost in zip(daemons, costs):
        times = daemon.latencies()
        missing = len(daemon.sent) - len(times)
        p50, p99 = (times[int(share * (len(times) - 1))] for share in (0.5, 0.99)) if times else (PATIENCE, PATIENCE)
        ratio = cost / costs[0]
        holds.append(report(
            ratio <= LIMIT and p50 <= MAX_P50 and p99 <= MAX_P99 and not missing,
            f"{daemon.wells} wells, {daemon.known} known files: {cost:.1f} ms of CPU a frame, {ratio:.2f} times the first case's "
            f"(limit {LIMIT:g}); closed to judged p50 {p50:.3f} s, p99 {p99:.3f} s, largest {times[-1] if times else 0:.2f} s "
            f"(limits {MAX_P50:g} and {MAX_P99:g} s); {len(daemon.sent)} frames, {missing} missing; peak {daemon.memory:.0f} MiB"))
    return all(holds)


def poll(daemon, seconds=20):
    daemon.start()
    time.sleep(5)
    before = daemon.cpu
    time.sleep(seconds)
    share = (daemon.cpu - before) / seconds
    return report(share <= MAX_POLLING, f"looking through {daemon.known} files again and again: {share:.3f} of a core "
                                        f"(limit {MAX_POLLING:g})")


def main():
    autoqc, model = (os.path.realpath(path) for path in sys.argv[1:3])
    seconds, rate = (float(sys.argv[i]) if len(sys.argv) > i else default for i, default in ((3, 240), (4, 8)))
    work = tempfile.mkdtemp()
    daemons = []
    try:
        frames = contents(autoqc, work)
        daemons = [Daemon(autoqc, model, work, f"case{i}", wells, known) for i, (wells, known) in enumerate(CASES)]
        with open(f"{work}/poll.yaml", "w") as file:
            file.write("poll:\n  always: true\n")
        polling = Daemon(autoqc, model, work, "poll", 64, max(known for _, known in CASES), ["--config", f"{work}/poll.yaml"])
        print(f"{len(frames)} normal frames in turns, {rate:g} a second to {len(daemons)} daemons, {seconds:g} s", flush=True)
        for daemon in daemons:
            daemon.start()
        holds = compare(daemons, seconds, rate, frames)
        codes = [daemon.stop() for daemon in daemons]
        daemons.append(polling)
        holds = poll(polling) and holds
        codes.append(polling.stop())
        holds = report(not any(codes), f"exit status {codes}") and holds
        sys.exit(0 if holds else 1)
    finally:
        for daemon in daemons:
            if getattr(daemon, "process", None) and daemon.process.poll() is None:
                daemon.process.kill()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
