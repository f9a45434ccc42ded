"""Recipes of what happens to files: written in odd ways, changed, copied, named otherwise. See `recipes.py`."""

import ctypes
import fcntl
import os
import shutil
import struct
import time

import tiff
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


def repaired(bench):
    """Files in quarantine are repaired: written anew, in place with size and time kept, replaced, and while no daemon runs."""
    bench.start("read: {attempts: 1}")
    wells = ("A01", "B01", "C01", "D01")
    names = [f"01_{well}_f1.tiff" for well in wells]
    broken = b"no TIFF at all" + bench.bad[14:]
    for name in names:
        bench.put(name, broken, PAST)
    bench.becomes({name: "unreadable" for name in names})
    bench.put(names[0], bench.bad)
    file = os.open(bench.path(names[1]), os.O_WRONLY)
    os.pwrite(file, bench.bad, 0)
    os.utime(file, (PAST, PAST))
    os.close(file)
    bench.put(".new", bench.bad, PAST)
    os.rename(bench.path(".new"), bench.path(names[2]))
    bench.becomes({name: "faulty" for name in names[:3]} | {names[3]: "unreadable"})
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
