"""Recipes of what happens to watched folders: mounted over, turned, deleted, renamed, stuck. See `recipes.py`."""

import os
import shutil
import signal
import subprocess

from bench import QUIET
from daemon import Failure, LeftOut, until


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
    bench.holds({"mon_A01_f1.tiff": "normal", "tue_A01_f1.tiff": "faulty", "tue_B01_f1.tiff": "normal"}, gone=1)


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
