"""The ONNX graph of a model in onnxruntime, beside `autoqc score --maps`: graph.py AUTOQC MODEL WORK FRAMES DATA"""

import subprocess
import sys
import time
from pathlib import Path

import numpy
import onnx
import onnxruntime
import tifffile

autoqc, model = sys.argv[1:3]
work, frames, data = map(Path, sys.argv[3:])
LIMIT = 1e-4


def session_of(path, **lengths):
    options = onnxruntime.SessionOptions()
    # Others compute at the same time: a thread that waits shall sleep.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    for axis, length in lengths.items():
        options.add_free_dimension_override_by_name(axis, length)
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def check(path):
    graph = onnx.load(path)
    onnx.checker.check_model(graph, full_check=True)
    sets = {entry.domain: entry.version for entry in graph.opset_import}
    assert graph.ir_version == 8 and sets == {"": 17}, (graph.ir_version, sets)
    axes = [[axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim] for value in graph.graph.input]
    assert axes[0] == ["frames", 1, "height", "width"], axes
    print(f"{path.name}: IR 8, operators of set 17, {len(graph.graph.node)} nodes, {path.stat().st_size} bytes; onnx.checker is content")
    return session_of(path)


def maps(of_model, images, folder):
    """What `autoqc score` makes of images, in float32."""
    folder.mkdir()
    for name, image in images.items():
        tifffile.imwrite(folder / f"{name}.tiff", image)
    subprocess.run(
        [autoqc, "score", "--model", of_model, "--precision", "f32", "--maps", folder / "maps", folder],
        check=True, capture_output=True,
    )  # fmt: skip
    return {name: tifffile.imread(folder / f"maps/{name}.map.tiff") for name in images}


def run(session, image):
    return session.run(["map", "reconstruction"], {"frame": image[None, None].astype("float32")})


def compare(session, of_model, images, folder):
    expected = maps(of_model, images, work / folder)
    worst = 0
    for name, image in images.items():
        found = run(session, image)[0][0, 0]
        assert found.shape == expected[name].shape, name
        # A frame of another grey scale than the model's has values far beyond 1.
        difference = numpy.abs(found - expected[name]).max() / max(1, expected[name].max())
        assert difference < LIMIT, (name, difference)
        worst = max(worst, difference)
    print(f"{folder}: {len(images)} images, the maps differ by {worst:.1e} at most")


session = check(work / "model.onnx")
real = [*sorted(frames.glob("*.tiff"))]
if data.is_dir():
    real += [*sorted(data.glob("complexeye/0*.tiff")), *sorted(data.glob("hsc_brightfield/*.tiff"))[::5]]
else:
    print(f"{data}: not there; frames of examples/ only")
images = {f"{number}_{path.stem}": tifffile.imread(path) for number, path in enumerate(real)}
compare(session, model, images, "real frames")

image = images[next(iter(images))]
# Smaller than a patch, the window and the median; sizes that the network takes and those beside; thin ones.
sizes = [(1, 1), (1, 40), (40, 1), (2, 3), (5, 7), (15, 17), (16, 16), (64, 64), (65, 127), (128, 129), (333, 250), (799, 1279)]
compare(session, model, {f"{h}_{w}": image[:h, :w] for h, w in sizes}, "sizes")
compare(session, model, {"uint16": image.astype("uint16") * 200, "shares": image.astype("float32") / 255}, "other grey scales")

pair = numpy.stack(list(images.values())[:2])[:, None].astype("float32")
together = session.run(["map"], {"frame": pair})[0]
alone = numpy.concatenate([run(session, frame[0])[0] for frame in pair])
assert numpy.abs(together - alone).max() < 1e-6
print("two frames at once: as each alone")

# Every branch of the graph that the shipped model has not: four phases, other residuals, noise from outside.
part = image[:300, :420]
tifffile.imwrite(work / "part.tiff", part)
for phases, residual, noise in ((4, "l2", "simplex"), (2, "dssim", "simplex"), (4, "l1", "gaussian")):
    name = f"{phases} phases, {residual}, {noise}"
    other = work / f"{phases}.safetensors"
    subprocess.run(
        [autoqc, "train", "--normal", work / "part.tiff", "--steps", "2", "--phases", str(phases), "--residual", residual, "--noise", noise]
        + ["--patch", "48", "--out", other],
        check=True, capture_output=True,
    )  # fmt: skip
    subprocess.run([autoqc, "export-model", other, "--onnx", other.with_suffix(".onnx")], check=True, capture_output=True)
    other_session = check(other.with_suffix(".onnx"))
    if noise == "simplex":
        compare(other_session, other, {"part": part}, name)
    else:
        assert [value.name for value in other_session.get_inputs()] == ["frame", "noise"]
        field = numpy.random.default_rng(1).standard_normal((1, 1, *part.shape), "float32")
        found = other_session.run(["map"], {"frame": part[None, None].astype("float32"), "noise": field})[0]
        assert found.shape == field.shape and numpy.isfinite(found).all()
        print(f"{name}: runs with noise from outside")
    other.unlink()

fixed = session_of(work / "model.onnx", frames=1, height=image.shape[0], width=image.shape[1])
for words, timed in (("any size", session), ("size fixed", fixed)):
    run(timed, image)
    begin = time.perf_counter()
    for _ in range(3):
        run(timed, image)
    print(f"{words}: {(time.perf_counter() - begin) / 3:.2f} s a frame of {image.shape[1]} x {image.shape[0]}")
