#!/usr/bin/env python3
"""Calibrates on a few real frames of each microscope in AUTOQC_DATA, judges the others, and prints false alarms and hits.

real.py AUTOQC MODEL [WORD ...]    only sets whose name has one of the words; needs the Python package tifffile.

Each row is a calibration with default options on frames that are not judged. Frames are drawn with seed 5 (SEED=N). The sets:
those of real/frames.csv that have labels, the quarters of beads (a hair lies in one of them), the stem cells of hsc_brightfield, and the
same as acquired, without the part in shadow.
"""
import csv
import glob
import io
import math
import os
import random
import re
import subprocess
import sys
import tempfile

import tifffile

AUTOQC, MODEL, WORDS = sys.argv[1], sys.argv[2], sys.argv[3:]
DATA = os.path.abspath(os.environ.get("AUTOQC_DATA", os.path.join(os.path.dirname(__file__), "../../shared/data")))
SEED = int(os.environ.get("SEED", "5"))
# The faults of these sets are of a published class.
CLASSES = {"organoid_focus": "z-shift", "beads": "contamination"}


def number(path):
    return int(re.search(r"_f(\d+)", path).group(1))


def labelled(folder):
    """Normal and faulty frames of a folder of real/."""
    rows = [r for r in csv.DictReader(open(f"{DATA}/real/frames.csv")) if r["img_path"].startswith(folder + "/")]
    paths = lambda label: [f"{DATA}/real/{r['img_path']}" for r in rows if r["label"] == label]
    return paths("0"), paths("1")


def quarters(folder, work):
    """The quarters of each frame, as frames of four wells."""
    for path in glob.glob(f"{folder}/*.tif*"):
        image, name = tifffile.imread(path), os.path.basename(path)
        rows, columns = image.shape[0] // 2, image.shape[1] // 2
        for well, (row, column) in zip("ABCD", ((0, 0), (0, columns), (rows, 0), (rows, columns))):
            part = image[row:row + rows, column:column + columns]
            tifffile.imwrite(f"{work}/{name.replace('A01', well + '01')}", part)
    return sorted(glob.glob(work + "/*"), key=lambda path: (number(path), path))


def sets(work):
    """Name, frames to calibrate on, normal frames and faulty frames to judge."""
    draw = random.Random(SEED)
    for folder, counts in (("phase_migration", (6, 8, 12)), ("organoid_focus", (6, 6))):
        normal, faulty = labelled(folder)
        for turn, count in enumerate(counts):
            chosen = draw.sample(normal, len(normal))
            yield f"{folder} {count}", chosen[:count], chosen[count:], faulty
    normal, faulty = labelled("phase_migration")
    thin = [path for path in faulty if "P30" in path]
    chosen = draw.sample(normal, len(normal))
    spoilt = draw.sample(chosen[:12] + thin, 12 + len(thin))
    yield "phase_migration 12 and a wall", spoilt, chosen[12:], [path for path in faulty if path not in thin]
    os.makedirs(work + "/beads")
    beads = quarters(f"{DATA}/real/beads", work + "/beads")
    hair = [path for path in beads if "_B01_" in path]
    beads = [path for path in beads if path not in hair]
    yield "beads, first 30", beads[:30], beads[30:], hair
    times = [path for path in beads if number(path) % 30 == 0]
    yield "beads, every third", times, [path for path in beads if path not in times], hair
    cells = sorted(glob.glob(f"{DATA}/hsc_brightfield/*.tiff"))
    for count in (6, 10, 20):
        yield f"hsc_brightfield, first {count}", cells[:count], cells[count:], []
    os.makedirs(work + "/lit")
    for path in glob.glob(f"{DATA}/real/hsc_raw/*.tif*"):
        tifffile.imwrite(f"{work}/lit/{os.path.basename(path)}", tifffile.imread(path)[:, :832])
    lit = sorted(glob.glob(work + "/lit/*"), key=number)
    yield "hsc_raw, lit part, first 6", lit[:6], lit[6:], []


def interval(found, count):
    """Wilson's 95 % interval, in per cent."""
    if count == 0:
        return ""
    z, share = 1.96, found / count
    middle, size = share + z * z / (2 * count), z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    low, high = ((middle + sign * size) / (1 + z * z / count) * 100 for sign in (-1, 1))
    return f"{max(low, 0):.0f} to {min(high, 100):.0f} %"


def main():
    totals = [0] * 4
    print("| frames | calibrated on | false alarms | hits | named rightly | threshold | largest normal | left out |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as work:
        for name, calibrated, normal, faulty in sets(work):
            if WORDS and not any(word in name for word in WORDS):
                continue
            model = work + "/model.safetensors"
            run = subprocess.run(
                [AUTOQC, "calibrate", MODEL, "--out", model, "--normal", *calibrated], capture_output=True, text=True, check=True)
            left = run.stderr.count("left out: ")
            run = subprocess.run([AUTOQC, "score", "--model", model, *normal, *faulty], capture_output=True, text=True)
            rows = {row["file"]: row for row in csv.DictReader(io.StringIO(run.stdout))}
            flagged = lambda paths: sum(rows[path]["verdict"] == "faulty" for path in paths)
            counts = flagged(normal), len(normal), flagged(faulty), len(faulty)
            totals = [total + count for total, count in zip(totals, counts)]
            largest = max(float(rows[path]["severity"]) for path in normal)
            threshold = float(rows[normal[0]]["threshold"])
            cause = next((cause for folder, cause in CLASSES.items() if name.startswith(folder)), None)
            found = [rows[path]["cause"] for path in faulty if rows[path]["verdict"] == "faulty"]
            named = f"{found.count(cause)} of {len(found)}" if cause else "-"
            hits = f"{counts[2]} of {counts[3]}" if faulty else "-"
            print(f"| {name} | {len(calibrated)} | {counts[0]} of {counts[1]} | {hits} | {named} | {threshold:.1f} | {largest:.1f} | {left} |",
                  flush=True)
    print(f"| all | | {totals[0]} of {totals[1]} ({interval(totals[0], totals[1])}) "
          f"| {totals[2]} of {totals[3]} ({interval(totals[2], totals[3])}) | | | | |")


main()
