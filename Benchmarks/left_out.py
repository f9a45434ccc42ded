#!/usr/bin/env python3
"""How well faults of a kind are ranked that the classifier of tiles was never shown: AUC of single frames, by the kind left out.

left_out.py AUTOQC MODEL NORMAL... -- OTHERS...    fits to faults put on NORMAL, judges faults put on OTHERS, frames of the same kind.

SEED=N (9101); FITTED=N (200) and JUDGED=N (100) are the numbers of faulty frames.
"""
import csv
import glob
import io
import os
import subprocess
import sys
import tempfile

AUTOQC, MODEL, PATHS = sys.argv[1], sys.argv[2], sys.argv[3:]
NORMAL, OTHERS = PATHS[:PATHS.index("--")], PATHS[PATHS.index("--") + 1:]
SEED, FITTED, JUDGED = (int(os.environ.get(name, value)) for name, value in (("SEED", 9101), ("FITTED", 200), ("JUDGED", 100)))
KINDS = ["air-bubble", "artifact", "z-shift", "illumination", "contamination"]


def autoqc(*words):
    return subprocess.run([AUTOQC, *map(str, words)], check=True, capture_output=True, text=True)


def inject(folder, frames, count, seed):
    """Rows of as many normal as faulty frames."""
    autoqc("simulate", "inject", "--out", folder, "--train", *frames, "--test", *frames, "--changes", "slight", "--copies", 0,
           "--normal", count // 2, "--faulty", count, "--folds", 2, "--seed", seed)
    rows = []
    for path in sorted(glob.glob(f"{folder}/splits/test*_fold?.csv")):
        rows += [row for row in csv.DictReader(open(path)) if row not in rows]
    return rows


def absolute(row, folder):
    return {key: os.path.join(folder, value) if key in ("img_path", "seg_path") and value else value for key, value in row.items()}


def auc(normal, faulty):
    """The share of pairs in which the faulty frame has the higher severity (Mann and Whitney 1947)."""
    return sum((f > n) + (f == n) / 2 for n in normal for f in faulty) / (len(normal) * len(faulty))


with tempfile.TemporaryDirectory() as work:
    fitted = [absolute(row, f"{work}/fitted") for row in inject(f"{work}/fitted", NORMAL, FITTED, SEED)]
    judged = [absolute(row, f"{work}/judged") for row in inject(f"{work}/judged", OTHERS, JUDGED, SEED + 1)]
    print("| left out | " + " | ".join(KINDS) + " |\n|---|" + "---|" * len(KINDS))
    for left in ["nothing", *KINDS]:
        shown = [row for row in fitted if row["fault"] != left]
        with open(f"{work}/list.csv", "w", newline="") as file:
            table = csv.DictWriter(file, shown[0].keys())
            table.writeheader()
            table.writerows(shown)
        normal = [row["img_path"] for row in shown if row["label"] == "0"]
        autoqc("calibrate", MODEL, "--out", f"{work}/model", "--normal", *NORMAL, *normal, "--causes", f"{work}/list.csv", "--copies", 0)
        table = autoqc("score", "--model", f"{work}/model", *(row["img_path"] for row in judged)).stdout
        severity = {row["file"]: float(row["severity"]) for row in csv.DictReader(io.StringIO(table))}
        of = lambda kind: [severity[row["img_path"]] for row in judged if (row["fault"] if row["label"] == "1" else "") == kind]
        cells = [f"{auc(of(''), of(kind)):.3f}" for kind in KINDS]
        print(f"| {left} | " + " | ".join(f"**{cell}**" if kind == left else cell for kind, cell in zip(KINDS, cells)) + " |", flush=True)
