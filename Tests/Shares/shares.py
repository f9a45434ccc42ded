"""Plates on real file servers: shares.py AUTOQC MODEL [NAME...]

Runs in network and mount namespaces of its own (run.sh): SMB by Samba, NFS by Ganesha. A plate of 64 wells comes at 8 frames/s,
written by another machine through the share, or on the server while the daemon's machine has the share mounted. Afterwards nothing
may be lost or doubled, `sync` and `audit` must agree, and a restart must judge nothing again. Prints how long after its last byte a
frame had its verdict.
"""

import collections
import contextlib
import datetime
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.append(f"{HERE}/../Faults")

from daemon import Daemon, Failure, LeftOut, simulate, until  # noqa: E402
from servers import FolderWriter, Ganesha, Samba, kernel_has  # noqa: E402

RATE = 8  # frames/s
WELLS = 64
PLATE = 384  # frames
SHORT = 128
PAST = 1.7e9  # a time in 2023


# How a writer writes: each takes the frames of one second, and gives the time of each one's last byte.

def plainly(writer, frames):
    for name, content in frames:
        begun = time.time()
        file = writer.create(name)
        writer.write(file, 0, content)
        writer.close(file)
        yield name, time.time()
        time.sleep(max(0, begun + 1 / RATE - time.time()))


