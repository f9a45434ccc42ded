"""What happens to files and folders at people's benches: recipes.py AUTOQC MODEL [NAME...]

Each recipe plays to a daemon of its own what a program, a person or a network did to a watched folder, and waits for what is
right: one outcome for every frame, by the pixels that are there now; one FAULT line for each faulty file; no ONSET from what is no
news; `audit` and `sync` content; and the same, with nothing judged again, after a restart. Recipes that need root, FUSE or another
user are left out where these are missing. JOBS recipes run side by side (4).
"""

import concurrent.futures
import ctypes
import fcntl
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback

import tiff
from bench import QUIET, Bench
from daemon import Failure, LeftOut, until

PAST = 1.7e9  # a time in 2023
EXCHANGE = 2  # RENAME_EXCHANGE of renameat2
LIBC = ctypes.CDLL(None, use_errno=True)


def room_first(bench):
    """Explorer, robocopy: the file has its last size at once and is filled later. Times move (a) or are kept (b)."""
    bench.start("poll: {always: true, interval: 1s}")
    whole = bench.good()
    files = {}
    for name in ("a_A01_f1.tiff", "b_A01_f1.tiff"):
        os.makedirs(bench.path("sub"), exist_ok=True)
        files[name] = os.open(bench.path(f"sub/{name}"), os.O_CREAT | os.O_WRONLY)
        os.ftruncate(files[name], len(whole))
        os.utime(files[name], (PAST, PAST))
    bench.rests(4)
    for name, file in files.items():
        os.pwrite(file, whole[:300_000], 0)
        if name[0] == "b":
            os.utime(file, (PAST, PAST))
    bench.rests(4)
    for file in files.values():
        os.pwrite(file, whole[300_000:], 300_000)
        os.utime(file, (PAST, PAST))
        os.close(file)
    bench.holds({"sub/a_A01_f1.tiff": "normal", "sub/b_A01_f1.tiff": "normal"})


def room_never_closed(bench):
    """The same where nobody tells of a close: another machine writes, keeps the time, and the file stays open."""
    bench.start("poll: {always: true, interval: 1s}")
    file = os.open(bench.path("b_A01_f1.tiff"), os.O_CREAT | os.O_WRONLY)
    os.ftruncate(file, len(bench.bad))
    os.pwrite(file, bench.bad[:20_000], 0)
    os.utime(file, (PAST, PAST))
    bench.rests(4)
    os.pwrite(file, bench.bad[20_000:], 20_000)
    os.utime(file, (PAST, PAST))
    bench.holds({"b_A01_f1.tiff": "faulty"})
    os.close(file)


def copy_with_times(bench):
    """shutil.copy2, unzip, sync clients: the source's time is set after the close, at once or half a second later."""
    bench.start()
    sources = {}
    for number in range(1, 13):
        name = f"01_A01_f{number}.tiff"
        with open(f"{bench.folder}/{name}", "wb") as file:
            file.write(bench.good(number) if number % 4 else bench.bad)
        os.utime(f"{bench.folder}/{name}", (PAST, PAST))
        shutil.copy2(f"{bench.folder}/{name}", bench.path(name))
        sources[name] = "normal" if number % 4 else "faulty"
        time.sleep(0.15)  # the pace of the copy
    for number in (13, 14):
        name = f"01_A01_f{number}.tiff"
        bench.put(name, bench.good(number))
        until(lambda: (name, 0) in bench.daemon.rows, f"{name} is not judged")
        os.utime(bench.path(name), (PAST, PAST))
        sources[name] = "normal"
    bench.holds(sources)


def readable_later(bench):
    """The daemon's user may read the file two or twenty seconds after its close: Samba sets inherited rights last."""
    if os.geteuid():
        raise LeftOut("a daemon of another user needs root")
    os.chmod(bench.folder, 0o755)
    bench.start(user="nobody")
    os.umask(0o022)
    for name in ("01_A01_f1.tiff", "01_B01_f1.tiff"):
        file = os.open(bench.path(name), os.O_CREAT | os.O_WRONLY, 0o600)
        os.write(file, bench.bad)
        os.close(file)
    bench.rests(2)  # how long the first one is locked
    os.chmod(bench.path("01_A01_f1.tiff"), 0o644)
    bench.rests(18)  # how long the second one is
    if ("01_B01_f1.tiff", 0) in bench.daemon.rows:
        raise Failure(f"a file that nobody could read has the outcome {bench.outcomes()}")
    os.chmod(bench.path("01_B01_f1.tiff"), 0o644)
    bench.holds({"01_A01_f1.tiff": "faulty", "01_B01_f1.tiff": "faulty"})


