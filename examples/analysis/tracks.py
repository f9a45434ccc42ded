#!/usr/bin/env python3
"""Follows the cells of each well twice: in all frames, and in the usable frames that `autoqc export OUT --usable` names.

tracks.py OUT [WELL ...]    OUT is the output folder of `autoqc watch`; without names, all wells.

Prints a table: cells per frame, tracks per 100 frames, and the median speed of a cell in pixels per frame, in all frames and in usable ones.
A well where both agree lost nothing to its faults. Needs pandas, tifffile and trackpy (requirements.txt).
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
    """Cells per frame, tracks per 100 frames and median speed, over stretches of frames that are followed one by one."""
    steps, tracks, frames, seen = [], 0, 0, 0
    for first, last, left_out in stretches:
        part = places[places.frame.between(first, last) & ~places.frame.isin(left_out)]
        numbers = part.frame.nunique()
        frames, seen = frames + numbers, seen + len(part)
        if numbers < SHORTEST:
            continue
        linked = trackpy.filter_stubs(trackpy.link(part, STEP, memory=1), SHORTEST).reset_index(drop=True)
        tracks += linked.particle.nunique()
        for _, track in linked.groupby("particle"):
            track = track.sort_values("frame")
            moved = numpy.hypot(track.x.diff(), track.y.diff()) / track.frame.diff()
            steps += list(moved.dropna())
    return seen / max(frames, 1), 100 * tracks / max(frames, 1), numpy.median(steps) if steps else float("nan")


def main():
    out, chosen = sys.argv[1], sys.argv[2:]
    trackpy.quiet()
    frames, usable = table(out), table(out, "--usable")
    judged = frames[frames.state == "scored"]
    print("well  frames usable | cells: all usable | tracks: all usable | speed: all usable")
    for (run, well), rows in judged.groupby(["run", "well"]):
        if chosen and well not in chosen:
            continue
        places = cells(rows)
        intervals = usable[(usable.run == run) & (usable.well == well)]
        bad = set(rows.frame[rows.verdict == "faulty"])
        everything = figures(places, [(rows.frame.min(), rows.frame.max(), set())])
        good = figures(places, [(row.first, row.last, bad) for row in intervals.itertuples()])
        print(
            f"{well:5} {len(rows):6} {intervals.frames.sum():6} |       {everything[0]:5.1f} {good[0]:5.1f} "
            f"|       {everything[1]:6.1f} {good[1]:6.1f} |     {everything[2]:6.2f} {good[2]:6.2f}",
            flush=True,
        )


main()
