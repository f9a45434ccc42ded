"""A plate that the program AUTOQC simulates and judges: two runs, eight wells, and a frame that cannot be read."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy
import pytest
import tifffile

import autoqc

ROOT = Path(__file__).parents[2]
PROGRAM = os.environ.get("AUTOQC", "")
MODEL = ROOT / "examples/models/complexeye.safetensors"

if not PROGRAM:
    pytest.exit("Set AUTOQC to the path of the program, or use `make test-python`", 2)


def make_plate(folder):
    subprocess.run(
        [PROGRAM, "simulate", "plate", "--out", folder, "--truth", folder.with_suffix(".csv"), "--run", "01", "--wells", "8"]
        + ["--frames", "8", "--width", "640", "--height", "480", "--speed", "1000", "--faults", ROOT / "examples/faults.yaml"],
        check=True, capture_output=True,
    )  # fmt: skip
    # A run whose folder cannot have its name.
    for path in folder.glob("01_A2_*.tiff"):
        shutil.copy(path, folder / path.name.replace("01_", "a b+c_"))
    colour = numpy.random.default_rng(1).integers(0, 255, (480, 640, 3), "uint8")
    tifffile.imwrite(folder / "01_B3_f8.tiff", colour, photometric="rgb", metadata=None)


@pytest.fixture(scope="session")
def plate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("microscope") / "plate"
    make_plate(folder)
    return folder


@pytest.fixture(scope="session")
def results(plate):
    folder = plate.parent / "results"
    subprocess.run([PROGRAM, "watch", "--once", "--model", MODEL, "--out", folder, plate], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def output(results):
    return autoqc.Output(results)
