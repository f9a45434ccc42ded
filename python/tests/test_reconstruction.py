import subprocess
import sys

import numpy
import pytest
import tifffile
from conftest import MODEL, PROGRAM, ROOT

import autoqc

FRAME = ROOT / "examples/frames/01_B1_f100.tiff"


@pytest.fixture(scope="module")
def onnx(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.onnx"
    subprocess.run([PROGRAM, "export-model", MODEL, "--onnx", path], check=True, capture_output=True)
    return path


def test_the_map_is_that_of_the_program(onnx, tmp_path):
    image = tifffile.imread(FRAME)[:300, :200]
    tifffile.imwrite(tmp_path / "part.tiff", image)
    subprocess.run(
        [PROGRAM, "score", "--model", MODEL, "--precision", "f32", "--maps", tmp_path, tmp_path / "part.tiff"],
        check=True, capture_output=True,
    )  # fmt: skip
    made = autoqc.reconstruct(onnx, image)
    assert made.map.dtype == numpy.float32
    assert numpy.abs(made.map - tifffile.imread(tmp_path / "part.map.tiff")).max() < 1e-4
    # In the frame's grey values, whatever their type.
    assert numpy.median(numpy.abs(made.frame - image)) < 5
    assert numpy.array_equal(autoqc.reconstruct(onnx, image.astype(float)).map, made.map)


def test_what_cannot_be_run_is_refused(onnx, tmp_path):
    image = numpy.zeros((20, 30))
    for path, frame, words in (
        (tmp_path / "none.onnx", image, "cannot be read"),
        (MODEL, image, "is no ONNX file, or is damaged"),
        (onnx, numpy.zeros((3, 20, 30)), "rows and columns"),
    ):
        with pytest.raises(autoqc.AutoqcError, match=words):
            autoqc.reconstruct(path, frame)


def test_the_package_does_without_onnxruntime(onnx, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(autoqc.AutoqcError, match="pip install onnxruntime"):
        autoqc.reconstruct(onnx, numpy.zeros((21, 31)))
