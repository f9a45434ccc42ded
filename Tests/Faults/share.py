"""A share that gives no events: share.py AUTOQC MODEL [FRAMES]

A folder is mounted a second time through FUSE, and frames are written behind its back, as another machine writes to a network
share: inotify tells nothing of them. Each must be in the ledger's hands within two poll intervals of its last byte. Needs root
and `bindfs`.
"""

import csv
import datetime
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

INTERVAL = 1.0  # s
SETTLE = 1.0  # s that a file must stay the same before it is taken


def main():
    autoqc, model = (os.path.realpath(path) for path in sys.argv[1:3])
    frames = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    if os.geteuid() != 0 or not shutil.which("bindfs") or not os.path.exists("/dev/fuse"):
        print("no root, no bindfs or no /dev/fuse: the share without events is left out")
        sys.exit(77)
    work = tempfile.mkdtemp()
    real, share, out = f"{work}/real", f"{work}/share", f"{work}/results"
    os.mkdir(real)
    os.mkdir(share)
    daemon = None
    subprocess.run(["bindfs", real, share], check=True)
    try:
        with open(f"{work}/autoqc.yaml", "w") as configuration:
            configuration.write(f"model: {model}\noutput: {out}\nwatch: [{share}]\npoll: {{interval: {INTERVAL}s}}\n")
        with open(f"{work}/messages", "wb") as messages:
            daemon = subprocess.Popen([autoqc, "watch", "--config", f"{work}/autoqc.yaml"], stderr=messages)
        while "The first listing is done" not in open(f"{work}/messages", errors="replace").read():
            time.sleep(0.05)
        subprocess.run([autoqc, "simulate", "plate", "--out", real, "--truth", f"{work}/truth.csv", "--wells", "1", "--frames",
                        str(frames), "--interval", "0.7", "--width", "256", "--height", "192"], check=True,
                       stderr=subprocess.DEVNULL)
        written = {name: os.stat(f"{real}/{name}").st_ctime for name in os.listdir(real)}
        synced = subprocess.run([autoqc, "sync", out, "--timeout", "60"]).returncode
        rows = subprocess.run([autoqc, "export", out], stdout=subprocess.PIPE, text=True).stdout.splitlines()
        waits = [datetime.datetime.fromisoformat(row["completed"].replace("Z", "+00:00")).timestamp()
                 - written[os.path.basename(row["file"])] for row in csv.DictReader(rows)]
        daemon.send_signal(signal.SIGTERM)
        code = daemon.wait()
        limit = 2 * INTERVAL + SETTLE
        print(f"{len(waits)} of {frames} frames on a share without events, looked through every {INTERVAL:.0f} s: found whole "
              f"{min(waits):.2f} to {max(waits):.2f} s after their last byte (limit {limit:.0f}); exit status {code}")
        sys.exit(0 if synced == 0 and len(waits) == frames and max(waits) <= limit and code == 0 else 1)
    finally:
        if daemon and daemon.poll() is None:
            daemon.kill()
            daemon.wait()
        subprocess.run(["umount", share])
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
