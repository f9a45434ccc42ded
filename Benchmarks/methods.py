#!/usr/bin/env python3
"""Tables in Markdown of what methods.sh found: methods.py FOLDER."""

import csv
import json
import pathlib
import statistics
import sys

folder = pathlib.Path(sys.argv[1])
FAULTS = ["air-bubble", "artifact", "contamination", "illumination", "z-shift"]
SCORES = {"max": "maximum", "mean": "mean", "patch": "patch"}
STEPS = [(0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1.01)]


def results(name):
    """The methods of a comparison, by name."""
    path = folder / "results" / name / "results.json"
    return {method["name"]: method for method in json.loads(path.read_text())["methods"]}


def figure(methods, name, level, score=None, fault=None):
    """The mean over the folds of one or several runs of a method; None where it is not defined."""
    found = [
        each.get("mean")
        for method in methods
        for each in method["figures"]
        if (each["key"]["level"], each["key"]["name"]) == (level, name)
        and each["key"].get("score") == score
        and each["key"].get("fault") == fault
    ]
    found = [value for value in found if value is not None]
    return statistics.mean(found) if found else None


def frames(method):
    """Every test frame once, by path."""
    return {frame["image"]: frame for fold in method["folds"] for frame in fold["test"]}.values()


def auc(normal, faulty):
    """The share of pairs in which the faulty frame has the higher score."""
    pairs = [(1 if f > n else 0.5 if f == n else 0) for f in faulty for n in normal]
    return statistics.mean(pairs) if pairs else None


def strengths(name):
    """Strength of the fault in each faulty test frame of a set, by its file's name."""
    found = {}
    for path in (folder / "sets" / name / "splits").glob("test_val_fold*.csv"):
        for row in csv.DictReader(path.open()):
            found[pathlib.Path(row["img_path"]).name] = float(row["strength"])
    return found


def cell(value, digits=3):
    return "-" if value is None else f"{value:.{digits}f}"


def table(header, rows):
    print("|", " | ".join(header), "|")
    print("|" + "---|" * len(header))
    for row in rows:
        print("|", " | ".join(row), "|")
    print()


def whole(title, names):
    """Figures of a set, or means over several of one kind."""
    runs = [results(name) for name in names]
    print(f"## {title}\n")
    header = ["method", "ACC max", "mean", "patch", "AUC max", "mean", "patch", "pixel AUPRC", "best Dice"]
    rows = []
    for method in runs[0]:
        of = [run[method] for run in runs]
        image = [figure(of, name, "image", score) for name in ("accuracy", "auc") for score in SCORES]
        pixel = [figure(of, name, "pixel") for name in ("auprc", "best-dice")]
        rows.append([method] + [cell(value) for value in image + pixel])
    table(header, rows)
    print("AUC by class of fault, patch score:\n")
    rows = [
        [method] + [cell(figure([run[method] for run in runs], "auc", "image", "patch", fault)) for fault in FAULTS]
        for method in runs[0]
    ]
    table(["method"] + FAULTS, rows)
    print("AUC by strength, patch score:\n")
    table(["method"] + ["below 0.25", "0.25 to 0.5", "0.5 to 0.75", "above 0.75"], by_strength(names, runs))


def by_strength(names, runs):
    known = [strengths(name) for name in names]
    rows = []
    for method in runs[0]:
        row = [method]
        for low, high in STEPS:
            areas = []
            for run, strength in zip(runs, known):
                each = list(frames(run[method]))
                normal = [frame["patch"] for frame in each if not frame["isFaulty"]]
                faulty = [
                    frame["patch"]
                    for frame in each
                    if frame["isFaulty"] and low <= strength[pathlib.Path(frame["image"]).name] < high
                ]
                areas.append(auc(normal, faulty))
            row.append(cell(statistics.mean(areas) if None not in areas else None))
        rows.append(row)
    return rows


def shifted(home):
    """Thresholds found on one kind of frames, normal frames of another."""
    print("## Thresholds of simulated frames, real normal frames\n")
    at_home = results(home)
    # A trained network is the same everywhere; what learns from the list of normal frames learnt from simulated ones.
    away = results("injected") | results("shift")
    rows = []
    for method, there in away.items():
        cells = []
        for score, key in SCORES.items():
            for run in (at_home[method], there):
                shares = []
                for fold in at_home[method]["folds"]:
                    limit = next(
                        each["value"]
                        for each in fold["figures"]
                        if each["key"]["name"] == "threshold" and each["key"].get("score") == score
                    )
                    normal = [frame[key] for frame in frames(run) if not frame["isFaulty"]]
                    shares.append(statistics.mean(value > limit for value in normal))
                cells.append(f"{100 * statistics.mean(shares):.0f} %")
        rows.append([method] + cells)
    table(["false alarms", "max: at home", "away", "mean: at home", "away", "patch: at home", "away"], rows)


def bubble():
    """The real air bubble against whole normal frames."""
    print("## The real air bubble\n")
    rows = []
    for name, method in results("bubble").items():
        row = [name]
        for key in SCORES.values():
            each = list(frames(method))
            normal = max(frame[key] for frame in each if not frame["isFaulty"])
            faulty = next(frame[key] for frame in each if frame["isFaulty"])
            row.append(f"{faulty:.3g} / {normal:.3g}")
        rows.append(row + [cell(figure([method], name, "pixel")) for name in ("auprc", "best-dice")])
    table(["bubble / highest of 4 normal frames", "max", "mean", "patch", "pixel AUPRC", "best Dice"], rows)


def costs(name):
    print("## Costs\n")
    with (folder / "training.csv").open() as lines:
        trained = {method: f"{float(wall):.0f} s, CPU {float(cpu):.0f} s" for method, wall, cpu in csv.reader(lines)}
    rows = []
    for method, found in results(name).items():
        rate = found.get("framesPerSecond")
        row = [method, found["summary"], str(found["passesPerFrame"]), trained.get(method, "-")]
        rows.append(row + ["-" if rate is None else f"{1000 / rate:.3g} ms"])
    table(["method", "what", "passes a frame", "trained in", "a frame takes"], rows)


simulated = sorted(path.parent.name for path in folder.glob("results/simulated*/results.json"))
whole(f"Simulated frames, mean of {len(simulated)} seeds", simulated)
whole("Real frames with simulated faults", ["injected"])
shifted(simulated[0])
bubble()
costs(simulated[0])