def leased(bench):
    """The writer holds a write lease (an oplock of a file server) for twenty seconds after the last byte."""
    bench.start()
    # Under the other name first, as a lease is only given while nobody else has the file open.
    bench.put(".01_A01_f1", bench.bad)
    lease = os.open(bench.path(".01_A01_f1"), os.O_WRONLY)
    fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    os.rename(bench.path(".01_A01_f1"), bench.path("01_A01_f1.tiff"))
    bench.rests(20)  # how long it is held
    if ("01_A01_f1.tiff", 0) in bench.daemon.rows:
        raise Failure(f"a file that nobody could open has the outcome {bench.outcomes()}")
    fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    os.close(lease)
    bench.holds({"01_A01_f1.tiff": "faulty"})


def mounted_over(bench, settings=""):
    """A share is mounted over the watched folder after the start; it is lost and comes back; a start while it is there."""
    bench.start(settings)
    bench.put("01_A01_f1.tiff", bench.good())
    bench.becomes({"01_A01_f1.tiff": "normal"})
    since = len(bench.daemon.said)
    bench.mount(bench.inn)
    bench.put("02_A01_f1.tiff", bench.bad)
    bench.becomes({"01_A01_f1.tiff": "normal", "02_A01_f1.tiff": "faulty"})
    bench.takes_up(since)
    since = len(bench.daemon.said)
    bench.unmount(bench.inn)
    bench.put("03_A01_f1.tiff", bench.bad)
    bench.becomes({"01_A01_f1.tiff": "normal", "02_A01_f1.tiff": "faulty", "03_A01_f1.tiff": "faulty"})
    bench.takes_up(since)
    bench.mount(bench.inn)
    bench.put("04_A01_f1.tiff", bench.bad)
    bench.holds({"01_A01_f1.tiff": "normal", "02_A01_f1.tiff": "faulty", "03_A01_f1.tiff": "faulty", "04_A01_f1.tiff": "faulty"},
                gone=3)
    bench.daemon.start()
    bench.unmount(bench.inn)
    bench.put("05_A01_f1.tiff", bench.bad)
    bench.mount(bench.inn)
    bench.put("06_A01_f1.tiff", bench.bad)
    until(lambda: ("06_A01_f1.tiff", 0) in bench.daemon.rows, "the share that came back is not taken up")
    bench.unmount(bench.inn)
    until(lambda: ("05_A01_f1.tiff", 0) in bench.daemon.rows, "the folder under the share is not taken up")
    bench.daemon.check(gone=3)
    bench.daemon.stop()


def mounted_over_polled(bench):
    """As before, with `poll.always`."""
    mounted_over(bench, "poll: {always: true, interval: 1s}")


def mounted_below(bench):
    """A share is mounted on a folder below the watched one, lost, and mounted again with other frames."""
    bench.start()
    os.mkdir(bench.path("day"))
    bench.glance()
    expected = {}
    for number in (1, 2):
        bench.mount(bench.path("day"))
        name = f"day/0{number}_A01_f1.tiff"
        bench.put(name, bench.bad)
        expected[name] = "faulty"
        bench.becomes(expected)
        if number == 1:
            bench.unmount(bench.path("day"))
            bench.glance()
    bench.holds(expected, gone=1)


def refused_names(bench):
    """Thumbs.db comes first; later every frame's name fits no pattern: the log tells of these more than once."""
    bench.start()
    bench.put("Thumbs.db", b"x")
    bench.glance()

    def told():
        return len(bench.daemon.lines("My Plate", "tiff", "match no pattern", "fit no pattern"))

    bench.put("My Plate A01 f1.tiff", bench.good(1))
    until(told, "frames whose names fit no pattern are not reported")
    for number in range(2, 6):
        bench.put(f"My Plate A01 f{number}.tiff", bench.good(number))
    until(lambda: told() >= 2, "frames whose names fit no pattern are reported only once")
    bench.put("My Plate_A01_f1.tiff", bench.good())
    bench.holds({"My Plate_A01_f1.tiff": "normal"})


