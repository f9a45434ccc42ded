"""A disk that fills up, turns read-only and loses the output folder: disk.py AUTOQC MODEL

The output lies on a small tmpfs (root is needed; exits with 77 otherwise). While frames arrive the disk is filled and emptied
again, mounted read-only and writable again, and the output folder removed. Every frame must have its outcome in the end.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PATIENCE = 120  # s


class Bench:
    def __init__(self, autoqc, model, work):
        self.autoqc, self.work = autoqc, work
        self.disk, self.plate, self.out = f"{work}/disk", f"{work}/plate", f"{work}/disk/results"
        self.messages = f"{work}/messages"
        self.count = 0
        for folder in (self.disk, self.plate):
            os.mkdir(folder)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12M", "tmpfs", self.disk], check=True)
        # Every frame is faulty, so that every one has a mask and an alarm line.
        with open(f"{work}/plate.yaml", "w") as file:
            file.write(f"model: {model}\noutput: {self.out}\nwatch: [{self.plate}]\nthreshold: 0\n")
        subprocess.run([autoqc, "simulate", "plate", "--out", f"{work}/frames", "--truth", f"{work}/truth.csv", "--wells", "1",
                        "--frames", "40", "--interval", "0.01", "--width", "256", "--height", "192"],
                       check=True, stderr=subprocess.DEVNULL)
        self.frames = sorted(os.listdir(f"{work}/frames"))
        self.start()

    def start(self):
        with open(self.messages, "ab") as messages:
            self.daemon = subprocess.Popen([self.autoqc, "watch", "--config", f"{self.work}/plate.yaml"], stderr=messages)

    def stop(self):
        self.daemon.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        if self.daemon.wait(PATIENCE):
            sys.exit("the daemon did not end with success")
        if time.monotonic() - begun > 30:
            sys.exit("the daemon took too long to end")

    def arrive(self, number):
        for name in self.frames[self.count:self.count + number]:
            shutil.copy(f"{self.work}/frames/{name}", f"{self.plate}/.{name}")
            os.rename(f"{self.plate}/.{name}", f"{self.plate}/{name}")
        self.count += number

    def said(self, sentence, times=1):
        limit = time.monotonic() + PATIENCE
        while True:
            with open(self.messages, errors="replace") as messages:
                if messages.read().count(sentence) >= times:
                    return
            if time.monotonic() > limit:
                sys.exit(f"never said: {sentence}")
            time.sleep(0.1)

    def all_judged(self, sentence):
        if subprocess.run([self.autoqc, "sync", self.out, "--timeout", str(PATIENCE)], stderr=subprocess.DEVNULL).returncode:
            sys.exit(f"{sentence}: not all frames were judged")
        print(f"{sentence}: all {self.count} frames have their outcome")
        sys.stdout.flush()


def main():
    if os.geteuid() != 0:
        print("skipped: mounting a disk needs root", file=sys.stderr)
        sys.exit(77)
    autoqc, model = (os.path.realpath(path) for path in sys.argv[1:3])
    work = os.path.realpath(tempfile.mkdtemp())
    bench = None
    waiting = "The output cannot be used"
    try:
        bench = Bench(autoqc, model, work)
        bench.said("The first listing is done")
        bench.arrive(4)
        bench.all_judged("before any fault")

        with open(f"{bench.disk}/filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                pass
        bench.arrive(8)
        bench.said(waiting)
        os.remove(f"{bench.disk}/filler")
        bench.all_judged("disk full, then space again")

        with open(bench.messages, errors="replace") as messages:
            before = messages.read().count(waiting)
        # Not by remounting: files that are open for writing forbid it.
        os.chmod(bench.out, 0o555)
        subprocess.run(["mount", "--bind", bench.out, bench.out], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", bench.out], check=True)
        bench.arrive(8)
        bench.said(waiting, before + 1)
        subprocess.run(["umount", bench.out], check=True)
        os.chmod(bench.out, 0o755)
        bench.all_judged("read-only, then writable again")

        shutil.rmtree(bench.out)
        bench.arrive(8)
        bench.said("The ledger was taken away")
        bench.said("The first listing is done", 2)
        bench.all_judged("output folder removed: a new ledger")

        bench.stop()
        with open(f"{bench.disk}/filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                pass
        with open(bench.messages, errors="replace") as messages:
            before = messages.read().count(waiting)
        bench.start()
        bench.said(waiting, before + 1)
        bench.stop()
        bench.start()
        bench.said(waiting, before + 2)
        bench.arrive(4)
        os.remove(f"{bench.disk}/filler")
        bench.said("The first listing is done", 3)
        bench.all_judged("started on a full disk, then space")

        bench.stop()
        subprocess.run(["umount", bench.disk], check=True)
        os.chmod(bench.disk, 0o555)
        subprocess.run(["mount", "--bind", bench.disk, bench.disk], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", bench.disk], check=True)
        bench.start()
        bench.said(waiting, before + 3)
        bench.arrive(4)
        subprocess.run(["umount", bench.disk], check=True)
        bench.said("The first listing is done", 4)
        bench.all_judged("started read-only, then writable")
        bench.daemon.send_signal(signal.SIGTERM)
        code = bench.daemon.wait(PATIENCE)
        audit = subprocess.run([autoqc, "audit", bench.out]).returncode
        sys.exit(1 if code or audit else 0)
    finally:
        if bench:
            if bench.daemon.poll() is None:
                bench.daemon.kill()
                bench.daemon.wait()
            subprocess.run(["umount", bench.disk])
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
