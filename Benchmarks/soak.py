"""What a soak measured, held against its limits: soak.py OUT PEAK_KIB WATCH_STATUS CHECK_STATUS, limits in the environment."""

import csv
import json
import os
import sqlite3
import sys
from datetime import datetime


def limit(name):
    return float(os.environ[name])


def span(times):
    """Frames a second from the first to the last."""
    return (len(times) - 1) / (max(times) - min(times)) if len(times) > 1 and max(times) > min(times) else None


def written_rate(folder):
    with open(f"{folder}/truth.csv") as file:
        rows = list(csv.DictReader(file))
    return span([datetime.fromisoformat(row["closed"].replace("Z", "+00:00")).timestamp() for row in rows])


def judged_rate(folder):
    ledger = sqlite3.connect(f"file:{folder}/results/ledger.sqlite?mode=ro", uri=True)
    try:
        return span([time / 1e9 for (time,) in ledger.execute("SELECT judged_ns FROM frames WHERE state = 'scored'")])
    finally:
        ledger.close()


def slope(samples):
    """Least squares, in MiB an hour."""
    n = len(samples)
    if n < 3:
        return None
    mean_t, mean_m = (sum(sample[i] for sample in samples) / n for i in (0, 1))
    spread = sum((t - mean_t) ** 2 for t, _ in samples)
    return sum((t - mean_t) * (m - mean_m) for t, m in samples) / spread / 1024 * 3600


def main():
    folder, peak, watch_status, check_status = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    with open(f"{folder}/check.json") as file:
        check = json.load(file)
    with open(f"{folder}/memory.csv") as file:
        samples = [(float(r["time_s"]), float(r["rss_kib"]), int(r["files"])) for r in csv.DictReader(file)]
    warm = [sample for sample in samples if sample[0] >= limit("WARM_UP")]
    least = limit("RATE") * limit("SPEED") * limit("MIN_RATE_SHARE")
    latency = check["close_to_judged"] or {}
    files = warm[-1][2] - warm[0][2] if warm else None
    # name, figure, unit, smallest, largest
    figures = [
        ("written", written_rate(folder), "frames/s", least, None),
        ("judged", judged_rate(folder), "frames/s", least, None),
        ("latency p50", latency.get("p50"), "s", None, limit("MAX_P50")),
        ("latency p99", latency.get("p99"), "s", None, limit("MAX_P99")),
        ("latency largest", latency.get("maximum"), "s", None, limit("MAX_LATENCY")),
        ("memory slope", slope([(t, m) for t, m, _ in warm]), "MiB/h", None, limit("MAX_SLOPE")),
        ("memory peak", peak / 1024, "MiB", None, limit("MAX_PEAK")),
        ("more open files", files, "", None, limit("MAX_MORE_FILES")),
        ("missed frames", len(check["frames"]["missed"] or []), "", None, 0),
        ("doubled frames", len(check["frames"]["doubled"]), "", None, 0),
        ("exit status of watch", watch_status, "", None, 0),
        ("exit status of check", check_status, "", None, 0),
    ]
    failed = 0
    print(f"\n{len(samples)} samples of memory, {len(warm)} of them after {limit('WARM_UP'):.0f} s")
    for name, figure, unit, smallest, largest in figures:
        # A figure that could not be measured holds no limit.
        holds = figure is not None and (smallest is None or figure >= smallest) and (largest is None or figure <= largest)
        bound = f"at least {smallest:g}" if smallest is not None else f"at most {largest:g}"
        value = "not measured" if figure is None else f"{figure:.2f} {unit}".rstrip()
        print(f"{'ok    ' if holds else 'FAILED'} {name}: {value} ({bound})")
        failed += not holds
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