def growing_movie(bench):
    """A movie gets a page more again and again, opened and closed each time."""
    bench.start()
    expected, judged = {}, {}
    for number in range(5):
        width, height, grey = bench.faulty if number == 1 else tuple(bench.normal)
        tiff.append(bench.path("01_A01_f1.tif"), width, height, grey[number * width:] + grey[:number * width])
        expected["01_A01_f1.tif", number] = "faulty" if number == 1 else "normal"
        bench.becomes(expected)
        bench.unchanged(judged)
        judged = bench.judged()
    bench.holds(expected)


def room_for_pages(bench, pages=3):
    """Micro-Manager: room for the whole stack is made first, and each page is linked to one that is not written yet."""
    bench.start("poll: {always: true, interval: 1s}")
    width, height, _ = bench.normal
    step = tiff.DIRECTORY + width * height
    file = os.open(bench.path("01_A01_f1.tif"), os.O_CREAT | os.O_WRONLY)
    os.ftruncate(file, tiff.HEADER + 3 * step + 400_000)
    os.pwrite(file, tiff.header(), 0)
    at, expected = tiff.HEADER, {}
    for number in range(pages):
        grey = (bench.faulty if number == 1 else bench.normal)[2]
        grey = grey[number * width:] + grey[:number * width]
        os.pwrite(file, tiff.page(width, height, grey, at, at + step), at)
        at += step
        bench.rests(3)
        expected["01_A01_f1.tif", number] = "faulty" if number == 1 else "normal"
    if pages == 3:
        os.pwrite(file, struct.pack("<I", 0), at - step + tiff.DIRECTORY - 4)
        os.ftruncate(file, at)
    os.close(file)
    if pages == 3:
        bench.holds(expected)
        return
    until(lambda: all(bench.outcomes().get(key) == verdict for key, verdict in expected.items()),
          lambda: f"the ledger says {bench.outcomes()} of pages that are there\n{bench.troubles()}")
    bench.rests(3)
    named = sum(bench.daemon.count("UNREADABLE").values())
    if named > 1:
        raise Failure(f"{named} UNREADABLE lines for the room that was made")
    bench.daemon.stop()


def room_and_broken_off(bench):
    """The same, but the recording breaks off after two pages: these are judged, the room behind them is named once at most."""
    room_for_pages(bench, pages=2)


def written_twice(bench):
    """One faulty frame among normal ones is written again with the same pixels: in place, and as another file."""
    bench.start()
    expected = {}
    for number in (1, 2, 3):
        bench.put(f"01_A01_f{number}.tiff", bench.good(number))
        expected[f"01_A01_f{number}.tiff"] = "normal"
        bench.becomes(expected)
    bench.put("01_A01_f4.tiff", bench.bad)
    expected["01_A01_f4.tiff"] = "faulty"
    bench.becomes(expected)
    before = bench.judged()
    bench.put("01_A01_f4.tiff", bench.bad)
    bench.glance()
    bench.put(".again", bench.bad)
    os.rename(bench.path(".again"), bench.path("01_A01_f4.tiff"))
    bench.glance()
    # Other bytes, the same pixels: a tool that adds its notes.
    bench.put("01_A01_f4.tiff", bench.bad + b"a note behind the pixels")
    bench.glance()
    bench.unchanged(before)
    bench.holds(expected)


def rewritten_in_place(bench):
    """A judged frame is acquired again in place, with the same size and the time put back before the close."""
    bench.start()

    def write(content):
        file = os.open(bench.path("01_A01_f1.tiff"), os.O_CREAT | os.O_WRONLY)
        os.pwrite(file, content, 0)
        os.utime(file, (PAST, PAST))
        os.close(file)

    write(bench.good())
    bench.becomes({"01_A01_f1.tiff": "normal"})
    write(bench.bad)
    bench.becomes({"01_A01_f1.tiff": "faulty"})
    bench.holds({"01_A01_f1.tiff": "faulty"})


