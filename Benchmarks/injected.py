#!/usr/bin/env python3
"""Faults put on real frames: which a model finds, under which cause, and how well its masks fit.

injected.py AUTOQC MODEL FRAMES...    makes 200 faulty frames and judges them and FRAMES; needs the Python package tifffile.

SEED=N (9001), FAULTY=N (200), and WIDTH and HEIGHT for parts of the frames. HALF=1 judges as `watch` does while frames
come too fast (`score --half`).
"""
import collections
import csv
import io
import os
import subprocess
import sys
import tempfile

import tifffile

AUTOQC, MODEL, FRAMES = sys.argv[1], sys.argv[2], [os.path.abspath(path) for path in sys.argv[3:]]
SEED, FAULTY = os.environ.get("SEED", "9001"), os.environ.get("FAULTY", "200")
HOW = ["--half"] if os.environ.get("HALF") == "1" else []
PART = [word for side in ("width", "height") if side.upper() in os.environ for word in (f"--{side}", os.environ[side.upper()])]


def score(paths, masks):
    run = subprocess.run([AUTOQC, "score", "--model", MODEL, "--masks", masks, *HOW, *paths], capture_output=True, text=True)
    return {row["file"]: row for row in csv.DictReader(io.StringIO(run.stdout))}


def dice(found, true):
    both = (found & true).sum()
    return 2 * both / max(found.sum() + true.sum(), 1)


def main():
    with tempfile.TemporaryDirectory() as work:
        subprocess.run(
            [AUTOQC, "simulate", "inject", "--out", work + "/set", "--train", *FRAMES, "--test", *FRAMES, "--copies", "0",
             "--normal", "4", "--faulty", FAULTY, "--folds", "2", "--changes", "none", "--seed", SEED, *PART],
            check=True, capture_output=True)
        listed = {}
        for name in ("val", "test"):
            for row in csv.DictReader(open(f"{work}/set/splits/test_{name}_fold0.csv")):
                if row["label"] == "1":
                    listed[f"{work}/set/{row['img_path']}"] = row
        rows = score(list(listed), work + "/masks")
        normal = score(FRAMES, work + "/normal")
        classes = collections.defaultdict(list)
        for path, row in listed.items():
            name = os.path.splitext(os.path.basename(path))[0]
            fit = None
            if rows[path]["verdict"] == "faulty":
                fit = dice(tifffile.imread(f"{work}/masks/{name}.mask.tiff") > 0, tifffile.imread(f"{work}/set/{row['seg_path']}") > 0)
            classes[row["fault"]].append((float(row["strength"]), fit, rows[path]["cause"] == row["fault"]))
        flagged = sum(row["verdict"] == "faulty" for row in normal.values())
        print(f"false alarms {flagged} of {len(normal)}; largest severity of a normal frame "
              f"{max(float(row['severity']) for row in normal.values()):.2f}")
        print("| class | found | of strength below 0.4 | of strength above 0.7 | named rightly | median Dice of those found |")
        print("|---|---|---|---|---|---|")
        classes["all"] = [item for items in list(classes.values()) for item in items]
        for name, items in sorted(classes.items(), key=lambda pair: (pair[0] == "all", pair[0])):
            def share(of):
                return f"{sum(item[1] is not None for item in of)} of {len(of)}"
            found = sorted(item[1] for item in items if item[1] is not None)
            right = sum(item[2] for item in items if item[1] is not None)
            print(f"| {name} | {share(items)} | {share([i for i in items if i[0] < 0.4])} | {share([i for i in items if i[0] > 0.7])} "
                  f"| {right} of {len(found)} | {found[len(found) // 2] if found else 0:.2f} |")


main()
