"""An output folder in napari: frames, masks as labels, and what was found in each frame as features.

Each run (each field, channel and plane of it) is one stack with the axes well, frame, y, x: a plate of 384 wells is three layers, not
1152. A frame's file is read when it is shown.
"""

import math
import warnings
from pathlib import Path

import numpy
import pandas

from .errors import AutoqcError
from .output import Output, row_value

FEATURES = ["well", "frame", "verdict", "severity", "threshold", "cause", "confidence", "suspect", "term", "area", "change", "reason"]


def get_reader(path):
    """`read` for a folder that has a ledger, None for anything else."""
    if isinstance(path, list):
        path = path[0] if len(path) == 1 else ""
    return read if path and (Path(path) / "ledger.sqlite").is_file() else None


def read(path):
    """Layers of all runs; those of the last run are visible. A run whose frames are all gone is left out with a warning."""
    path = path[0] if isinstance(path, list) else path
    output = Output(path)
    frames = output.frames()
    frames = frames[(frames["state"] != "skipped") & frames[["run", "well", "frame"]].notna().all(axis=1)]
    if frames.empty:
        raise AutoqcError(f"{path}: no frame was judged yet; open the folder again later")
    runs = []
    for run, rows in frames.groupby("run"):
        try:
            runs.append(_run_layers(output, rows))
        except AutoqcError as error:
            gone = AutoqcError(f"Run {run} is not shown, as no frame of it can be read: {error}")
            warnings.warn(str(gone), stacklevel=2)
    if not runs:
        raise gone
    for _, options, _ in (layer for layers in runs[:-1] for layer in layers):
        options["visible"] = False
    return [layer for layers in runs for layer in layers]


def _run_layers(output, rows):
    # A step of an axis is the same well and the same number in all stacks of the run, whatever is missing.
    wells = sorted(set(rows["well"]), key=lambda well: (len(well), well))
    steps = [{value: step for step, value in enumerate(values)} for values in (wells, sorted(set(rows["frame"])))]
    views = rows.groupby(["field", "channel", "plane"], dropna=False)
    return [layer for _, of_view in views for layer in _layers(output, of_view, steps)]


def _layers(output, rows, steps):
    grid = {(steps[0][row["well"]], steps[1][row["frame"]]): row for row in rows.to_dict("records")}
    grid = dict(sorted(grid.items()))
    masks = {place: row for place, row in grid.items() if row_value(row, "mask") is not None}
    sample = _sample(output, grid.values())
    size = len(steps[0]), len(steps[1]), *sample.shape
    first = rows.iloc[0]
    parts = [("field {}", "field"), ("{}", "channel"), ("plane {}", "plane")]
    name = " ".join([first["run"], *(words.format(first[part]) for words, part in parts if row_value(first, part) is not None)])
    axes = {"axis_labels": ("well", "frame", "y", "x")}
    limits = [float(value) for value in numpy.percentile(sample, [0.5, 99.5])]
    image = {"name": f"{name} frames", "contrast_limits": [limits[0], max(limits[1], limits[0] + 1e-6)], "colormap": "gray", **axes}
    labels = {"name": f"{name} masks", "opacity": 0.4, **axes}
    return [
        (Stack(grid, size, sample.dtype, output.frame), image, "image"),
        (Stack(masks, size, numpy.dtype("uint8"), output.mask), labels, "labels"),
        (numpy.array([(*place, 0, 0) for place in grid], float), {**_findings(name, list(grid.values())), **axes}, "points"),
    ]


def _sample(output, rows):
    # A normal frame, where there is one, for the range of grey values. Where a hundred are gone, all are.
    for row in sorted(rows, key=lambda row: row_value(row, "verdict") != "normal")[:100]:
        try:
            return output.frame(row)
        except AutoqcError as error:
            last = error
    raise last


def _findings(name, rows):
    features = pandas.DataFrame(rows)[FEATURES]
    for column in features.columns.drop(features.select_dtypes("float").columns):
        features[column] = features[column].astype(object).where(features[column].notna(), "")
    colours = ["red" if row_value(row, "verdict") == "faulty" else "lightgreen" for row in rows]
    return {
        "name": f"{name} findings",
        "features": features,
        "text": {"string": [_sentence(row) for row in rows], "color": colours, "anchor": "upper_left", "size": 12},
        "size": 1,
        "face_color": "transparent",
        "border_color": "transparent",
    }


def _sentence(row):
    begin = f"{row['well']} frame {row['frame']}: "
    if row_value(row, "severity") is None:
        return begin + "not judged" + (f", {row['reason']}" if row_value(row, "reason") else "")
    cause = f", {row_value(row, 'cause') or 'unknown cause'}" if row_value(row, "verdict") == "faulty" else ""
    return begin + f"severity {row['severity']:.2f} (limit {row['threshold']:.2f}){cause}"


class Stack:
    """Images by well and frame, W x F x H x W, each read when it is asked for; black where there is none."""

    ndim = 4

    def __init__(self, grid, shape, dtype, load):
        self.grid, self.shape, self.dtype, self.load = grid, shape, dtype, load

    @property
    def size(self):
        return math.prod(self.shape)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, key):
        key = key if isinstance(key, tuple) else (key,)
        if Ellipsis in key:
            place = key.index(Ellipsis)
            key = key[:place] + (slice(None),) * (self.ndim - len(key) + 1) + key[place + 1 :]
        key += (slice(None),) * (self.ndim - len(key))
        wells, frames = numpy.arange(self.shape[0])[key[0]], numpy.arange(self.shape[1])[key[1]]
        planes = [self._plane(well, frame)[key[2:]] for well in numpy.ravel(wells) for frame in numpy.ravel(frames)]
        inner = planes[0].shape if planes else numpy.empty(self.shape[2:], numpy.bool_)[key[2:]].shape
        return numpy.array(planes, self.dtype).reshape(wells.shape + frames.shape + inner)

    def __array__(self, dtype=None, copy=None):
        return self[...].astype(dtype or self.dtype)

    def _plane(self, well, frame):
        empty = numpy.zeros(self.shape[2:], self.dtype)
        row = self.grid.get((int(well), int(frame)))
        if row is None or row["state"] != "scored":
            return empty
        try:
            image = self.load(row)
        except AutoqcError as error:
            warnings.warn(str(error), stacklevel=2)
            return empty
        if image.shape != empty.shape:
            sizes = " instead of ".join(f"{width} x {height}" for height, width in (image.shape, empty.shape))
            warnings.warn(f"{row['file']}: has {sizes} pixels and is not shown", stacklevel=2)
            return empty
        return image.astype(self.dtype, copy=False)
