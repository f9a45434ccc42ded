"""Plays frames that were simulated before, again and again, at a pace: replay.py PLATE TRUTH OUT NEW_TRUTH RATE SECONDS

PLATE and TRUTH are those of `autoqc simulate plate`. Each round through them counts the frames of the wells on. Simulating a frame takes
about as long as judging one; copying one does not.
"""

import csv
import os
import re
import shutil
import sys
import time
from datetime import datetime, timezone

plate, truth, out, new_truth = sys.argv[1:5]
rate, seconds = map(float, sys.argv[5:7])

with open(truth) as file:
    rows = list(csv.DictReader(file))
frames = 1 + max(int(row["frame"]) for row in rows)
rows.sort(key=lambda row: int(row["frame"]))

with open(new_truth, "w") as file:
    table = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
    table.writeheader()
    start, late = time.monotonic(), 0.0
    for number in range(int(rate * seconds)):
        row = dict(rows[number % len(rows)])
        source = f"{plate}/{row['file']}"
        row["frame"] = int(row["frame"]) + number // len(rows) * frames
        row["file"] = re.sub(r"_f\d+", f"_f{row['frame']}", row["file"])
        wait = start + number / rate - time.monotonic()
        late = max(late, -wait)
        if wait > 0:
            time.sleep(wait)
        shutil.copyfile(source, f"{out}/{row['file']}")
        row["closed"] = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        table.writerow(row)
        # What was judged long ago makes room.
        old = number - int(rate * 120)
        if old >= 0:
            before = rows[old % len(rows)]
            index = int(before["frame"]) + old // len(rows) * frames
            os.remove(f"{out}/" + re.sub(r"_f\d+", f"_f{index}", before["file"]))
print(f"{int(rate * seconds)} frames, {rate:g} a second, {late:.1f} s late at most", file=sys.stderr)
