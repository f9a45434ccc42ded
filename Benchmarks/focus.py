#!/usr/bin/env python3
"""The table of focus.sh, and change.svg, the change of every well: focus.py FAULTS FRAMES RESULTS ONSET."""

import csv
import math
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
told = []  # event, well and frame of each SHIFT and each ONSET
for log in results.glob("*/alarms/[A-P][0-9]*.log"):
    for line in log.read_text().splitlines():
        fields = dict(re.findall(r'(\w+)=("[^"]*"|\S+)', line))
        if fields["event"] in ("ONSET", "SHIFT"):
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
    f"\nTold as SHIFT or ONSET: {'; '.join(told_of)}. Where nothing changed, "
    f"{false.count('SHIFT')} SHIFT and {false.count('ONSET')} ONSET."
)

# The picture: a line for each well, on a logarithmic scale from a change of 0.4 to one of 40.
WIDTH, HEIGHT, LEFT, TOP = 760, 360, 56, 40
last = max(row["frame"] for row in rows)


def place(frame, change):
    share = math.log(min(max(change, 0.4), 40) / 0.4) / math.log(100)
    return f"{LEFT + (WIDTH - LEFT - 130) * frame / last:.1f},{TOP + (HEIGHT - TOP - 48) * (1 - share):.1f}"


def text(x, y, words, more=""):
    return f'<text x="{x}" y="{y}" {more}>{words}</text>'


colours = dict(zip([None, *sorted(set(shifts.values()))], ["#999999", "#56b4e9", "#0072b2", "#e69f00", "#d55e00", "#cc79a7"]))
shapes = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', text(LEFT, 24, f"Change of {len(wells)} wells; the focus moves at frame {onset}", 'font-size="16" font-weight="bold"')]
for value in (0.5, 1, 2, 5, 10, 20, 40):
    (x, y), end = place(0, value).split(","), place(last, value).split(",")[0]
    dash = "" if value == LIMIT else 'stroke-dasharray="1 4"'
    shapes.append(f'<line x1="{x}" y1="{y}" x2="{end}" y2="{y}" stroke="#666666" {dash}/>')
    shapes.append(text(LEFT - 8, float(y) + 4, f"{value:g}", 'text-anchor="end"'))
for frame in range(0, last + 1, 10):
    shapes.append(text(place(frame, 1).split(",")[0], HEIGHT - 28, frame, 'text-anchor="middle"'))
shapes.append(text((LEFT + WIDTH - 130) / 2, HEIGHT - 8, "frame", 'text-anchor="middle"'))
for number, (shift, colour) in enumerate(colours.items()):
    names = [well for well in sorted(wells) if shifts.get(well) == shift]
    for name in names:
        points = " ".join(place(row["frame"], float(row["change"])) for row in sorted(rows, key=lambda row: row["frame"]) if row["well"] == name)
        shapes.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1" opacity="0.75"/>')
    if names:
        shapes.append(text(WIDTH - 118, TOP + 18 + 22 * number, "not moved" if shift is None else f"{shift:g} um", f'fill="{colour}" font-weight="bold"'))
pathlib.Path("change.svg").write_text(
    f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="DejaVu Sans, Arial, sans-serif" font-size="13">\n'
    + "\n".join(shapes)
    + "\n</svg>\n"
)
