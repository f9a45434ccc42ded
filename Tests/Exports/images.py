"""Opens a plate as OME-Zarr and faulty frames as OME-TIFF: images.py WORK PICTURES

ome-zarr-models reads every group, and a warning is an error. ome-zarr-py reads the plate and a well. The arrays are compared with the
frames' files. napari shows a well and the plate, and the pictures go to PICTURES. ome-types validates the OME-XML of the files for OMERO.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy
import tifffile
import zarr

work, pictures = Path(sys.argv[1]), Path(sys.argv[2])
plate = work / "plate.zarr"


def check(is_true, what):
    if not is_true:
        sys.exit(f"FAILED: {what}")
    print("ok:", what)


def group(path):
    return zarr.open_group(path, mode="r")


def models():
    from ome_zarr_models import v05

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hcs = v05.HCS.from_zarr(group(plate))
        images = 0
        for well in hcs.ome_attributes.plate.wells:
            for image in v05.Well.from_zarr(group(plate / well.path)).ome_attributes.well.images:
                place = plate / well.path / image.path
                v05.Image.from_zarr(group(place))
                v05.ImageLabel.from_zarr(group(place / "labels/faults"))
                images += 1
    check(images == 8, f"ome-zarr-models: plate, wells, {images} images and labels, no warning")


def arrays():
    faulty = 0
    for document in sorted(plate.glob("*/*/0/zarr.json")):
        image = document.parent
        planes = json.loads(document.read_text())["attributes"]["autoqc"]["planes"]
        sizes = [zarr.open_array(image / str(level), mode="r") for level in range(3)]
        labels = zarr.open_array(image / "labels/faults/0", mode="r")
        for plane in planes:
            frame = tifffile.imread(work / "plate" / plane["file"], key=plane["page"])
            number = plane["plane"]
            if not numpy.array_equal(sizes[0][number], frame):
                sys.exit(f"FAILED: {image} plane {number} is not {plane['file']}")
            half = frame.reshape(240, 2, 320, 2).mean(axis=(1, 3))
            if numpy.abs(sizes[1][number] - half).max() > 0.5:
                sys.exit(f"FAILED: {image} plane {number} is not half of {plane['file']}")
            label = labels[number]
            mask = work / "out/sim/masks" / plane["file"].replace(".tiff", ".mask.tiff")
            expected = (tifffile.imread(mask) > 0) * (number + 1) if mask.exists() else 0 * label
            if not numpy.array_equal(label, expected):
                sys.exit(f"FAILED: {image} label {number} is not {mask}")
            faulty += mask.exists()
    check(faulty > 0, f"zarr-python: all planes are the frames of the files, {faulty} labels the masks")


def readers():
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    data = list(Reader(parse_url(plate))())[0].data
    check(data[0].shape == (12, 2 * 480, 4 * 640), f"ome-zarr-py: the plate is {data[0].shape}")
    nodes = list(Reader(parse_url(plate / "A/2/0"))())
    label = next(node for node in nodes if "properties" in node.metadata)
    causes = {value["cause"] for value in label.metadata["properties"].values()}
    check("air-bubble" in causes, f"ome-zarr-py: labels of A2 say {causes}")


def napari_pictures():
    import napari
    from qtpy.QtWidgets import QApplication

    for name, path in [("well", plate / "A/2/0"), ("plate", plate)]:
        viewer = napari.Viewer()
        viewer.window.resize(1200, 800)
        viewer.open(str(path), plugin="napari-ome-zarr")
        image, labels = viewer.layers[0], viewer.layers[-1]
        labels.visible = True
        viewer.dims.set_current_step(0, 4)
        viewer.reset_view()
        QApplication.processEvents()
        picture = viewer.screenshot(str(pictures / f"napari-{name}.png"), canvas_only=False)
        check(
            type(labels).__name__ == "Labels" and image.multiscale and image.scale[-1] == 0.645,
            f"napari: the {name} with labels, {len(image.data)} sizes, {image.scale[-1]} um a pixel; napari-{name}.png",
        )
        check(picture.std() > 10, f"napari: the picture of the {name} is not empty")
        viewer.close()


def omero_frames():
    import ome_types

    paths = sorted((work / "omero/frames").glob("*.ome.tiff"))
    for path in paths:
        xml = tifffile.TiffFile(path).ome_metadata
        ome_types.validate_xml(xml)
        ome = ome_types.from_xml(xml)
        regions = json.loads((work / "out/sim/masks" / path.name.replace(".ome.tiff", ".mask.geojson")).read_text())
        image = ome.images[0]
        words = {pair.k: pair.value for pair in ome.structured_annotations[0].value.ms}
        if (
            len(ome.rois) != len(regions["features"])
            or len(image.roi_refs) != len(ome.rois)
            or "QC cause" not in words
            or image.acquisition_date is None
        ):
            sys.exit(f"FAILED: {path} has not the regions and words of its frame")
    check(paths, f"ome-types: {len(paths)} OME-TIFF files for OMERO are valid, with regions and words")


models()
arrays()
readers()
omero_frames()
napari_pictures()
