import json

import numpy
import pytest
import safetensors.numpy
from conftest import MODEL

import autoqc


def write(path, header, body=b""):
    header = json.dumps(header).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + body)


def test_tensors_are_those_of_the_safetensors_package():
    tensors, metadata = autoqc.read_model(MODEL)
    expected = safetensors.numpy.load_file(MODEL)
    assert tensors.keys() == expected.keys()
    for name, values in expected.items():
        assert numpy.array_equal(tensors[name], values)
        assert tensors[name].dtype == values.dtype
    assert metadata["autoqc.format"].isdigit()
    assert "calibrations" in metadata["autoqc.model"]


def test_types_of_other_systems(tmp_path):
    values = {"half": numpy.array([0.5, -2], "float16"), "whole": numpy.array([[1], [2]], "int64"), "none": numpy.zeros((0, 3), "f4")}
    safetensors.numpy.save_file(values, tmp_path / "some.safetensors")
    tensors, metadata = autoqc.read_model(tmp_path / "some.safetensors")
    assert metadata == {}
    for name, expected in values.items():
        assert numpy.array_equal(tensors[name], expected)
        assert tensors[name].shape == expected.shape
    exact = numpy.array([1, -1.5, 3.0e38, 2.0**-120], "<f4")
    bits = (exact.view("<u4") >> 16).astype("<u2")
    write(tmp_path / "bf16", {"a": {"dtype": "BF16", "shape": [4], "data_offsets": [0, 8]}}, bits.tobytes())
    tensor = autoqc.read_model(tmp_path / "bf16")[0]["a"]
    assert tensor.dtype == "float32"
    assert numpy.allclose(tensor, exact, rtol=2**-7)
    assert list(tensor[:2]) == [1, -1.5]


def test_damaged_files_are_refused(tmp_path):
    def says(words, path):
        with pytest.raises(autoqc.AutoqcError, match=words):
            autoqc.read_model(path)

    path = tmp_path / "bad"
    says("cannot be read", path)
    content = MODEL.read_bytes()
    for length in (0, 7, 8, 1000):
        path.write_bytes(content[:length])
        says("is no safetensors file, or is cut", path)
    path.write_bytes(content[:-1])
    says("are not all there", path)
    path.write_bytes(content[:8] + b"x" + content[9:])
    says("its header is damaged", path)
    for entry in ({"dtype": "F8_E4M3", "shape": [1], "data_offsets": [0, 1]},):
        write(path, {"a": entry}, b"1")
        says("has the type F8_E4M3", path)
    for entry in (
        {"dtype": "F32", "shape": [1], "data_offsets": [-4, 0]},
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [-1], "data_offsets": [4, 0]},
    ):
        write(path, {"a": entry}, b"1234")
        says("are not all there", path)
    for header in ([], {"a": 1}, {"a": {"dtype": "F32", "shape": 1, "data_offsets": [0, 4]}}, {"__metadata__": 1}):
        write(path, header, b"1234")
        says("its header is damaged", path)
