"""Block by block and as a whole, a frame has no seams between blocks: blocks.py PACKAGE FRAME

Noise begins anew in each block, so a map of blocks differs from that of the whole frame. Where blocks meet, this difference must not jump more than
where patches meet inside a block.
"""

import sys

import numpy
import tifffile
from bioimageio.core import create_prediction_pipeline, load_description
from bioimageio.core.digest_spec import create_sample_for_model

package, path = sys.argv[1:]
model = load_description(f"{package}/rdf.yaml")
smallest, halo = model.inputs[0].axes[2].size.min, model.outputs[0].axes[2].halo
patch = smallest - 2 * halo
frame = tifffile.imread(path).astype("float32")[None, None]
sample = create_sample_for_model(model, inputs={"frame": frame})
pipeline = create_prediction_pipeline(model, weight_format="onnx")


def predicted(parameter):
    predict = pipeline.predict_sample_with_blocking if parameter else pipeline.predict_sample_without_blocking
    result = predict(sample, ns=parameter) if parameter else predict(sample)
    return {str(name): tensor.data.values[0, 0] for name, tensor in result.members.items()}


def jumps(difference, axis):
    """The mean jump of a difference between each two lines."""
    return numpy.abs(numpy.diff(difference, axis=axis)).mean(1 - axis)


whole = predicted(0)
side = 4 * patch
blocks = predicted(side - patch)
print(f"blocks of {side + 2 * halo} x {side + 2 * halo} with a halo of {halo}: {side} x {side} are kept")
for name in ("reconstruction", "map"):
    difference = blocks[name] - whole[name]
    assert difference.shape == frame.shape[2:] and numpy.isfinite(difference).all()
    print(f"{name}: differs by {numpy.abs(difference).mean():.2g} in the mean, of {numpy.abs(whole[name]).mean():.2g}")
    for axis, words in enumerate(("rows", "columns")):
        found = jumps(difference, axis)
        lines = numpy.arange(1, difference.shape[axis])
        seams = found[lines % side == 0].mean()
        patches = found[(lines % patch == 0) & (lines % side != 0)].mean()
        print(f"{name}, {words}: jumps by {seams:.2g} where blocks meet, by {patches:.2g} where patches meet")
        assert seams < 1.5 * patches, "a seam"
