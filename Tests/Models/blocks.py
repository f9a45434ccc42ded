"""Block by block, a package gives what it gives for the whole frame: blocks.py PACKAGE FRAME"""

import sys

import numpy
import tifffile
from bioimageio.core import create_prediction_pipeline, load_description
from bioimageio.core.digest_spec import create_sample_for_model

package, path = sys.argv[1:]
model = load_description(f"{package}/rdf.yaml")
sample = create_sample_for_model(model, inputs={"frame": tifffile.imread(path).astype("float32")[None, None]})
pipeline = create_prediction_pipeline(model, weight_format="onnx")
whole, blocks = pipeline.predict_sample_without_blocking(sample), pipeline.predict_sample_with_blocking(sample)
for name, tensor in whole.members.items():
    difference = numpy.abs(tensor.data.values - blocks.members[name].data.values).max()
    assert difference == 0, (name, difference)
    print(f"{name}: the same in blocks, {tensor.data.values.shape}")
