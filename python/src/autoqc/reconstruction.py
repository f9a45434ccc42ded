"""The network of a model, run by onnxruntime. Verdicts come from the program `autoqc`."""

import functools
import os
from typing import NamedTuple

import numpy

from .errors import AutoqcError


class Reconstruction(NamedTuple):
    """What a model makes of a frame, both H x W, float32."""

    frame: numpy.ndarray
    """The frame as it would be if it were normal, in its grey values."""
    map: numpy.ndarray
    """How unlike its reconstruction each pixel is: the score map."""


def reconstruct(path, frame, noise=None):
    """Runs the ONNX file that `autoqc export-model --onnx` wrote over a frame: H x W, grey values as the file has them.

    The file is loaded once for frames of one size. `noise` is H x W, for the models whose graph asks for it.
    """
    frame = numpy.asarray(frame)
    if frame.ndim != 2:
        raise AutoqcError(f"A frame has rows and columns, not the shape {frame.shape}; give one channel of one image")
    try:
        changed = os.stat(path).st_mtime_ns
    except OSError as error:
        raise AutoqcError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from None
    session = _session(os.fspath(path), changed, frame.shape)
    given = {"frame": frame, "noise": noise}
    inputs = {}
    for name in [value.name for value in session.get_inputs()]:
        if given.get(name) is None:
            raise AutoqcError(f"{path}: its graph asks for `{name}`; give it as reconstruct(path, frame, {name}=...)")
        inputs[name] = numpy.asarray(given[name], numpy.float32)[None, None]
    reconstruction, score_map = session.run(["reconstruction", "map"], inputs)
    return Reconstruction(reconstruction[0, 0], score_map[0, 0])


@functools.lru_cache(maxsize=2)
def _session(path, changed, shape):
    try:
        import onnxruntime
    except ImportError:
        raise AutoqcError("Running a model needs one more package: pip install onnxruntime") from None
    options = onnxruntime.SessionOptions()
    # With the size known, the noise of the graph is computed once, when the file is loaded.
    options.add_free_dimension_override_by_name("height", shape[0])
    options.add_free_dimension_override_by_name("width", shape[1])
    try:
        session = onnxruntime.InferenceSession(path, options, providers=onnxruntime.get_available_providers())
    except Exception as error:
        raise AutoqcError(f"{path}: is no ONNX file, or is damaged ({error}); export it again") from None
    if {value.name for value in session.get_outputs()} != {"reconstruction", "map"}:
        raise AutoqcError(f"{path}: is not of autoqc; give a file that `autoqc export-model --onnx` wrote")
    return session
