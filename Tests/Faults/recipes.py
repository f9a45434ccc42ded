"""What happens to files and folders at people's benches: recipes.py AUTOQC MODEL [NAME...]

Each recipe plays to a daemon of its own what a program, a person or a network did to a watched folder, and waits for what is
right: one outcome for every frame, by the pixels that are there now; one FAULT line for each faulty file; no ONSET from what is no
news; `audit` and `sync` content; and the same, with nothing judged again, after a restart. Recipes that need root, FUSE or another
user are left out where these are missing. JOBS recipes run side by side (4).
"""

import concurrent.futures
import inspect
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback

import recipes_of_files
import recipes_of_folders
from bench import Bench
from daemon import Failure, LeftOut

RECIPES = [recipe for module in (recipes_of_files, recipes_of_folders) for recipe in vars(module).values()
           if inspect.isfunction(recipe) and recipe.__module__ == module.__name__]


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
    if result.startswith("WRONG") and bench.daemon:
        result += "\n  the daemon's last messages:\n  " + "\n  ".join(bench.daemon.said.splitlines()[-8:]) + "\n "
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
