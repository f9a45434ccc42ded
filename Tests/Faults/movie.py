"""Long movies among live frames, and a stop in the middle: movie.py AUTOQC MODEL [PAGES]

Two movies lie in the folder, and frames of other wells arrive four times a second. Their latency is printed. Then SIGTERM
must end the daemon soon after `stop_timeout` (3 s), and the next start must judge each page that is left, once.
"""

import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

WIDTH, HEIGHT = 256, 192
SECONDS = 20
STOP = 3  # s


def movie(path, page, count):
    """A stack of 8-bit pages: all pixels first, then a directory for each page."""
    size = WIDTH * HEIGHT
    with open(path, "wb") as file:
        file.write(b"II*\0" + struct.pack("<I", 8 + count * size))
        for number in range(count):
            file.write(bytes((byte + number) & 0xFF for byte in page[:64]) + page[64:])
        entries = [(256, 3, WIDTH), (257, 3, HEIGHT), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, None), (277, 3, 1),
                   (278, 3, HEIGHT), (279, 4, size)]
        for number in range(count):
            here = 8 + count * size + number * (6 + 12 * len(entries))
            data = struct.pack("<H", len(entries))
            for tag, kind, value in entries:
                data += struct.pack("<HHII", tag, kind, 1, 8 + number * size if value is None else value)
            following = here + 6 + 12 * len(entries) if number + 1 < count else 0
            file.write(data + struct.pack("<I", following))


def main():
    autoqc, model = (os.path.realpath(path) for path in sys.argv[1:3])
    pages = int(sys.argv[3]) if len(sys.argv) > 3 else 4000
    work = os.path.realpath(tempfile.mkdtemp())
    plate, out = f"{work}/plate", f"{work}/results"
    os.mkdir(plate)
    daemon = None
    try:
        subprocess.run([autoqc, "simulate", "plate", "--out", f"{work}/live", "--truth", f"{work}/truth.csv", "--wells", "4",
                        "--frames", str(SECONDS), "--interval", "0.01", "--width", str(WIDTH), "--height", str(HEIGHT)],
                       check=True, stderr=subprocess.DEVNULL)
        noise = os.urandom(WIDTH * HEIGHT)
        page = bytes(100 + byte % 8 for byte in noise)
        for well in ("G1", "G2"):
            movie(f"{plate}/movie_{well}_f0.tiff", page, pages)
        with open(f"{work}/plate.yaml", "w") as file:
            file.write(f"model: {model}\noutput: {out}\nwatch: [{plate}]\nstop_timeout: {STOP}s\ncanary: {{every: 0}}\n"
                       "frozen: {frames: 0}\n")
        watch = [autoqc, "watch", "--config", f"{work}/plate.yaml"]
        with open(f"{work}/messages", "ab") as messages:
            daemon = subprocess.Popen(watch, stderr=messages)
        while "The first listing is done" not in open(f"{work}/messages", errors="replace").read():
            time.sleep(0.1)
        names = sorted(os.listdir(f"{work}/live"), key=lambda name: int(name.split("_f")[1].split(".")[0]))
        for name in names:
            shutil.copy(f"{work}/live/{name}", f"{plate}/.{name}")
            os.rename(f"{plate}/.{name}", f"{plate}/{name}")
            time.sleep(0.25)
        start = time.monotonic()
        daemon.send_signal(signal.SIGTERM)
        code = daemon.wait(600)
        took = time.monotonic() - start
        rows = export(autoqc, out)
        latencies = sorted(seconds(row["judged"]) - seconds(row["completed"]) for row in rows if "movie" not in row["file"])
        before = sum("movie" in row["file"] for row in rows)
        print(f"two movies of {pages} pages: {len(latencies)} live frames judged, half within {middle(latencies):.2f} s, all within "
              f"{latencies[-1]:.2f} s; SIGTERM took {took:.1f} s with stop_timeout {STOP} s, {before} pages were judged by then")
        subprocess.run(watch + ["--once"], check=True, stderr=subprocess.DEVNULL)
        rows = export(autoqc, out)
        judged = [(row["file"], row["page"]) for row in rows if "movie" in row["file"]]
        audit = subprocess.run([autoqc, "audit", out], stdout=subprocess.DEVNULL).returncode
        print(f"after the next start {len(judged)} pages have their outcome, {len(set(judged))} different ones")
        isWhole = len(judged) == len(set(judged)) == 2 * pages and len(rows) - len(judged) == len(names)
        sys.exit(0 if isWhole and not code and not audit and took <= STOP + 10 and 0 < before < 2 * pages else 1)
    finally:
        if daemon and daemon.poll() is None:
            daemon.kill()
        shutil.rmtree(work, ignore_errors=True)


def export(autoqc, out):
    import csv
    import io
    done = subprocess.run([autoqc, "export", out], stdout=subprocess.PIPE, text=True, check=True)
    return list(csv.DictReader(io.StringIO(done.stdout)))


def seconds(text):
    from datetime import datetime
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def middle(values):
    return values[len(values) // 2]


if __name__ == "__main__":
    main()
