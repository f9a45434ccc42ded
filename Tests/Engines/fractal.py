"""The Fractal task, called as Fractal calls it, over a plate as OME-Zarr: fractal.py WORK AUTOQC MODEL"""

import csv
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import autoqc_fractal
import zarr

work, autoqc, model = Path(sys.argv[1]), *sys.argv[2:4]
package = Path(autoqc_fractal.__file__).parent
manifest = json.loads((package / "__FRACTAL_MANIFEST__.json").read_text())
script = package / manifest["task_list"][0]["executable_parallel"]


def check(is_true, what):
    if not is_true:
        sys.exit(f"FAILED: {what}")
    print("ok:", what)


def call(image, **parameters):
    arguments, result = work / "arguments.json", work / "result.json"
    result.unlink(missing_ok=True)
    arguments.write_text(json.dumps({"zarr_url": str(image), "model": model, "autoqc": autoqc, **parameters}))
    done = subprocess.run(
        [sys.executable, script, "--args-json", arguments, "--out-json", result], capture_output=True, text=True
    )
    return done, json.loads(result.read_text())["image_list_updates"][0] if result.exists() else None


faulty = defaultdict(list)
with open(work / "first.csv", newline="") as file:
    for row in csv.DictReader(file):
        faulty[row["well"]] += [int(row["frame"])] if row["verdict"] == "faulty" else []

images = [path.parent for path in (work / "first.zarr").glob("*/*/0/zarr.json")]
passed = 0
for image in sorted(images):
    well = f"{image.parent.parent.name}{int(image.parent.name):02}"
    done, update = call(image)
    if update is None:
        sys.exit(f"FAILED: {image}\n{done.stderr}")
    noted = zarr.open_group(image, mode="r").attrs["autoqc_task"]
    found = [frame["frame"] for frame in noted["faulty"]]
    if found != faulty[well] or update["types"] != {"qc_passed": not found} or update["zarr_url"] != str(image):
        sys.exit(f"FAILED: {well}: {update}, {noted}; autoqc flagged {faulty[well]}")
    passed += update["types"]["qc_passed"]
check(0 < passed < len(images) == len(faulty), f"{passed} of {len(images)} images pass, as their frames say")
worst = max(faulty, key=lambda well: len(faulty[well]))
image = work / "first.zarr" / worst[:-2] / str(int(worst[-2:])) / "0"
check(call(image, faulty_share=1)[1]["types"]["qc_passed"], "all pass where all may be faulty")
done, update = call(image, channel=7)
check(update is None and "there is no channel 7" in done.stderr, "a channel that is not there is named")
done, update = call(work / "first.zarr")
check(update is None and "is no image of OME-Zarr" in done.stderr, "a plate is no image")
attributes = zarr.open_group(image, mode="r").attrs.asdict()
for name, axes in (("no-axes", None), ("text", ["t", "y", "x"]), ("other", [{"name": name} for name in "tyq"]), ("few", [{"name": "y"}])):
    broken = zarr.open_group(work / f"{name}.zarr", mode="w")
    multiscale = {**attributes["ome"]["multiscales"][0], "axes": axes}
    broken.attrs["ome"] = {**attributes["ome"], "multiscales": [multiscale]}
    broken.create_array(multiscale["datasets"][0]["path"], shape=(1, 8, 8), dtype="uint16")
    done, update = call(work / f"{name}.zarr")
    check(update is None and f"{name}.zarr" in done.stderr.splitlines()[-1], f"axes that are wrong ({name}) are an error that names the image")
done, update = call(image, model="/nowhere.safetensors")
check(update is None and done.returncode != 0, "without a model there is no word on the image")
