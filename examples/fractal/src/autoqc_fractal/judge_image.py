"""Judges the frames of an OME-Zarr image: judge_image.py --args-json FILE --out-json FILE

autoqc reads TIFF. The planes of one channel, the middle one of a z-stack, are written as TIFF files into a temporary folder, one for each
time point, and `autoqc score` judges them. The image gets the type `qc_passed`, and attributes with what was found.
"""

import csv
import io
import subprocess
import tempfile

import tifffile
import zarr
from fractal_task_tools.task_wrapper import run_fractal_task
from pydantic import validate_call

# Some frames cannot be read or judged; they have rows all the same.
SOME_UNREADABLE = 65


def planes(group, channel):
    """The planes of each time point, at full size."""
    attributes = group.attrs.asdict()
    try:
        multiscale = attributes.get("ome", attributes)["multiscales"][0]
        array = group[multiscale["datasets"][0]["path"]]
        names = [axis["name"] for axis in multiscale["axes"]]
        sizes = dict(zip(names, array.shape, strict=True))
    except (KeyError, IndexError, TypeError, ValueError) as problem:
        raise ValueError(f"{group.store_path}: is no image of OME-Zarr 0.4 or later; check zarr_url") from problem
    if names[-2:] != ["y", "x"] or not set(names[:-2]) <= {"t", "c", "z"}:
        raise ValueError(f"{group.store_path}: has the axes {', '.join(names)}; they have to be t, c, z (each or none), y and x")
    if not 0 <= channel < sizes.get("c", 1):
        raise ValueError(f"{group.store_path}: has {sizes.get('c', 1)} channels, counted from 0; there is no channel {channel}")
    chosen = {"c": channel, "z": sizes.get("z", 1) // 2}
    for time in range(sizes.get("t", 1)):
        yield time, array[tuple(slice(None) if name in "yx" else {**chosen, "t": time}[name] for name in names)]


def rows(folder, model, autoqc):
    """The table of `autoqc score`, in order of time."""
    judged = subprocess.run([autoqc, "score", "--model", model, folder], stdout=subprocess.PIPE, text=True)
    if judged.returncode not in (0, SOME_UNREADABLE):
        raise RuntimeError(f"{autoqc} score exits with {judged.returncode}; its message is above")
    return sorted(csv.DictReader(io.StringIO(judged.stdout)), key=lambda row: int(row["frame"]))


@validate_call
def judge_image(*, zarr_url: str, model: str, channel: int = 0, faulty_share: float = 0.0, autoqc: str = "autoqc") -> dict:
    """Judge the frames of an image, and say whether it may be used.

    Args:
        zarr_url: The image.
        model: The model file of autoqc, on a path that every node sees.
        channel: The channel whose planes are judged, counted from 0.
        faulty_share: Largest share of faulty and unreadable frames of an image that passes, from 0 to 1.
        autoqc: The program.
    """
    group = zarr.open_group(zarr_url, mode="r+")
    with tempfile.TemporaryDirectory() as folder:
        for time, plane in planes(group, channel):
            tifffile.imwrite(f"{folder}/image_A1_f{time}.tiff", plane)
        table = rows(folder, model, autoqc)
    bad = [row for row in table if row["verdict"] != "normal"]
    passed = len(bad) <= faulty_share * len(table)
    group.attrs["autoqc_task"] = {
        "model": next((row["model"] for row in table if row["model"]), None),
        "channel": channel,
        "frames": len(table),
        "faulty": [
            {"frame": int(row["frame"]), "verdict": row["verdict"], "cause": row["cause"] or None} for row in bad
        ],
        "qc_passed": passed,
    }
    return {
        "image_list_updates": [
            {"zarr_url": zarr_url, "types": {"qc_passed": passed}, "attributes": {"qc_faulty_frames": len(bad)}}
        ]
    }


if __name__ == "__main__":
    run_fractal_task(task_function=judge_image)
