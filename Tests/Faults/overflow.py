"""More files than the kernel keeps events for, while the daemon stands still: overflow.py AUTOQC MODEL [FILES]

The daemon is stopped (SIGSTOP), FILES small frames arrive, it goes on. It must say once that events were lost and how many
files lay there, and judge every one.
"""

import os
import shutil
import signal
import sys
import tempfile
import time

from daemon import Daemon, Failure, simulate

WELLS = 64
LONGEST = 1800  # s


def main():
    autoqc, model = (os.path.realpath(path) for path in sys.argv[1:3])
    files = int(sys.argv[3]) if len(sys.argv) > 3 else 50_000
    work = tempfile.mkdtemp()
    daemon = None
    try:
        simulate(autoqc, f"{work}/frame", f"{work}/truth.csv", 1, 5, size=(64, 64))
        # In turns, as the same image again and again would be a camera that is stuck.
        contents = [open(f"{work}/frame/{name}", "rb").read() for name in sorted(os.listdir(f"{work}/frame"))]
        daemon = Daemon(autoqc, model, work, threads=0).start()
        daemon.process.send_signal(signal.SIGSTOP)
        for number in range(files):
            well = f"{chr(ord('A') + number % WELLS // 8)}{number % WELLS % 8 + 1}"
            with open(f"{work}/in/01_{well}_f{number // WELLS}.tiff", "wb") as file:
                file.write(contents[number // WELLS % len(contents)])
        daemon.process.send_signal(signal.SIGCONT)
        begun = time.monotonic()
        code, text = daemon.run("sync", daemon.out, "--timeout", str(LONGEST), timeout=LONGEST + 60)
        seconds = time.monotonic() - begun
        with open(f"/proc/{daemon.process.pid}/status") as status:
            peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) // 1024
        daemon.check()
        daemon.stop()
        warnings = daemon.lines("File events were lost")
        print(f"{files} files while the daemon stood still: all judged {code == 0}, {seconds:.0f} s later; peak memory {peak} MiB; "
              f"{len(warnings)} warning", *warnings, sep="\n")
        sys.exit(0 if code == 0 and len(warnings) == 1 else 1)
    except Failure as reason:
        sys.exit(str(reason))
    finally:
        if daemon:
            daemon.kill()
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
