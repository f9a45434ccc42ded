"""What a frame costs in shards: shards.py AUTOQC [MODEL] [FRAMES]

Simulates a plate, or takes the folder PLATE, and judges all of it with one, two and four jobs at once, a shard and a thread each, as jobs of
a cluster do. Prints frames a second, seconds of processor time, bytes read and written and memory, and the same of the merge. The files are in
the page cache: bytes read are those that `read` gave, from wherever they came.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

JOBS = (1, 2, 4)
WELLS = 32

here = Path(__file__).resolve().parents[1]
autoqc = sys.argv[1]
model = sys.argv[2] if len(sys.argv) > 2 else here / "examples/models/complexeye.safetensors"
frames = int(sys.argv[3]) if len(sys.argv) > 3 else 512


def simulate(folder):
    subprocess.run(
        [
            autoqc, "simulate", "plate", "--out", f"{folder}/plate", "--truth", f"{folder}/truth.csv", "--wells", str(WELLS),
            "--frames", str(max(1, frames // WELLS)), "--speed", "100000", "--faults", here / "examples/faults.yaml",
        ],
        check=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return f"{folder}/plate"


def finish(job):
    """Processor time, bytes read and written, and largest memory of a job; its counters are gone once somebody has waited for it."""
    os.waitid(os.P_PID, job.pid, os.WEXITED | os.WNOWAIT)
    counters = dict(line.split(": ") for line in Path(f"/proc/{job.pid}/io").read_text().splitlines())
    _, status, usage = os.wait4(job.pid, 0)
    job.returncode = os.waitstatus_to_exitcode(status)
    if job.returncode != 0:
        sys.exit(f"{job.args} exits with {job.returncode}")
    return usage.ru_utime + usage.ru_stime, int(counters["rchar"]), int(counters["wchar"]), usage.ru_maxrss / 1024


def judge(plate, folder, count):
    began = time.monotonic()
    jobs = [
        subprocess.Popen(
            [
                autoqc, "score", "--model", model, "--out", f"{folder}/{number}", "--shard", f"{number}/{count}",
                "--threads", "1", "--quiet", plate,
            ],
            stdout=subprocess.DEVNULL,
        )
        for number in range(1, count + 1)
    ]  # fmt: skip
    figures = [finish(job) for job in jobs]
    judged = time.monotonic() - began
    parts = [f"{folder}/{number}" for number in range(1, count + 1)]
    return judged, figures, finish(subprocess.Popen([autoqc, "merge", "--out", f"{folder}/merged", "--quiet", *parts]))


with tempfile.TemporaryDirectory(prefix="autoqc-shards-") as work:
    plate = os.environ.get("PLATE") or simulate(work)
    files = [path for path in Path(plate).rglob("*") if path.suffix in (".tif", ".tiff")]
    size = sum(path.stat().st_size for path in files)
    print(f"{len(files)} frames, {size / len(files) / 1e6:.2f} MB each, {os.cpu_count()} processors")
    print(f"{'jobs':>4} {'frames/s':>9} {'CPU s/frame':>12} {'MB read':>8} {'MB written':>11} {'MiB a job':>10}   merge: CPU s/frame, MB read, written, kept")
    for count in JOBS:
        judged, figures, merge = judge(plate, f"{work}/{count}", count)
        cpu, read, written, memory = zip(*figures, strict=True)
        each = len(files)
        kept = sum(path.stat().st_size for path in Path(f"{work}/{count}/merged").rglob("*") if path.is_file())
        print(
            f"{count:>4} {each / judged:>9.1f} {sum(cpu) / each:>12.4f} {sum(read) / each / 1e6:>8.2f} "
            f"{sum(written) / each / 1e6:>11.2f} {max(memory):>10.0f}   "
            f"{merge[0] / each:.4f}, {merge[1] / each / 1e6:.2f}, {merge[2] / each / 1e6:.2f}, {kept / each / 1e6:.3f}",
            flush=True,
        )
