"""A disk on which every fsync takes half a second: slow.py AUTOQC MODEL [FRAMES]

`strace` delays the system calls of the running daemon, so that ledger, logs and masks are really that slow. Every frame must
be judged, the daemon must give its signs of life meanwhile, and the audit must find everything in its place.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

DELAY = 500_000  # us
PATIENCE = 300  # s


def main():
    autoqc, model = (os.path.realpath(path) for path in sys.argv[1:3])
    frames = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    if not shutil.which("strace"):
        print("strace is not installed: the slow disk is left out")
        sys.exit(77)
    work = tempfile.mkdtemp()
    plate, out = f"{work}/plate", f"{work}/results"
    os.mkdir(plate)
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(f"{work}/notify")
    signs = []
    threading.Thread(target=lambda: [signs.append(notify.recv(4096)) for _ in iter(int, 1)], daemon=True).start()
    environment = os.environ | {"NOTIFY_SOCKET": f"{work}/notify", "WATCHDOG_USEC": "6000000"}
    tracer = None
    try:
        with open(f"{work}/messages", "wb") as messages:
            # strace passes SIGTERM on to the daemon and ends with its status.
            tracer = subprocess.Popen(["strace", "-f", "-I", "2", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e",
                                       f"inject=fsync,fdatasync:delay_exit={DELAY}", autoqc, "watch", "--model", model, "--out",
                                       out, plate], stderr=messages, env=environment)
        begun = time.monotonic()
        while b"READY=1" not in signs:
            if tracer.poll() is not None or time.monotonic() - begun > PATIENCE:
                sys.exit(f"the daemon does not become ready\n{open(f'{work}/messages').read()}")
            time.sleep(0.1)
        subprocess.run([autoqc, "simulate", "plate", "--out", plate, "--truth", f"{work}/truth.csv", "--wells", "16", "--frames",
                        str(frames), "--interval", "2", "--width", "256", "--height", "192"], check=True,
                       stderr=subprocess.DEVNULL)
        synced = subprocess.run([autoqc, "sync", out, "--timeout", str(PATIENCE)]).returncode
        alive = tracer.poll() is None
        daemon = int(open(f"/proc/{tracer.pid}/task/{tracer.pid}/children").read().split()[0])
        os.kill(daemon, signal.SIGTERM)
        code = tracer.wait()
        watchdogs = sum(sign == b"WATCHDOG=1" for sign in signs)
        audit = subprocess.run([autoqc, "audit", out]).returncode
        print(f"{16 * frames} frames while each fsync took {DELAY / 1e6} s: all judged {synced == 0}, {watchdogs} signs of life, "
              f"exit status {code}")
        sys.exit(0 if synced == 0 and alive and code == 0 and audit == 0 and watchdogs > 0 else 1)
    finally:
        if tracer and tracer.poll() is None:
            tracer.kill()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
