#!/usr/bin/env python3
"""In how many wells a weak fault that stays is told, and how soon; and how many ONSET come without a fault.

weak.py AUTOQC MODEL [SEED ...]    plays a plate for each seed (default 12 13) and judges it with `autoqc watch --once`.

WELLS=N (60) wells get a fault from frame 15 on, of each class in turn; STRENGTHS="0.2 0.25 0.3", FRAMES=N (21). With CALM=1 no well
gets a fault, and frames lie INTERVAL seconds apart (400): wells that are flagged for what they are show within a few frames.
"""
import collections
import csv
import glob
import os
import re
import subprocess
import sys
import tempfile

AUTOQC, MODEL, SEEDS = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3:] or ["12", "13"]
CALM = os.environ.get("CALM") == "1"
WELLS, FRAMES, INTERVAL = (int(os.environ.get(*pair)) for pair in (("WELLS", 64 if CALM else 60), ("FRAMES", 8 if CALM else 21),
                                                                   ("INTERVAL", 400 if CALM else 8)))
STRENGTHS = [float(text) for text in os.environ.get("STRENGTHS", "0.2 0.25 0.3").split()]
KINDS = ["air-bubble", "artifact", "z-shift", "illumination", "contamination"]
ONSET, SOON = 15, 5


def simulate(work, seed, wells, frames, *more):
    subprocess.run([AUTOQC, "simulate", "plate", "--out", f"{work}/plate", "--truth", f"{work}/truth.csv", "--wells", str(wells), "--frames",
                    str(frames), "--seed", seed, "--interval", str(INTERVAL), "--speed", "1000000", *more], check=True, capture_output=True)


def canonical(well):
    """B1 for B01."""
    return f"{well[0]}{int(well[1:])}"


def play(seed):
    """The class of each well's fault, and well and frame of each ONSET."""
    with tempfile.TemporaryDirectory() as work:
        faults = {}
        with open(f"{work}/faults.yaml", "w") as script:
            script.write("faults: []\n")
        if not CALM:
            simulate(work, seed, WELLS, 1, "--width", "64", "--height", "64")
            names = [row["well"] for row in csv.DictReader(open(f"{work}/truth.csv"))]
            subprocess.run(["rm", "-r", f"{work}/plate", f"{work}/truth.csv"], check=True)
            with open(f"{work}/faults.yaml", "w") as script:
                script.write("faults:\n")
                for number, well in enumerate(names):
                    kind, strength = KINDS[number % 5], STRENGTHS[number // 5 % len(STRENGTHS)]
                    faults[canonical(well)] = kind
                    script.write(f"  - {{kind: {kind}, wells: [{well}], onset: {ONSET}, strength: {strength}}}\n")
        simulate(work, seed, WELLS, FRAMES, "--faults", f"{work}/faults.yaml")
        subprocess.run([AUTOQC, "watch", "--once", "--model", MODEL, "--out", f"{work}/out", f"{work}/plate"], check=True, capture_output=True)
        onsets = []
        for path in glob.glob(f"{work}/out/*/alarms/*.log"):
            for line in open(path):
                found = re.search(r"event=ONSET.* well=(\w+) frame=(\d+)", line)
                if found:
                    onsets.append((canonical(found[1]), int(found[2])))
        flagged = subprocess.run([AUTOQC, "export", f"{work}/out"], capture_output=True, text=True).stdout
        rows = list(csv.DictReader(flagged.splitlines()))
        return faults, set(onsets), rows


def main():
    print("| seed | " + ("frames | flagged | wells with an ONSET |" if CALM else f"told within {SOON} frames | " + " | ".join(KINDS) + " | before the fault |"))
    print("|---|" + "---|" * (3 if CALM else len(KINDS) + 2))
    for seed in SEEDS:
        faults, onsets, rows = play(seed)
        if CALM:
            flagged = sum(row["verdict"] == "faulty" for row in rows)
            print(f"| {seed} | {len(rows)} | {flagged} | {len({well for well, _ in onsets})} of {WELLS} |", flush=True)
            continue
        # ONSET after SOON frames with the fault at the latest.
        told = {well for well, frame in onsets if ONSET <= frame < ONSET + SOON}
        classes = collections.Counter(faults.values())
        cells = [f"{sum(faults[well] == kind for well in told)} of {classes[kind]}" for kind in KINDS]
        early = sum(frame < ONSET for _, frame in onsets)
        print(f"| {seed} | {len(told)} of {WELLS} | " + " | ".join(cells) + f" | {early} |", flush=True)


main()
