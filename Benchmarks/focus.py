#!/usr/bin/env python3
"""The table of focus.sh: focus.py FAULTS FRAMES RESULTS ONSET."""

import csv
import pathlib
import re
import sys

faults, frames, results, onset = *map(pathlib.Path, sys.argv[1:4]), int(sys.argv[4])
LIMIT = 5  # of a frame's change, `ChangeRule.limit`


def auc(normal, faulty):
    """The share of pairs in which the faulty frame has the higher figure (Mann and Whitney 1947)."""
    ranked = sorted([(value, 0) for value in normal] + [(value, 1) for value in faulty])
    ranks, place = 0.0, 0
    while place < len(ranked):
        end = place
        while end < len(ranked) and ranked[end][0] == ranked[place][0]:
            end += 1
        ranks += (place + 1 + end) / 2 * sum(is_faulty for _, is_faulty in ranked[place:end])
        place = end
    return (ranks - len(faulty) * (len(faulty) + 1) / 2) / (len(normal) * len(faulty))


def canonical(well):
    """B1 for B01."""
    return f"{well[0]}{int(well[1:])}"


def figures(selected):
    return [(float(row["change"]), float(row["severity"]), row["verdict"] == "faulty") for row in selected]


def count(selected):
    return [sum(change > LIMIT for change, _, _ in selected), sum(is_faulty for _, _, is_faulty in selected)]


shifts = {}  # by well, um
for names, shift in re.findall(r"wells: \[([^]]*)\].*shift: ([0-9.]+)", faults.read_text()):
    shifts |= {canonical(well.strip()): float(shift) for well in names.split(",")}
rows = [row | {"well": canonical(row["well"]), "frame": int(row["frame"])} for row in csv.DictReader(frames.open())]
rows = [row for row in rows if row["change"]]
told = []  # event, well and frame of each DRIFT at once and each ONSET
for log in results.glob("*/alarms/[A-P][0-9]*.log"):
    for line in log.read_text().splitlines():
        fields = dict(re.findall(r'(\w+)=("[^"]*"|\S+)', line))
        if fields["event"] == "ONSET" or fields["event"] == "DRIFT" and "changed at once" in fields["reason"]:
            told.append((fields["event"], canonical(fields["well"]), int(fields["frame"])))

calm = figures(row for row in rows if row["well"] not in shifts or row["frame"] < onset)
print("| shift | wells | frames | AUC of the change | AUC of the severity | change above its limit | faulty by themselves |")
print("|---|---|---|---|---|---|---|")
told_of = []
for shift in sorted(set(shifts.values())):
    wells = {well for well, um in shifts.items() if um == shift}
    shown = figures(row for row in rows if row["well"] in wells and row["frame"] >= onset)
    aucs = [f"{auc([each[k] for each in calm], [each[k] for each in shown]):.3f}" for k in (0, 1)]
    print("|", " | ".join(map(str, [f"{shift:g} um", len(wells), len(shown), *aucs, *count(shown)])), "|")
    after = {well: [frame for _, name, frame in told if name == well and frame >= onset] for well in wells}
    first = [min(frames) for frames in after.values() if frames]
    told_of.append(f"{shift:g} um: {len(first)} of {len(wells)} wells, at the latest after {max(first) - onset + 1 if first else '-'} frames")
wells = {row["well"] for row in rows}
print("|", " | ".join(map(str, ["none", len(wells), len(calm), "", "", *count(calm)])), "|")
false = [event for event, well, frame in told if well not in shifts or frame < onset]
print(
    f"\nTold as DRIFT or ONSET: {'; '.join(told_of)}. Where nothing changed, "
    f"{false.count('DRIFT')} DRIFT and {false.count('ONSET')} ONSET."
)
