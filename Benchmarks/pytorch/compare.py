"""Ratios of PyTorch's times to autoqc's: compare.py FOLDER, with autoqc-*.json and torch-*.json of the rounds.

A ratio is taken within a round: the speed of a shared machine changes from one round to the next, and a ratio of medians over
all rounds could take ours from a fast one and PyTorch's from a slow one.
"""

import glob
import json
import statistics
import sys


def medians(program):
    """By name and side the median of each round, with its unit."""
    figures = {}
    for path in sorted(glob.glob(f"{sys.argv[1]}/{program}-*.json")):
        with open(path) as file:
            for entry in json.load(file):
                key = entry["name"], entry.get("side")
                figures.setdefault(key, []).append((entry["median"], entry["unit"]))
    return figures


def main():
    ours, theirs = medians("autoqc"), medians("torch")
    print("| | PyTorch's side | autoqc | PyTorch | PyTorch / autoqc | by round |\n|---|---|---|---|---|---|")
    for (name, side), found in sorted(theirs.items(), key=lambda item: item[0][0]):
        own = ours.get((name, None), [])
        if len(own) != len(found):
            sys.exit(f"autoqc has {len(own)} figures of '{name}', PyTorch {len(found)} ({side})")
        rounds = [other / mine for (mine, _), (other, _) in zip(own, found)]
        mine, other = (statistics.median(value for value, _ in pairs) for pairs in (own, found))
        unit = found[0][1]
        by_round = ", ".join(f"{ratio:.2f}" for ratio in rounds)
        ratio = statistics.median(rounds)
        print(f"| {name} | {side} | {mine:.3f} {unit} | {other:.3f} {unit} | {ratio:.2f} | {by_round} |")


if __name__ == "__main__":
    main()
