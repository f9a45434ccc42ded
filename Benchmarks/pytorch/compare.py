"""Ratios of PyTorch's times to autoqc's: compare.py FOLDER, with autoqc-*.json and torch-*.json of the rounds.

A ratio is taken within a round: the speed of a shared machine changes from one round to the next, and a ratio of medians over
all rounds could take ours from a fast one and PyTorch's from a slow one.
"""

import glob
import json
import statistics
import sys


def medians(program):
    figures = {}
    for path in sorted(glob.glob(f"{sys.argv[1]}/{program}-*.json")):
        with open(path) as file:
            for entry in json.load(file):
                figures.setdefault(entry["name"], []).append((entry["median"], entry["unit"]))
    return figures


def main():
    ours, theirs = medians("autoqc"), medians("torch")
    print("| | autoqc | PyTorch | PyTorch / autoqc | by round |\n|---|---|---|---|---|")
    for name, found in theirs.items():
        if name not in ours or len(ours[name]) != len(found):
            sys.exit(f"autoqc has {len(ours.get(name, []))} figures of '{name}', PyTorch {len(found)}")
        rounds = [other / own for (own, _), (other, _) in zip(ours[name], found)]
        own, other = (statistics.median(value for value, _ in pairs) for pairs in (ours[name], found))
        unit = found[0][1]
        by_round = ", ".join(f"{ratio:.2f}" for ratio in rounds)
        ratio = statistics.median(rounds)
        print(f"| {name} | {own:.3f} {unit} | {other:.3f} {unit} | {ratio:.2f} | {by_round} |")


if __name__ == "__main__":
    main()