def swapped(bench):
    """The names of two frames are swapped, and swapped back; at once, and with time to look between."""
    bench.start()
    bench.put("01_A01_f1.tiff", bench.good())
    bench.put("01_B01_f1.tiff", bench.bad)
    first = {"01_A01_f1.tiff": "normal", "01_B01_f1.tiff": "faulty"}
    bench.becomes(first)

    def swap():
        paths = [os.fsencode(bench.path(f"01_{well}_f1.tiff")) for well in ("A01", "B01")]
        if LIBC.renameat2(-100, paths[0], -100, paths[1], EXCHANGE):
            raise LeftOut("this file system cannot exchange names")

    swap()
    swap()
    bench.glance()
    bench.becomes(first)
    swap()
    bench.becomes({"01_A01_f1.tiff": "faulty", "01_B01_f1.tiff": "normal"})
    swap()
    bench.becomes(first)
    bench.daemon.check()
    told = bench.daemon.count("FAULT")
    if not (told["01", "A01", 1] == 1 and 1 <= told["01", "B01", 1] <= 2):
        raise Failure(f"FAULT lines {dict(told)} after names were swapped and swapped back")
    bench.holds(first, faults=told)


def renamed_folder(bench):
    """A folder is renamed after its frames were judged: they are the same frames."""
    bench.start()
    bench.put("day/01_A01_f1.tiff", bench.good())
    bench.put("day/01_B01_f1.tiff", bench.bad)
    bench.becomes({"day/01_A01_f1.tiff": "normal", "day/01_B01_f1.tiff": "faulty"})
    os.rename(bench.path("day"), bench.path("archived"))
    until(lambda: bench.daemon.run("audit", bench.daemon.out)[0] == 0,
          lambda: f"audit does not agree: {bench.daemon.run('audit', bench.daemon.out)[1]}")
    bench.holds(bench.outcomes(), faults={("01", "B01", 1): 1})
    if {os.path.basename(path): verdict for (path, _), verdict in bench.outcomes().items()} != {
            "01_A01_f1.tiff": "normal", "01_B01_f1.tiff": "faulty"}:
        raise Failure(f"the ledger says {bench.outcomes()} after the folder was renamed")


def hard_links(bench):
    """A frame has a second name in another well, and a third one in another folder."""
    bench.start()
    bench.put("01_A01_f1.tiff", bench.bad)
    bench.becomes({"01_A01_f1.tiff": "faulty"})
    os.link(bench.path("01_A01_f1.tiff"), bench.path("01_C01_f1.tiff"))
    os.mkdir(bench.path("copies"))
    os.link(bench.path("01_A01_f1.tiff"), bench.path("copies/02_A01_f1.tiff"))
    bench.holds({"01_A01_f1.tiff": "faulty", "01_C01_f1.tiff": "faulty", "copies/02_A01_f1.tiff": "faulty"})


def touched(bench):
    """`touch` of all files, also into the past; rights and owners changed."""
    bench.start()
    expected = {}
    for number in range(1, 5):
        bench.put(f"01_A01_f{number}.tiff", bench.bad if number == 3 else bench.good(number))
        expected[f"01_A01_f{number}.tiff"] = "faulty" if number == 3 else "normal"
    bench.becomes(expected)
    before = bench.judged()
    for stamp in (time.time(), PAST, 1.0):
        for name in expected:
            os.utime(bench.path(name), (stamp, stamp))
        bench.glance()
    for name in expected:
        os.chmod(bench.path(name), 0o640)
    bench.glance()
    bench.unchanged(before)
    bench.holds(expected)


def restored(bench):
    """Frames are deleted and restored from a backup: another inode, another time, also while no daemon runs."""
    bench.start()
    content = {"01_A01_f1.tiff": bench.good(), "01_B01_f1.tiff": bench.bad}
    expected = {"01_A01_f1.tiff": "normal", "01_B01_f1.tiff": "faulty"}
    for name in content:
        bench.put(name, content[name])
    bench.becomes(expected)
    before = bench.judged()

    def restore(stamp):
        for name in content:
            os.remove(bench.path(name))
        for name in reversed(content):
            bench.put(name, content[name], stamp)

    restore(PAST)
    bench.glance()
    bench.unchanged(before)
    bench.daemon.check()
    bench.daemon.stop()
    restore(time.time() + 600)
    bench.daemon.start()
    bench.glance()
    bench.unchanged(before)
    bench.holds(expected)


