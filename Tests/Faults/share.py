"""A share that gives no events: share.py AUTOQC MODEL [FRAMES]

A folder is mounted a second time through FUSE, and frames are written behind its back, as another machine writes to a network
share: inotify tells nothing of them. Each must be in the ledger's hands within two poll intervals of its last byte. Needs root
and `bindfs`. `make test-shares` does the same with real servers.
"""

import datetime
import os
import shutil
import subprocess
import sys
import tempfile

from daemon import Daemon, Failure, simulate

INTERVAL = 1.0  # s
SETTLE = 1.0  # s that a file must stay the same before it is taken


def main():
    autoqc, model = (os.path.realpath(path) for path in sys.argv[1:3])
    frames = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    if os.geteuid() != 0 or not shutil.which("bindfs") or not os.path.exists("/dev/fuse"):
        print("no root, no bindfs or no /dev/fuse: the share without events is left out")
        sys.exit(77)
    work = tempfile.mkdtemp()
    real, share = f"{work}/real", f"{work}/share"
    os.mkdir(real)
    os.mkdir(share)
    daemon = None
    subprocess.run(["bindfs", real, share], check=True)
    try:
        daemon = Daemon(autoqc, model, f"{work}/daemon", watch=[share], settings=f"poll: {{interval: {INTERVAL}s}}").start()
        simulate(autoqc, real, f"{work}/truth.csv", 1, frames, interval=0.7)
        written = {name: os.stat(f"{real}/{name}").st_ctime for name in os.listdir(real)}
        daemon.check()
        waits = [datetime.datetime.fromisoformat(row["completed"].replace("Z", "+00:00")).timestamp() - written[name]
                 for (name, _), row in daemon.rows.items()]
        daemon.stop()
        limit = 2 * INTERVAL + SETTLE
        print(f"{len(waits)} of {frames} frames on a share without events, looked through every {INTERVAL:.0f} s: found whole "
              f"{min(waits):.2f} to {max(waits):.2f} s after their last byte (limit {limit:.0f})")
        sys.exit(0 if len(waits) == frames and max(waits) <= limit else 1)
    except Failure as reason:
        sys.exit(str(reason))
    finally:
        if daemon:
            daemon.kill()
        subprocess.run(["umount", share])
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
