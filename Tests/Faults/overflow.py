"""More files than the kernel keeps events for, while the daemon stands still: overflow.py AUTOQC MODEL [FILES]

The daemon is stopped (SIGSTOP), FILES small frames arrive, it goes on. It must say once that events were lost and how many
files lay there, and judge every one.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

WELLS = 64
PATIENCE = 1800  # s


def main():
    autoqc, model = (os.path.realpath(path) for path in sys.argv[1:3])
    files = int(sys.argv[3]) if len(sys.argv) > 3 else 50_000
    work = tempfile.mkdtemp()
    plate, out, messages = f"{work}/plate", f"{work}/results", f"{work}/messages"
    os.mkdir(plate)
    daemon = None
    try:
        subprocess.run([autoqc, "simulate", "plate", "--out", f"{work}/frame", "--truth", f"{work}/truth.csv", "--wells", "1",
                        "--frames", "5", "--interval", "0.01", "--width", "64", "--height", "64"], check=True, stderr=subprocess.DEVNULL)
        # In turns, as the same image again and again would be a camera that is stuck.
        contents = [open(f"{work}/frame/{name}", "rb").read() for name in sorted(os.listdir(f"{work}/frame"))]
        with open(messages, "wb") as log:
            daemon = subprocess.Popen([autoqc, "watch", "--model", model, "--out", out, plate], stderr=log)

        def said():
            with open(messages, errors="replace") as log:
                return log.read()

        while "The first listing is done" not in said():
            time.sleep(0.1)
        daemon.send_signal(signal.SIGSTOP)
        for number in range(files):
            well = f"{chr(ord('A') + number % WELLS // 8)}{number % WELLS % 8 + 1}"
            with open(f"{plate}/01_{well}_f{number // WELLS}.tiff", "wb") as file:
                file.write(contents[number // WELLS % len(contents)])
        daemon.send_signal(signal.SIGCONT)
        start = time.monotonic()
        done = subprocess.run([autoqc, "sync", out, "--timeout", str(PATIENCE)], stderr=subprocess.DEVNULL).returncode == 0
        seconds = time.monotonic() - start
        with open(f"/proc/{daemon.pid}/status") as status:
            peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) // 1024
        daemon.send_signal(signal.SIGTERM)
        code = daemon.wait()
        warnings = [line for line in said().splitlines() if "File events were lost" in line]
        print(f"{files} files while the daemon stood still: all judged {done}, {seconds:.0f} s later; peak memory {peak} MiB; "
              f"{len(warnings)} warning")
        print("".join(line + "\n" for line in warnings), end="")
        sys.stdout.flush()
        audit = subprocess.run([autoqc, "audit", out]).returncode
        sys.exit(0 if done and code == 0 and audit == 0 and len(warnings) == 1 else 1)
    finally:
        if daemon and daemon.poll() is None:
            daemon.kill()
            daemon.wait()
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