def turned_link(bench):
    """The watched folder is a link that is turned to the next day's folder."""
    for day in ("monday", "tuesday"):
        os.makedirs(f"{bench.folder}/{day}")
    os.symlink("monday", bench.inn)
    bench.start()
    bench.put("mon_A01_f1.tiff", bench.good())
    bench.becomes({"mon_A01_f1.tiff": "normal"})
    since = len(bench.daemon.said)
    os.symlink("tuesday", f"{bench.folder}/next")
    os.rename(f"{bench.folder}/next", bench.inn)
    bench.put("tue_A01_f1.tiff", bench.bad)
    until(lambda: bench.outcomes().get(("tue_A01_f1.tiff", 0)) == "faulty", "the folder that the link names now is not taken up")
    bench.takes_up(since)
    bench.put("tue_B01_f1.tiff", bench.good(1))
    bench.holds({"mon_A01_f1.tiff": "normal", "tue_A01_f1.tiff": "faulty", "tue_B01_f1.tiff": "normal"})


def folder_anew(bench):
    """The watched folder is deleted and made anew, and so is a folder below it; then it is missing at a start."""
    bench.start()
    expected = {}
    for number, folder in enumerate(("day", "day", "day"), 1):
        name = f"{folder}/0{number}_A01_f1.tiff"
        bench.put(name, bench.bad)
        expected[name] = "faulty"
        bench.becomes(expected)
        since = len(bench.daemon.said)
        shutil.rmtree(bench.path("day") if number == 1 else bench.inn)
        if number == 2:
            # Time to notice: it is away for a while.
            bench.takes_up(since)
    os.makedirs(bench.inn)
    bench.put("04_A01_f1.tiff", bench.good())
    expected["04_A01_f1.tiff"] = "normal"
    bench.holds(expected, gone=3)
    shutil.rmtree(bench.inn)
    bench.daemon.start(ready=False)
    until(lambda: bench.daemon.lines(bench.inn, since=bench.daemon.said.rindex("The model is loaded")),
          "a start without the watched folder does not say what it waits for")
    os.makedirs(bench.inn)
    bench.put("05_A01_f1.tiff", bench.good(1))
    until(lambda: ("05_A01_f1.tiff", 0) in bench.daemon.rows, "a folder that was missing at the start is not taken up")
    bench.daemon.check(gone=4)
    bench.daemon.stop()


def stuck_share(bench):
    """A share whose calls hang beside a good folder: that one goes on, a stop ends, a start starts, all is caught up."""
    if os.geteuid() or not shutil.which("bindfs") or not os.path.exists("/dev/fuse"):
        raise LeftOut("a share that hangs needs root, bindfs and /dev/fuse")
    real, share = f"{bench.folder}/real", f"{bench.folder}/share"
    os.mkdir(real)
    os.mkdir(share)
    server = subprocess.Popen(["bindfs", "-f", real, share], **QUIET)
    try:
        until(lambda: os.path.ismount(share), "bindfs does not mount")
        bench.start("stop_timeout: 5s\npoll: {interval: 1s}", watch=[bench.inn, share])

        def behind(name, content):
            with open(f"{real}/{name}", "wb") as file:
                file.write(content)

        behind("01_A01_f1.tiff", bench.good())
        bench.becomes({"01_A01_f1.tiff": "normal"})
        os.kill(server.pid, signal.SIGSTOP)
        behind("02_A01_f1.tiff", bench.bad)
        since = len(bench.daemon.said)
        bench.rests(3)  # several looks at the share: one of them hangs now
        bench.put("03_A01_f1.tiff", bench.bad)
        bench.becomes({"01_A01_f1.tiff": "normal", "03_A01_f1.tiff": "faulty"})
        until(lambda: bench.daemon.lines(share, since=since), "no line of the log names the folder that hangs")
        bench.daemon.stop(patience=30)
        bench.daemon.start(ready=False)
        bench.put("04_A01_f1.tiff", bench.good(1))
        until(lambda: ("04_A01_f1.tiff", 0) in bench.daemon.rows, "a start waits for the folder that hangs")
        os.kill(server.pid, signal.SIGCONT)
        bench.holds({"01_A01_f1.tiff": "normal", "02_A01_f1.tiff": "faulty", "03_A01_f1.tiff": "faulty",
                     "04_A01_f1.tiff": "normal"})
    finally:
        os.kill(server.pid, signal.SIGCONT)
        bench.daemon.kill()
        subprocess.run(["umount", "-l", share], **QUIET)
        server.terminate()
        server.wait()


