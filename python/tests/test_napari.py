"""The reader in a real napari; a picture goes to PICTURES."""

import os
import shutil
import warnings
from pathlib import Path

import napari
import numpy
import pandas
import pytest
from qtpy.QtWidgets import QApplication

import autoqc
from autoqc.napari_reader import get_reader


@pytest.fixture
def viewer():
    viewer = napari.Viewer()
    viewer.window.resize(1300, 850)
    yield viewer
    viewer.close()


def shown(layer):
    return numpy.asarray(layer._slice.image.raw)


def test_frames_masks_and_findings(viewer, output, results, monkeypatch, tmp_path):
    loaded = []
    frame = autoqc.Output.frame
    monkeypatch.setattr(autoqc.Output, "frame", lambda self, row: loaded.append(1) or frame(self, row))
    viewer.open(str(results), plugin="autoqc")
    kinds = ("frames", "masks", "findings")
    assert [layer.name for layer in viewer.layers] == [f"{run} {kind}" for run in ("01", "a b+c") for kind in kinds]
    assert [layer.visible for layer in viewer.layers] == [False] * 3 + [True] * 3
    # One for the range of grey values, one that is shown: not the plate.
    assert len(loaded) <= 6
    image, labels, findings = list(viewer.layers)[:3]
    for layer, other in zip(list(viewer.layers)[:3], list(viewer.layers)[3:], strict=True):
        layer.visible, other.visible = True, False
    assert [type(layer).__name__ for layer in (image, labels, findings)] == ["Image", "Labels", "Points"]
    # Frame 8 of B03 cannot be read; the others have eight frames.
    assert image.data.shape == labels.data.shape == (8, 9, 480, 640)
    assert viewer.dims.axis_labels[:2] == ("well", "frame")

    frames = output.frames(run="01")
    wells = sorted(set(frames["well"]))
    for row in frames[frames["state"] == "scored"].sample(12, random_state=1).itertuples():
        viewer.dims.set_current_step((0, 1), (wells.index(row.well), row.frame))
        assert numpy.array_equal(shown(image), output.frame(row))
        assert numpy.array_equal(shown(labels), output.mask(row).astype("uint8"))
    for well in ("B03", "A01"):
        viewer.dims.set_current_step((0, 1), (wells.index(well), 8))
        assert not shown(image).any()

    features = findings.features
    assert len(features) == len(findings.data) == len(frames)
    row = frames[(frames["well"] == "A02") & (frames["frame"] == 4)].iloc[0]
    feature = features[(features["well"] == "A02") & (features["frame"] == 4)].iloc[0]
    assert feature["severity"] == row["severity"]
    assert feature["cause"] == row["cause"]
    text = findings.text.string.array[feature.name]
    assert text == f"A02 frame 4: severity {row['severity']:.2f} (limit {row['threshold']:.2f}), air-bubble"

    viewer.layers.selection.active = findings
    viewer.window.add_plugin_dock_widget("napari", "Features table widget")
    QApplication.processEvents()
    viewer.reset_view()
    viewer.dims.set_current_step((0, 1), (1, 4))
    QApplication.processEvents()
    pictures = Path(os.environ.get("PICTURES", tmp_path))
    picture = viewer.screenshot(str(pictures / "napari-output.png"), canvas_only=False)
    assert picture.std() > 10


def test_stack_is_indexed_as_an_array(output, results):
    stack = get_reader(str(results))(str(results))[0][0]
    whole = numpy.asarray(stack)
    assert whole.shape == stack.shape
    slices = [(slice(None), 2, slice(0, 480, 7)), (2, slice(1, 3)), (..., 3), (1, ..., 5), slice(2)]
    for key in (*slices, 0, (1, 4), (1, 2, 3, 4), ([0, 2], 1), (-1, -2)):
        assert numpy.array_equal(stack[key], whole[key]), key
    assert stack[0:0].shape == (0, 9, 480, 640)


def test_frames_that_are_gone_are_black(plate, results, tmp_path):
    gone = shutil.move(plate / "01_A1_f3.tiff", tmp_path)
    try:
        stack = get_reader([str(results)])([str(results)])[0][0]
        with pytest.warns(UserWarning, match="01_A1_f3.tiff: is not there any more"):
            assert not stack[0, 3].any()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert stack[0, 2].any()
    finally:
        shutil.move(gone, plate)


def test_channels_share_wells_and_numbers(results, monkeypatch):
    frames = autoqc.Output(results).frames(run="01")
    dark = frames[(frames["well"] > "A03") & (frames["frame"] > 2)]
    both = pandas.concat([frames.assign(channel="BF", plane=2), dark.assign(channel="DAPI", field=1)])
    monkeypatch.setattr(autoqc.Output, "frames", lambda self: both)
    layers = get_reader(str(results))(str(results))
    names = [options["name"] for _, options, _ in layers]
    assert names[::3] == ["01 field 1 DAPI frames", "01 BF plane 2 frames"]
    some, every = layers[0][0], layers[3][0]
    assert some.shape == every.shape
    assert numpy.array_equal(some[4, 3], every[4, 3])
    assert not some[4, 2].any()
    assert every[4, 2].any()


def test_runs_that_are_gone_are_left_out(results, monkeypatch):
    frames = autoqc.Output(results).frames()
    frames.loc[frames["run"] == "01", "file"] = "/gone.tiff"
    monkeypatch.setattr(autoqc.Output, "frames", lambda self: frames)
    with pytest.warns(UserWarning, match="Run 01 is not shown.*/gone.tiff: is not there any more"):
        assert len(get_reader(str(results))(str(results))) == 3
    frames["file"] = "/gone.tiff"
    with pytest.raises(autoqc.AutoqcError, match="Run a b.c is not shown"), pytest.warns(UserWarning):
        get_reader(str(results))(str(results))


def test_other_folders_are_left_to_others(plate, results):
    assert get_reader(str(plate)) is None
    assert get_reader([str(results), str(results)]) is None
    assert get_reader(str(results / "ledger.sqlite")) is None
