"""A Fractal task that lets autoqc judge the frames of an OME-Zarr image."""