def repaired(bench):
    """Files in quarantine are repaired: written anew, in place with size and time kept, replaced, and while no daemon runs."""
    bench.start("read: {attempts: 1}")
    wells = ("A01", "B01", "C01", "D01")
    names = [f"01_{well}_f1.tiff" for well in wells]
    broken = b"no TIFF at all" + bench.bad[14:]
    for name in names:
        bench.put(name, broken, PAST)
    bench.becomes({name: "quarantined" for name in names})
    bench.put(names[0], bench.bad)
    file = os.open(bench.path(names[1]), os.O_WRONLY)
    os.pwrite(file, bench.bad, 0)
    os.utime(file, (PAST, PAST))
    os.close(file)
    bench.put(".new", bench.bad, PAST)
    os.rename(bench.path(".new"), bench.path(names[2]))
    bench.becomes({name: "faulty" for name in names[:3]} | {names[3]: "quarantined"})
    bench.daemon.stop()
    bench.put(names[3], bench.bad)
    bench.daemon.start()
    bench.holds({name: "faulty" for name in names}, unreadable=4)


def three_files_of_a_frame(bench):
    """Three files say that they are the same frame (f2, f02, f002), and all of them are faulty; one after another, and at once."""
    bench.start()
    expected = {}
    for well in ("A01", "B01"):
        for name in (f"01_{well}_f2.tiff", f"01_{well}_f02.tiff", f"01_{well}_f002.tiff"):
            bench.put(name, bench.bad)
            expected[name] = "faulty"
            if well == "A01":
                bench.becomes(expected)
    bench.holds(expected, faults={("01", "A01", 2): 3, ("01", "B01", 2): 3})


RECIPES = [room_first, room_never_closed, copy_with_times, readable_later, leased, mounted_over, mounted_over_polled, mounted_below,
           refused_names, growing_movie, room_for_pages, room_and_broken_off, written_twice, rewritten_in_place, swapped,
           renamed_folder, hard_links, touched, restored, turned_link, folder_anew, stuck_share, repaired, three_files_of_a_frame]


def play(recipe, autoqc, model, work):
    bench = Bench(autoqc, model, f"{work}/{recipe.__name__}")
    os.mkdir(bench.folder)
    begun = time.monotonic()
    try:
        recipe(bench)
        result = "right"
    except LeftOut as reason:
        result = f"left out: {reason}"
    except Failure as reason:
        result = f"WRONG: {reason}"
    except Exception:
        result = f"WRONG: {traceback.format_exc()}"
    finally:
        bench.clear()
    print(f"{recipe.__name__}: {result} ({time.monotonic() - begun:.0f} s)", flush=True)
    return not result.startswith("WRONG")


def main():
    autoqc, model = (os.path.realpath(path) for path in sys.argv[1:3])
    named = set(sys.argv[3:])
    chosen = [recipe for recipe in RECIPES if not named or recipe.__name__ in named]
    if named - {recipe.__name__ for recipe in chosen}:
        sys.exit(f"no such recipe; there are {' '.join(recipe.__name__ for recipe in RECIPES)}")
    # A broken lease is told by a signal that would end this process.
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    work = os.path.realpath(tempfile.mkdtemp())
    try:
        os.chmod(work, 0o755)
        with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", "4"))) as threads:
            right = list(threads.map(lambda recipe: play(recipe, autoqc, model, work), chosen))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"{sum(right)} of {len(right)} recipes right")
    sys.exit(0 if all(right) else 1)


if __name__ == "__main__":
    main()
