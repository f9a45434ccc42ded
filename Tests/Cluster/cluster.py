"""Shards of a plate on a Slurm where things go wrong: cluster.py AUTOQC MODEL

2000 simulated frames and one damaged file, 16 shards. One worker is killed, one job is queued again, the controller is restarted. The workflow must end; every frame must have an outcome, and just one; rows, masks and usable intervals must be those of one run
without shards.
"""

import csv
import filecmp
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from slurm import Slurm, wait_for

WELLS, FRAMES, SHARDS = 40, 50, 16
LIMIT = 1500  # s

here = Path(__file__).resolve().parents[2]
autoqc, model = sys.argv[1:3]


def check(is_true, what):
    if not is_true:
        raise SystemExit(f"FAILED: {what}")
    print("ok:", what, flush=True)


def run(*command, expect=0):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != expect:
        raise SystemExit(f"FAILED: {' '.join(map(str, command))} exits with {done.returncode}, not {expect}\n{done.stderr}")
    return done.stdout


def make_plate(work):
    plate = work / "plate"
    run(
        autoqc, "simulate", "plate", "--out", plate, "--truth", work / "truth.csv", "--run", "sim", "--wells", str(WELLS),
        "--frames", str(FRAMES), "--speed", "100000", "--width", "640", "--height", "400",
        "--faults", here / "examples/faults.yaml",
    )  # fmt: skip
    (plate / f"sim_A1_f{FRAMES}.tiff").write_bytes(b"II*\0 and no picture")
    return plate


def outcomes(out):
    """Rows of a ledger, and how many outcomes were ever recorded there: a frame that is recorded again takes a new number."""
    ledger = out / "ledger.sqlite"
    if not ledger.exists():
        return 0, 0
    connection = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
    try:
        return connection.execute("SELECT count(*), coalesce(max(sequence), 0) FROM frames").fetchone()
    except sqlite3.OperationalError:
        return 0, 0  # it is being made
    finally:
        connection.close()


def workers(parts):
    """Process, shard and job of each `autoqc score` that has recorded outcomes."""
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            if words[1:2] != [b"score"] or not words[0].endswith(b"autoqc"):
                continue
            part = (process / "cwd").readlink() / os.fsdecode(words[words.index(b"--out") + 1])
            environment = dict(line.split(b"=", 1) for line in (process / "environ").read_bytes().split(b"\0") if b"=" in line)
        except (OSError, ValueError):
            continue
        if part.parent == parts and outcomes(part)[0] > 0:
            yield int(process.name), part.name, os.fsdecode(environment.get(b"SLURM_JOB_ID", b""))


def worker(parts, besides=()):
    found = wait_for("worker that has judged", lambda: [w for w in workers(parts) if w[1] not in besides], 300)
    return found[0]


def start_workflow(work, plate, slurm):
    shutil.copytree(here / "examples/cluster", work / "workflow")
    commands = work / "commands"
    commands.mkdir()
    (commands / "autoqc").symlink_to(autoqc)
    # Inside a job the plugin forgets SLURM_CONF, which on a real cluster nobody needs.
    (commands / "srun").write_text(f"#!/bin/sh\nSLURM_CONF={slurm.configuration} exec {shutil.which('srun')} \"$@\"\n")
    (commands / "srun").chmod(0o755)
    environment = dict(slurm.environment)
    environment["PATH"] = f"{commands}:{Path(sys.executable).parent}:{environment['PATH']}"
    log = open(os.environ.get("LOG", work / "snakemake.log"), "w+")
    workflow = subprocess.Popen(
        [
            "snakemake", "--profile", "slurm", "--config", f"frames={plate}", f"model={model}", f"shards={SHARDS}", "threads=1",
            "--slurm-no-account", "--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "5",
            "--latency-wait", "5",
        ],
        cwd=work / "workflow", env=environment, stdout=log, stderr=log,
    )  # fmt: skip
    return workflow, log


def disturb(slurm, parts):
    process, killed, job = worker(parts)
    os.kill(process, signal.SIGKILL)
    print(f"job {job}: the worker of shard {killed} is killed after {outcomes(parts / killed)[0]} frames", flush=True)
    _, requeued, job = worker(parts, besides=[killed])
    slurm.ask("scontrol", "requeue", job)
    print(f"job {job}: shard {requeued} is queued again after {outcomes(parts / requeued)[0]} frames", flush=True)
    worker(parts, besides=[killed, requeued])
    slurm.restart_controller()
    print("the controller was restarted", flush=True)
    return killed, requeued, job


def same_files(left, right):
    compared = filecmp.dircmp(left, right)
    return (
        not (compared.left_only or compared.right_only or compared.funny_files)
        and all(filecmp.cmp(left / name, right / name, shallow=False) for name in compared.common_files)
        and all(same_files(left / name, right / name) for name in compared.common_dirs)
    )


def judge(work, plate, single):
    results = work / "workflow/results"
    out, parts = results / "out", results / "parts"
    frames = WELLS * FRAMES + 1
    counts = [outcomes(part) for part in parts.iterdir()]
    check(len(counts) == SHARDS and sum(rows for rows, _ in counts) == frames, f"{frames} frames have a row in {SHARDS} shards")
    check(all(rows == recorded for rows, recorded in counts), "no frame was judged twice")
    check(outcomes(out)[0] == frames, f"the merged ledger has {frames} rows")
    check("All is accounted for." in run(autoqc, "audit", out, "--folders", plate), "audit: all is accounted for")
    check(filecmp.cmp(out / "frames.csv", single / "frames.csv", shallow=False), "frames.csv is that of one run without shards")
    check(same_files(out / "sim/masks", single / "sim/masks"), "so are the masks")
    usable = (results / "usable.csv").read_text()
    check(usable == run(autoqc, "export", single, "--usable"), f"so are {usable.count(chr(10)) - 1} usable intervals")
    check((results / "reviews/sim.html").stat().st_size > 10_000, "the run has its review")
    with open(out / "frames.csv", newline="") as file:
        check(sum(row["verdict"] == "faulty" for row in csv.DictReader(file)) > 50, "and it has faulty frames")


def main():
    # Ends its daemons also where it is ended itself.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    work = Path(tempfile.mkdtemp(prefix="autoqc-cluster-"))
    slurm = Slurm(work / "slurm", processors=2)
    workflow = None
    try:
        plate, single = make_plate(work), work / "single"
        run(autoqc, "score", "--model", model, "--out", single, "--quiet", plate, expect=65)
        slurm.start()
        began = time.monotonic()
        workflow, log = start_workflow(work, plate, slurm)
        killed, requeued, job = disturb(slurm, work / "workflow/results/parts")
        status = workflow.wait(timeout=LIMIT)
        log.seek(0)
        said = log.read()
        if status != 0:
            print(said, file=sys.stderr)
        check(status == 0, f"the workflow ends after {time.monotonic() - began:.0f} s")
        check(said.count("Trying to restart") >= 1, f"shard {killed} was tried again")
        check("Restarts=1" in slurm.ask("scontrol", "show", "job", job), f"Slurm ran shard {requeued} twice")
        check("1 frames cannot be read" in said, "the damaged file is said, and is no failure")
        judge(work, plate, single)
    finally:
        if workflow and workflow.poll() is None:
            workflow.terminate()
            workflow.wait()
        slurm.stop()
        shutil.rmtree(work, ignore_errors=True)


main()
