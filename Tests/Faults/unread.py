"""Nobody reads: a journal that is stopped, and a log pipe that is full: unread.py AUTOQC MODEL

A journald of its own, in a mount namespace of its own, is stopped with SIGSTOP while unreadable frames arrive, each of which is a
record. All frames must have their outcome, SIGTERM must end the daemon, and a journald that goes on must have every record. Needs
root, unshare and systemd-journald; exits with 77 otherwise.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

JOURNALD = "/usr/lib/systemd/systemd-journald"
FRAMES = 600
PATIENCE = 120  # s


def wait(what, condition):
    limit = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > limit:
            sys.exit(f"in vain: {what}")
        time.sleep(0.1)


def arrive(plate, first, count):
    for number in range(first, first + count):
        with open(f"{plate}/.new", "wb") as file:
            file.write(b"II*\0 no frame")
        os.rename(f"{plate}/.new", f"{plate}/run_B{number % 12 + 1}_f{number}.tiff")


def main():
    if os.geteuid() != 0 or not os.path.exists(JOURNALD) or not shutil.which("unshare"):
        print("skipped: needs root, unshare and systemd-journald", file=sys.stderr)
        sys.exit(77)
    if "--inside" not in sys.argv:
        sys.exit(subprocess.run(["unshare", "-m", sys.executable, *sys.argv, "--inside"]).returncode)
    autoqc, model = (os.path.realpath(path) for path in sys.argv[1:3])
    work = os.path.realpath(tempfile.mkdtemp())
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    os.makedirs("/run/systemd/journal")
    journald = subprocess.Popen([JOURNALD], stderr=subprocess.DEVNULL)
    daemon = None
    try:
        wait("journald listens", lambda: os.path.exists("/run/systemd/journal/socket"))
        plate, out = f"{work}/plate", f"{work}/results"
        os.mkdir(plate)
        watch = [autoqc, "watch", "--model", model, "--out", out, "--log-level", "debug", plate]
        # A pipe that nobody reads.
        daemon = subprocess.Popen(watch, stderr=subprocess.PIPE)
        arrive(plate, 0, 10)
        sync = [autoqc, "sync", out, "--timeout", str(PATIENCE)]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        wait("there is a ledger", lambda: os.path.exists(f"{out}/ledger.sqlite"))
        if subprocess.run(sync, **quiet).returncode:
            sys.exit("not all frames had their outcome before any fault")
        journald.send_signal(signal.SIGSTOP)
        start = time.monotonic()
        arrive(plate, 10, FRAMES)
        if subprocess.run(sync, **quiet).returncode:
            sys.exit("judging stopped with the journal")
        judged = time.monotonic() - start
        start = time.monotonic()
        journald.send_signal(signal.SIGCONT)

        def records():
            found = subprocess.run(["journalctl", "-o", "cat", "AUTOQC_EVENT=UNREADABLE"], capture_output=True, text=True)
            return found.stdout.count("could not be judged")

        wait("the journal has every record", lambda: records() == FRAMES + 10)
        caught_up = time.monotonic() - start
        journald.send_signal(signal.SIGSTOP)
        arrive(plate, FRAMES + 10, FRAMES)
        if subprocess.run(sync, **quiet).returncode:
            sys.exit("judging stopped with the journal")
        start = time.monotonic()
        daemon.send_signal(signal.SIGTERM)
        code = daemon.wait(PATIENCE)
        print(f"{FRAMES} records while the journal was stopped: judged {judged:.1f} s after the first came; in the journal "
              f"{caught_up:.1f} s after it went on; SIGTERM took {time.monotonic() - start:.1f} s, exit status {code}")
        audit = subprocess.run([autoqc, "audit", out], stdout=subprocess.DEVNULL).returncode
        sys.exit(1 if code or audit else 0)
    finally:
        for process in (daemon, journald):
            if process and process.poll() is None:
                process.kill()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
