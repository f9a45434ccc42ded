"""What the scripts of this folder share: a daemon under test, with what it says and what it leaves."""

import collections
import csv
import io
import os
import re
import shutil
import signal
import subprocess
import time

PATIENCE = float(os.environ.get("PATIENCE", "120"))  # s that an outcome may take on a busy machine


class Failure(Exception):
    """What a user would see that is not right."""


class LeftOut(Exception):
    """What cannot be tried on this machine, and why."""


def until(condition, what, patience=PATIENCE):
    """Waits for `condition` and returns what it gave; raises `Failure` if it never holds."""
    limit = time.monotonic() + patience
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > limit:
            raise Failure(f"{what() if callable(what) else what}, {patience:.0f} s long")
        time.sleep(0.1)


class Daemon:
    """`autoqc watch` on folders below `folder`; its output is `out`, its messages are in `said`."""

    def __init__(self, autoqc, model, folder, watch=None, settings="", user=None, threads=1):
        self.autoqc, self.folder, self.user = autoqc, folder, user
        self.out, self.messages = f"{folder}/out", f"{folder}/messages"
        self.watch = watch or [f"{folder}/in"]
        self.process = None
        os.makedirs(folder, exist_ok=True)
        for path in self.watch + [self.out]:
            if not os.path.lexists(path):
                os.makedirs(path)
        with open(f"{folder}/autoqc.yaml", "w") as file:
            file.write(f"model: {model}\noutput: {self.out}\nwatch: [{', '.join(self.watch)}]\nthreads: {threads}\n"
                       f"canary: {{every: 0}}\n{settings}\n")
        if user:
            for path in [folder, self.out]:
                shutil.chown(path, user)

    def start(self, ready=True):
        """Starts it and, with `ready`, waits until the first listing is done."""
        begun = len(self.said) if os.path.exists(self.messages) else 0
        as_user = ["setpriv", "--reuid", self.user, "--clear-groups"] if self.user else []
        with open(self.messages, "ab") as messages:
            self.process = subprocess.Popen([*as_user, self.autoqc, "watch", "--config", f"{self.folder}/autoqc.yaml"],
                                            stdout=subprocess.DEVNULL, stderr=messages)
        if ready:
            until(lambda: "The first listing is done" in self.said[begun:] or self.process.poll() is not None,
                  lambda: f"the first listing is not done: {self.said[-2000:]}")
            if self.process.poll() is not None:
                raise Failure(f"the daemon ended at its start: {self.said[-2000:]}")
        return self

    def stop(self, patience=PATIENCE):
        """Ends it with SIGTERM; raises `Failure` if it does not end in success."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            raise Failure(f"SIGTERM does not end the daemon within {patience} s") from None
        if code:
            raise Failure(f"the daemon ended with status {code}: {self.said[-2000:]}")

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def said(self):
        with open(self.messages, errors="replace") as file:
            return file.read()

    def lines(self, *words, since=0):
        """The messages that hold one of `words`, after so many characters of `said`."""
        return [line for line in self.said[since:].splitlines() if any(word in line for word in words)]

    def run(self, *command, timeout=PATIENCE):
        """Status and output of one of the program's commands; 124 if it does not come back."""
        try:
            done = subprocess.run([self.autoqc, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  timeout=timeout)
            return done.returncode, done.stdout
        except subprocess.TimeoutExpired:
            return 124, f"{command[0]} did not come back within {timeout} s"

    @property
    def rows(self):
        """The ledger's rows, by path below the watched folder and page."""
        done = subprocess.run([self.autoqc, "export", self.out], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True)
        return {(self.name(row["file"]), int(row["page"])): row for row in csv.DictReader(io.StringIO(done.stdout))}

    def name(self, path):
        for root in self.watch:
            if path.startswith(root + "/"):
                return path[len(root) + 1:]
        return path

    def alarms(self):
        """All lines of the alarm logs as dictionaries, log by log and in order."""
        lines = []
        for folder, _, names in sorted(os.walk(self.out)):
            for name in sorted(names):
                if name.endswith(".log") and os.path.basename(folder) == "alarms":
                    with open(f"{folder}/{name}") as file:
                        lines += [dict(re.findall(r'(\S+?)=("(?:[^"\\]|\\.)*"|\S*)', line)) for line in file]
        return lines

    def count(self, event):
        """How often the alarm logs have `event`, by run, well and frame."""
        return collections.Counter((line["run"], line["well"], int(line["frame"])) for line in self.alarms()
                                   if line["event"] == event)

    def check(self, gone=0):
        """Raises `Failure` unless `sync` returns and `audit` finds fault with nothing but `gone` files that were taken away."""
        code, text = self.run("sync", self.out, "--timeout", str(PATIENCE), timeout=PATIENCE + 30)
        if code:
            raise Failure(f"sync ends with {code}: {text.strip().splitlines()[-1]}")
        code, text = self.run("audit", self.out)
        found = {kind: int(number) for kind, number in re.findall(r"^([a-z-]+): (\d+)", text, re.MULTILINE)}
        if found != ({"file-missing": gone} if gone else {}) or code > (1 if gone else 0):
            raise Failure(f"audit ends with {code}: {text.strip()}")


def simulate(autoqc, folder, truth, wells, frames, *more, interval=0.01, size=(256, 192)):
    """Writes a simulated plate of small frames as fast as it can, or in the time of `interval`."""
    subprocess.run([autoqc, "simulate", "plate", "--out", folder, "--truth", truth, "--wells", str(wells), "--frames", str(frames),
                    "--interval", str(interval), "--width", str(size[0]), "--height", str(size[1]), *more],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