def room_first(writer, frames):
    """Explorer and robocopy: each file has its size and its source's time at once and is filled in two pieces."""
    files = []
    for name, content in frames:
        file = writer.create(name)
        writer.truncate(file, len(content))
        writer.set_time(name, PAST)
        files.append((name, content, file))
    time.sleep(0.3)
    for name, content, file in files:
        writer.write(file, 0, content[:len(content) // 2])
    time.sleep(0.3)
    for name, content, file in files:
        writer.write(file, len(content) // 2, content[len(content) // 2:])
        writer.set_time(name, PAST)
        writer.close(file)
        yield name, time.time()
    time.sleep(0.4)


def times_afterwards(writer, frames):
    """copy2 and sync clients: the source's times are set a while after the close."""
    for written in plainly(writer, frames):
        yield written
    for name, _ in frames:
        writer.set_time(name, PAST)


def in_steps_of_two_seconds(writer, frames):
    """A file system with FAT's times."""
    for name, content in frames:
        file = writer.create(name)
        for half in (0, len(content) // 2):
            writer.write(file, half, content[half:half + len(content) // 2 + 1])
            writer.set_time(name, time.time() // 2 * 2)
        writer.close(file)
        yield name, time.time()
        time.sleep(1 / RATE)


class Scene:
    """A server, a daemon, and the frames that come; `at` the share is mounted, `inn` is watched."""

    def __init__(self, autoqc, model, folder, frames, server, through=False, always=False, clock=0, grain=0):
        self.folder, self.frames, self.written, self.come, self.latencies = folder, frames, {}, 0, []
        self.server = server(folder, clock, grain) if server else None
        self.at = f"{folder}/mount"
        self.inn = self.server.export if through else self.at
        self.local = f"{folder}/local"
        os.makedirs(self.local)
        os.makedirs(self.at)
        self.daemon = Daemon(autoqc, model, folder, watch=[self.inn, self.local],
                             settings=f"poll: {{interval: 1s, always: {str(always).lower()}}}\nstop_timeout: 10s", threads=2)
        self.through = through
        self.writer = None

    def begin(self, mounted=True):
        self.server.start()
        if not self.through and mounted:
            self.server.mount(self.at)
        self.daemon.start()
        self.reconnect()

    def reconnect(self):
        self.writer = self.server.writer() if self.through else FolderWriter(self.server.export)

    def arrive(self, count, how=plainly, retry=False):
        """So many more frames come; with `retry` the writer connects again and writes a frame anew, as acquisition programs do."""
        for _ in range(0, count, RATE):
            batch = self.frames[self.come:self.come + RATE]
            self.come += len(batch)
            try:
                self.written.update(how(self.writer, batch))
            except Exception:
                if not retry:
                    raise
                until(self.reconnects, "the writer cannot connect again")
                self.written.update(how(self.writer, batch))

    def reconnects(self):
        with contextlib.suppress(Exception):
            self.reconnect()
            return True
        return False

    def ends(self):
        """Nothing lost, nothing doubled, nothing judged again after a restart."""
        daemon = self.daemon
        until(lambda: len(self.scored()) == len(self.written),
              lambda: f"{len(self.scored())} of {len(self.written)} frames are scored; others are {self.others()}\n{self.troubles()}")
        rows = daemon.rows
        self.latencies = sorted(
            max(0, datetime.datetime.fromisoformat(row["judged"].replace("Z", "+00:00")).timestamp() - self.written[name])
            for (name, _), row in rows.items() if name in self.written)
        daemon.check()
        faulty = collections.Counter((row["run"], row["well"], int(row["frame"])) for row in rows.values()
                                     if row["verdict"] == "faulty")
        if daemon.count("FAULT") != faulty:
            raise Failure(f"{sum(daemon.count('FAULT').values())} FAULT lines for {sum(faulty.values())} faulty frames: "
                          f"{list(daemon.count('FAULT') - faulty)[:3]} too many, {list(faulty - daemon.count('FAULT'))[:3]} too few")
        if daemon.count("UNREADABLE") or self.others():
            raise Failure(f"whole frames are UNREADABLE: {sum(daemon.count('UNREADABLE').values())}")
        daemon.stop()
        daemon.start()
        daemon.check()
        again = [name for (name, _), row in daemon.rows.items()
                 if row["state"] != "skipped" and rows.get((name, 0), {}).get("judged") != row["judged"]]
        if again:
            raise Failure(f"{len(again)} frames are judged again by a restart, the first is {again[0]}")
        daemon.stop()

    def scored(self):
        return [name for (name, _), row in self.daemon.rows.items() if row["state"] == "scored" and name in self.written]

    def others(self):
        counted = collections.Counter(row["state"] + row["reason"].replace(row["file"], "") for row in self.daemon.rows.values()
                                      if row["state"] not in ("scored", "skipped"))
        return dict(counted.most_common(3))

    def troubles(self):
        return "\n".join(self.daemon.lines(" warning ", " error ", " critical ")[-6:])

    def clear(self):
        if self.server:
            self.server.thaw() if self.server.process else None
        self.daemon.kill()
        if self.server:
            self.server.clear()


def plate(scene, how=plainly, count=PLATE):
    scene.begin()
    scene.arrive(count, how)


def server_restarted(scene):
    scene.begin()
    scene.arrive(SHORT // 4)
    scene.server.stop()
    # Who writes on the server goes on; who writes through it waits for it.
    if not scene.through:
        scene.arrive(SHORT // 2)
    time.sleep(5)  # how long it is away
    scene.server.start()
    scene.arrive(SHORT - len(scene.written), retry=True)


def unmounted(scene):
    """Mounted only after the daemon's start, lost, and mounted again."""
    scene.begin(mounted=False)
    scene.arrive(SHORT // 4)
    scene.server.mount(scene.at)
    scene.arrive(SHORT // 4)
    scene.server.unmount(scene.at)
    scene.arrive(SHORT // 4)
    scene.server.mount(scene.at)
    scene.arrive(SHORT // 4)


def calls_hang(scene):
    """The server answers nothing while a local folder gets frames too: these must be judged meanwhile."""
    scene.begin()
    scene.arrive(SHORT // 4)
    scene.server.freeze()
    scene.arrive(SHORT // 4)
    # Of another run: a well waits for its own frames.
    beside = [(f"02{name[2:]}", content) for name, content in scene.frames[:SHORT // 4]]
    for second in range(0, len(beside), RATE):
        scene.written.update(plainly(FolderWriter(scene.local), beside[second:second + RATE]))
    names = {name for name, _ in beside}
    until(lambda: names <= set(scene.scored()),
          lambda: f"{len(names & set(scene.scored()))} of {len(names)} frames of the local folder are judged while the share's calls "
          f"hang\n{scene.troubles()}")
    scene.server.thaw()
    scene.arrive(SHORT // 4)


def oplock_kept(scene):
    """A client writes whole frames, keeps them open with an oplock for 20 s, and does not answer when it is broken."""
    scene.begin()
    scene.arrive(RATE)
    batch = scene.frames[scene.come:scene.come + RATE]
    scene.come += RATE
    files = []
    for name, content in batch:
        files.append(scene.writer.create(name, oplock=True))
        scene.writer.write(files[-1], 0, content)
    time.sleep(20)  # how long they are kept
    for (name, _), file in zip(batch, files):
        # Broken oplocks leave messages that the client does not expect: the connection's end closes the file as well.
        with contextlib.suppress(Exception):
            scene.writer.close(file)
        scene.written[name] = time.time()
    scene.reconnect()
    scene.arrive(RATE)


def fat_disk(scene):
    """A FAT disk, whose times have steps of two seconds; by FUSE where the kernel has no vfat."""
    image = f"{scene.folder}/image"
    subprocess.run(["mkfs.vfat", "-C", image, "65536"], check=True, stdout=subprocess.DEVNULL)
    mount = ["mount", "-t", "vfat", "-o", "loop"] if kernel_has("vfat") else ["fusefat", "-o", "rw+"]
    subprocess.run([*mount, image, scene.at], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        scene.daemon.start()
        scene.writer = FolderWriter(scene.at)
        scene.arrive(SHORT)
        scene.ends()
    finally:
        scene.daemon.kill()
        subprocess.run(["umount", "-l", scene.at])


SCENES = {}
# A server of NFS keeps written files open, so no close is told on the server itself: there the folder is looked through as well.
for kind, server, through in (("smb", Samba, {"through": True}), ("nfs", Ganesha, {"through": True, "always": True})):
    SCENES |= {
        f"{kind}-through": (server, through, plate),
        f"{kind}-through-room-first": (server, through, lambda scene: plate(scene, room_first, SHORT)),
        f"{kind}-through-times-afterwards": (server, through, lambda scene: plate(scene, times_afterwards, SHORT)),
        f"{kind}-through-server-restarted": (server, through, server_restarted),
        f"{kind}-mounted": (server, {}, plate),
        f"{kind}-mounted-server-restarted": (server, {}, server_restarted),
        f"{kind}-mounted-late-lost-and-back": (server, {}, unmounted),
        f"{kind}-mounted-calls-hang": (server, {}, calls_hang),
        f"{kind}-mounted-clock-1h-slow": (server, {"clock": -3600}, lambda scene: plate(scene, plainly, SHORT)),
        f"{kind}-mounted-clock-10min-fast": (server, {"clock": 600}, lambda scene: plate(scene, plainly, SHORT)),
        f"{kind}-mounted-2s-times": (server, {"grain": 2}, lambda scene: plate(scene, in_steps_of_two_seconds, SHORT)),
        f"{kind}-mounted-room-first": (server, {}, lambda scene: plate(scene, room_first, SHORT)),
        f"{kind}-mounted-times-afterwards": (server, {}, lambda scene: plate(scene, times_afterwards, SHORT)),
    }
SCENES["smb-through-oplock-kept"] = (Samba, {"through": True}, oplock_kept)
SCENES["fat-disk"] = (None, {}, fat_disk)


def play(name, autoqc, model, work, frames):
    """One row of the table; whether it is right."""
    server, options, story = SCENES[name]
    scene = Scene(autoqc, model, f"{work}/{name}", frames, server, **options)
    try:
        story(scene)
        if not scene.latencies:
            scene.ends()
        result = "right"
    except LeftOut as reason:
        result = f"left out: {reason}"
    except Failure as reason:
        result = f"WRONG: {reason}"
    except Exception:
        result = f"WRONG: {traceback.format_exc()}"
    finally:
        scene.clear()
    waits = scene.latencies or [float("nan")]
    figures = " | ".join(f"{figure:.2f}" for figure in (
        statistics.median(waits), waits[int(0.99 * (len(waits) - 1))], waits[-1]))
    print(f"| {name} | {len(scene.written)} | {figures} | {result} |", flush=True)
    return not result.startswith("WRONG")


def main():
    autoqc, model = (os.path.realpath(path) for path in sys.argv[1:3])
    chosen = sys.argv[3:] or list(SCENES)
    if set(chosen) - set(SCENES):
        sys.exit(f"no such scene; there are {' '.join(SCENES)}")
    work = os.path.realpath(tempfile.mkdtemp())
    try:
        os.chmod(work, 0o755)
        simulate(autoqc, f"{work}/plate", f"{work}/truth.csv", WELLS, PLATE // WELLS)
        frames = []
        for name in sorted(os.listdir(f"{work}/plate"), key=lambda name: (int(name.split("_f")[1].split(".")[0]), name)):
            with open(f"{work}/plate/{name}", "rb") as file:
                frames.append((name, file.read()))
        for server in (Samba, Ganesha):
            print(f"{server.__name__}: {server.client()}")
        print("| scene | frames | median, s | p99, s | worst, s | result |\n|---|---|---|---|---|---|")
        right = [play(name, autoqc, model, work, frames) for name in chosen]
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"{sum(right)} of {len(right)} scenes right")
    sys.exit(0 if all(right) else 1)


if __name__ == "__main__":
    main()
