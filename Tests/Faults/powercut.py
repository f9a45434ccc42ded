"""The power cut after every system call of a frame's way: powercut.py AUTOQC MODEL

Records the system calls by which `autoqc watch --once` writes its output (strace), plays them into a file system that forgets
whatever was not fsynced (content of a file by fsync of the file; a name made, changed or removed by fsync of its folder), and for
every state in which a power cut can leave it lets the daemon start again: every frame must end with one outcome, one mask and
one alarm line. Exits with 77 where strace cannot be had.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

CALLS = "openat,open,creat,write,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,lseek,close"
LINE = re.compile(r"^(\d+) +(.*)$")
CALL = re.compile(r"^(\w+)\((.*)\) += (-?\d+)")
DESCRIPTOR = re.compile(r"^(\d+)<([^>]*)>")
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


class Inode:
    def __init__(self):
        self.now, self.kept = bytearray(), b""


class ForgetfulDisk:
    """One folder with what is in it now, and what would be in it after a power cut."""

    def __init__(self, root):
        self.root = root
        self.names, self.kept_names = {}, {}
        self.folders, self.kept_folders = {root}, {root}
        self.open = {}

    def inside(self, path):
        return path == self.root or path.startswith(self.root + "/")

    def opened(self, descriptor, path, flags):
        self.open.pop(descriptor, None)
        if not self.inside(path):
            return
        if path in self.folders:
            self.open[descriptor] = [path, 0, False]
            return
        inode = self.names.get(path)
        if inode is None:
            inode = self.names[path] = Inode()
        if "O_TRUNC" in flags:
            inode.now.clear()
        self.open[descriptor] = [inode, 0, "O_APPEND" in flags]

    def write(self, descriptor, data, offset=None):
        if descriptor not in self.open:
            return
        entry = self.open[descriptor]
        inode = entry[0]
        start = offset if offset is not None else len(inode.now) if entry[2] else entry[1]
        if len(inode.now) < start:
            inode.now.extend(bytes(start - len(inode.now)))
        inode.now[start:start + len(data)] = data
        if offset is None:
            entry[1] = start + len(data)

    def sync(self, descriptor):
        if descriptor not in self.open:
            return
        target = self.open[descriptor][0]
        if isinstance(target, Inode):
            target.kept = bytes(target.now)
            return
        within = lambda path: os.path.dirname(path) == target
        self.kept_names = {p: i for p, i in self.kept_names.items() if not within(p)}
        self.kept_names |= {p: i for p, i in self.names.items() if within(p)}
        self.kept_folders = {p for p in self.kept_folders if not within(p)} | {p for p in self.folders if within(p)}

    def after_the_cut(self):
        """The files that are left, by path below the root, and the folders."""
        def is_reachable(path):
            while path != self.root:
                path = os.path.dirname(path)
                if path not in self.kept_folders:
                    return False
            return True
        files = {os.path.relpath(p, self.root): i.kept for p, i in self.kept_names.items() if is_reachable(p)}
        folders = {os.path.relpath(p, self.root) for p in self.kept_folders if is_reachable(p)} - {"."}
        return files, folders


def play(disk, name, arguments, result):
    """Carries out one call."""
    if result < 0:
        return
    strings = [bytes.fromhex(s.replace("\\x", "")) for s in STRING.findall(arguments)]
    descriptor = DESCRIPTOR.match(arguments)
    number = int(descriptor.group(1)) if descriptor else -1
    absolute = lambda index: os.path.normpath(strings[index].decode("utf-8", "surrogateescape"))
    if name in ("openat", "open", "creat"):
        disk.opened(result, absolute(0), "O_TRUNC" if name == "creat" else arguments)
    elif name == "write":
        disk.write(number, strings[0][:result])
    elif name == "pwrite64":
        disk.write(number, strings[0][:result], int(arguments.rsplit(",", 1)[1], 0))
    elif name == "ftruncate" and number in disk.open:
        inode, size = disk.open[number][0], int(arguments.rsplit(",", 1)[1], 0)
        inode.now[:] = inode.now[:size] + bytes(max(0, size - len(inode.now)))
    elif name in ("fsync", "fdatasync"):
        disk.sync(number)
    elif name.startswith("rename") and disk.inside(absolute(0)):
        disk.names[absolute(1)] = disk.names.pop(absolute(0))
    elif name.startswith("unlink") and disk.inside(absolute(0)):
        disk.names.pop(absolute(0), None)
    elif name.startswith("mkdir") and disk.inside(absolute(0)):
        disk.folders.add(absolute(0))
    elif name == "lseek" and number in disk.open:
        disk.open[number][1] = result
    elif name == "close":
        disk.open.pop(number, None)


def calls(trace):
    """The calls in the order of their ends, closes of their beginnings; other threads may lie between the two halves of one."""
    halves = {}
    with open(trace, encoding="ascii", errors="replace") as lines:
        for line in lines:
            found = LINE.match(line.rstrip("\n"))
            if not found:
                continue
            thread, rest = found.groups()
            if rest.endswith("<unfinished ...>"):
                halves[thread] = rest[: -len("<unfinished ...>")].rstrip()
                # Its number is free before it ends: another thread's open may end with the same one first.
                if halves[thread].startswith("close("):
                    yield "close", halves.pop(thread).removeprefix("close("), 0
                continue
            if rest.startswith("<... "):
                rest = halves.pop(thread, "") + rest.split("resumed>", 1)[1]
            call = CALL.match(rest)
            if call:
                yield call.group(1), call.group(2), int(call.group(3))


def configure(path, model, plate, out):
    # Every frame is faulty, so that every one has a mask and an alarm line.
    with open(path, "w") as file:
        file.write(f"model: {model}\noutput: {out}\nwatch: [{plate}]\nthreshold: 0\n")


def main():
    autoqc, model = (os.path.realpath(path) for path in sys.argv[1:3])
    if not shutil.which("strace"):
        print("skipped: strace is not installed", file=sys.stderr)
        sys.exit(77)
    work = os.path.realpath(tempfile.mkdtemp())
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        plate, out, config = f"{work}/plate", f"{work}/results", f"{work}/plate.yaml"
        os.mkdir(out)
        subprocess.run([autoqc, "simulate", "plate", "--out", plate, "--truth", f"{work}/truth.csv", "--wells", "2", "--frames",
                        "3", "--interval", "0.01", "--width", "256", "--height", "192"], check=True, **quiet)
        frames = len(os.listdir(plate))
        configure(config, model, plate, out)
        trace = f"{work}/trace"
        subprocess.run(["strace", "-f", "-y", "-xx", "-s", "100000000", "-e", f"trace={CALLS}", "-o", trace, autoqc, "watch",
                        "--config", config, "--once"], check=True, **quiet)
        disk, states, count = ForgetfulDisk(out), [], 0
        for name, arguments, result in calls(trace):
            play(disk, name, arguments, result)
            count += 1
            after = disk.after_the_cut()
            if not states or after != states[-1]:
                states.append(after)
        # What lies there in the end must be what was written: else the recording misses something.
        for path, inode in disk.names.items():
            if os.path.exists(path) and not path.endswith("-shm"):
                with open(path, "rb") as file:
                    if file.read() != bytes(inode.now):
                        sys.exit(f"the recording does not explain what is in {path}")
        print(f"{frames} frames, {count} calls, {len(states)} states that a power cut can leave")
        sys.stdout.flush()
        failures = 0
        for number, (files, folders) in enumerate(states):
            cut = f"{work}/cut"
            shutil.rmtree(cut, ignore_errors=True)
            os.mkdir(cut)
            for folder in sorted(folders):
                os.makedirs(f"{cut}/{folder}", exist_ok=True)
            for path, content in files.items():
                with open(f"{cut}/{path}", "wb") as file:
                    file.write(content)
            configure(config, model, plate, cut)
            run = subprocess.run([autoqc, "watch", "--config", config, "--once"], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, text=True)
            audit = subprocess.run([autoqc, "audit", cut], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            left = [name for _, _, names in os.walk(cut) for name in names if name.endswith(".tmp")]
            rows = f"{frames} scored" in audit.stdout
            if run.returncode or audit.returncode or left or not rows:
                failures += 1
                print(f"state {number}: exit {run.returncode}, {len(left)} unfinished files\n{run.stderr[-800:]}{audit.stdout}")
        print(f"{len(states) - failures} of {len(states)} states end with every frame judged once")
        sys.exit(1 if failures else 0)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
