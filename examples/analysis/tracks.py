#!/usr/bin/env python3
"""Follows the cells of each well twice: in all frames, and in the usable frames that `autoqc export OUT --usable` names.

tracks.py OUT [WELL ...]    OUT is the output folder of `autoqc watch`; without names, all wells.

Prints a table: cells per frame and how much that varies, tracks that break off (per 1000 cells and frames), and the median speed of a cell in
pixels per frame, in all frames and in usable ones. Needs pandas, tifffile and trackpy (requirements.txt).
"""
import io
import os
import subprocess
import sys

import numpy
import pandas
import tifffile
import trackpy

# Diameter of a cell, and the farthest that it moves from one frame to the next, in pixels. Choose them for your objective.
AUTOQC = os.environ.get("AUTOQC", "autoqc")
CELL, STEP = 31, 20
# Frames that a track has at least.
SHORTEST = 5


def table(out, *what):
    """What `autoqc export` prints; names of runs and wells stay text."""
    text = subprocess.run([AUTOQC, "export", out, *what], check=True, capture_output=True, text=True).stdout
    return pandas.read_csv(io.StringIO(text), dtype={"run": str, "well": str, "channel": str})


def cells(frames):
    """Position of each cell in each frame: what differs from the well's background, dark or bright."""
    images = {row.frame: tifffile.imread(row.file, key=row.page).astype(numpy.float32) for row in frames.itertuples()}
    some = list(images.values())[:: max(1, len(images) // 25)]
    background = numpy.median(some, axis=0)
    found = []
    for number, image in images.items():
        level = numpy.median(image) / numpy.median(background)
        difference = numpy.abs(image - level * background)
        place = trackpy.locate(difference, CELL, minmass=CELL * CELL * 2, separation=CELL * 0.8)
        found.append(place.assign(frame=number))
    return pandas.concat(found, ignore_index=True)


def figures(places, stretches):
    """Cells per frame and their spread, tracks that break off, and median speed; each stretch of frames is followed for itself."""
    counts, steps, broken, seen = [], [], 0, 0
    for first, last, left_out in stretches:
        part = places[places.frame.between(first, last) & ~places.frame.isin(left_out)]
        counts += list(part.groupby("frame").size())
        if part.frame.nunique() < SHORTEST:
            continue
        linked = trackpy.filter_stubs(trackpy.link(part, STEP, memory=1), SHORTEST).reset_index(drop=True)
        seen += len(linked)
        for _, track in linked.groupby("particle"):
            track = track.sort_values("frame")
            broken += track.frame.max() < last - 1
            steps += list((numpy.hypot(track.x.diff(), track.y.diff()) / track.frame.diff()).dropna())
    if not steps:
        return "no track".rjust(31)
    return f"{numpy.mean(counts):6.1f} +- {numpy.std(counts):5.1f} {1000 * broken / seen:7.1f} {numpy.median(steps):8.2f}"


def main():
    out, chosen = sys.argv[1], sys.argv[2:]
    trackpy.quiet()
    frames, usable = table(out), table(out, "--usable")
    judged = frames[frames.state == "scored"]
    print("well  frames  usable | all frames: cells, broken, speed  | usable frames: cells, broken, speed")
    for (run, well), rows in judged.groupby(["run", "well"]):
        if chosen and well not in chosen:
            continue
        places = cells(rows)
        intervals = usable[(usable.run == run) & (usable.well == well)]
        bad = set(rows.frame[rows.verdict == "faulty"])
        everything = figures(places, [(rows.frame.min(), rows.frame.max(), set())])
        good = figures(places, [(row.first, row.last, bad) for row in intervals.itertuples()])
        print(f"{well:5} {len(rows):6} {intervals.frames.sum():7} |  {everything}  |  {good}", flush=True)


main()
