"""How long a start takes over frames that the ledger knows: start.py AUTOQC MODEL [FRAMES] [WELLS] [MINUTES]

Makes empty files in a folder of their own and a ledger in which they are judged, starts `autoqc watch` and waits for READY=1.
With MINUTES a plate of as many wells is then played into the same folder, eight frames a second, and its latency shown.
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

PATIENCE = 600  # s


def well(number):
    return f"{chr(ord('A') + number // 24)}{number % 24 + 1}"


def play(autoqc, plate, work, wells, minutes):
    interval = wells / 8
    subprocess.run([autoqc, "simulate", "plate", "--out", plate, "--truth", f"{work}/truth.csv", "--run", "02", "--wells",
                    str(wells), "--interval", str(interval), "--frames", str(max(1, round(minutes * 60 / interval)))],
                   check=True, stderr=subprocess.DEVNULL)
    time.sleep(5)


def main():
    autoqc, model = (os.path.realpath(path) for path in sys.argv[1:3])
    frames, wells, minutes = (int(sys.argv[i]) if len(sys.argv) > i else default
                              for i, default in ((3, 1_000_000), (4, 64), (5, 0)))
    work = tempfile.mkdtemp()
    try:
        plate, out = f"{work}/plate", f"{work}/results"
        os.mkdir(plate)
        command = [autoqc, "watch", "--model", model, "--out", out, plate]
        # Makes the ledger.
        subprocess.run(command + ["--once"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ledger = sqlite3.connect(f"{out}/ledger.sqlite")
        ledger.execute("INSERT OR IGNORE INTO roots (path) VALUES (?)", (plate,))
        (root,) = ledger.execute("SELECT id FROM roots WHERE path = ?", (plate,)).fetchone()

        def rows():
            for number in range(frames):
                name = f"01_{well(number % wells)}_f{number // wells}.tiff"
                with open(f"{plate}/{name}", "wb"):
                    pass
                s = os.stat(f"{plate}/{name}")
                padded = well(number % wells)[0] + well(number % wells)[1:].zfill(2)
                yield (root, name, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns, padded, number // wells, s.st_mtime_ns, number + 1)

        ledger.executemany(
            "INSERT INTO frames (root, path, page, pages, inode, size, mtime_ns, ctime_ns, run, well, view, frame, state, score_patch,"
            " score, severity, threshold, verdict, area, well_faulty, judged_ns, sequence, tier, precision)"
            " VALUES (?, ?, 0, 1, ?, ?, ?, ?, '01', ?, '', ?, 'scored', 0.1, 0.1, 1, 6, 'normal', 0, 0, ?, ?, 'full', 'f32')",
            rows(),
        )
        ledger.commit()
        ledger.close()
        os.sync()

        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(f"{work}/notify")
        notify.settimeout(PATIENCE)
        start = time.monotonic()
        with open(f"{work}/messages", "wb") as messages:
            daemon = subprocess.Popen(command, env=os.environ | {"NOTIFY_SOCKET": f"{work}/notify"}, stderr=messages)
        while b"READY=1" not in notify.recv(4096):
            pass
        # The daemon would wait for ever for somebody to read the eleventh message.
        notify.close()
        seconds = time.monotonic() - start
        with open(f"/proc/{daemon.pid}/status") as status:
            memory = next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024
        if minutes:
            play(autoqc, plate, work, wells, minutes)
        daemon.send_signal(signal.SIGTERM)
        print(f"{frames} known frames of {wells} wells: READY after {seconds:.2f} s, {memory:.0f} MiB; "
              f"exit status {daemon.wait()}")
        with open(f"{work}/messages") as messages:
            print("".join(line for line in messages if "frames seen" in line), end="")
        if minutes:
            subprocess.run([autoqc, "simulate", "check", "--out", out, "--truth", f"{work}/truth.csv"])
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
