import csv
import io
import shutil
import signal
import subprocess
import time

import numpy
import pandas
import pytest
import tifffile
from conftest import MODEL, PROGRAM

import autoqc


def exported(results, *options):
    text = subprocess.run([PROGRAM, "export", results, *options], check=True, capture_output=True, text=True).stdout
    return list(csv.DictReader(io.StringIO(text)))


def check_table(table, rows):
    """The table has the program's rows, in its order, and all its columns."""
    assert len(table) == len(rows) > 0
    assert set(rows[0]) <= set(table.columns)
    for name in set(rows[0]) - {"terms", "suspect", "well_faulty", "completed", "judged"}:
        for value, text in zip(table[name], (row[name] for row in rows), strict=True):
            if text == "":
                assert pandas.isna(value), name
            elif isinstance(value, float):
                assert value == float(text), name
            else:
                assert str(value) == text, name


def test_tables_are_those_of_the_program(output, results):
    check_table(output.frames(), exported(results))
    check_table(output.frames(run="01", well="A02"), exported(results, "--run", "01", "--well", "A02"))
    check_table(output.usable(), exported(results, "--usable"))
    check_table(output.usable(shortest=2, bridge=0), exported(results, "--usable", "--shortest", "2", "--bridge", "0"))
    check_table(output.wells(without_suspects=True), exported(results, "--wells", "--without-suspects"))


def test_types(output):
    frames = output.frames()
    assert output.runs == ["01", "a b+c"]
    assert set(frames["run"]) == {"01", "a b+c"}
    assert frames["completed"].dt.tz is not None
    assert frames["suspect"].dtype == "boolean"
    assert frames.loc[frames["state"] == "scored", "terms"].map(len).min() > 0
    row = frames[frames["verdict"] == "faulty"].iloc[0]
    assert row["severity"] > row["threshold"]


def test_a_part_without_rows_has_all_columns(output):
    usable = output.usable(run="01", well="A02", shortest=100)
    assert usable.empty
    assert list(usable.columns) == list(output.usable().columns)


def test_frames_and_masks_are_those_of_the_files(output):
    frames = output.frames()
    scored = frames[frames["state"] == "scored"]
    assert (scored["mask"].notna()).sum() > 10
    for row in scored.itertuples():
        assert numpy.array_equal(output.frame(row), tifffile.imread(row.file))
        mask = output.mask(row)
        assert mask.dtype == bool
        assert mask.shape == (480, 640)
        assert mask.mean() == pytest.approx(row.area)
    # Each way to get a row.
    _, series = next(scored.iterrows())
    for row in (series, scored.iloc[0], scored.to_dict("records")[0]):
        assert output.frame(row).shape == output.mask(row).shape


def test_pages_of_stacks(output, tmp_path):
    stack = numpy.arange(3 * 4 * 5, dtype="uint16").reshape(3, 4, 5)
    tifffile.imwrite(tmp_path / "pages.tif", stack, photometric="minisblack")
    tifffile.imwrite(tmp_path / "imagej.tif", stack, imagej=True)
    tifffile.imwrite(tmp_path / "one-directory.tif", stack, imagej=True, truncate=True)
    tifffile.imwrite(tmp_path / "colour.tif", numpy.stack([stack] * 3, -1), photometric="rgb")
    for path in tmp_path.iterdir():
        for page in range(3):
            row = {"file": str(path), "page": page, "mask": None, "state": "scored"}
            assert numpy.array_equal(output.frame(row), stack[page]), path
            assert output.mask(row).shape == (4, 5)


def test_while_a_daemon_writes(plate, tmp_path):
    folder = tmp_path / "live"
    daemon = subprocess.Popen([PROGRAM, "watch", "--model", MODEL, "--out", folder, plate], stderr=subprocess.DEVNULL)
    try:
        counts = [0]
        end = time.monotonic() + 120
        while counts[-1] < 73 and time.monotonic() < end:
            try:
                frames = autoqc.Output(folder).frames()
            except autoqc.AutoqcError:
                # Not before the daemon has made the ledger.
                assert counts == [0]
                time.sleep(0.05)
                continue
            counts.append(len(frames))
            for row in frames[frames["mask"].notna()].tail(1).itertuples():
                assert autoqc.Output(folder).mask(row).any()
        assert counts[-1] == 73
        assert counts == sorted(counts)
    finally:
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(60) == 0


def test_errors_say_what_to_do(output, results, tmp_path, monkeypatch):
    def says(words, work):
        with pytest.raises(autoqc.AutoqcError, match=words):
            work()

    says("has no ledger; name the output folder", lambda: autoqc.Output(tmp_path))
    says("there is no run 1; the runs are 01", lambda: output.frames(run="1"))
    says("cannot be started .*; give the path", lambda: autoqc.Output(results, autoqc="/nowhere/autoqc").runs)
    frames = output.frames()
    unread = frames[frames["state"] == "quarantined"].iloc[0]
    says("was not judged and has no mask", lambda: output.mask(unread))
    faulty = frames[frames["mask"].notna()].iloc[0].to_dict()
    says("gone.tiff: is not there any more", lambda: output.frame(faulty | {"file": "/gone.tiff"}))
    says("gone.mask.tiff: is not there any more", lambda: output.mask(faulty | {"mask": "masks/gone.mask.tiff"}))
    says("has no folder of run 02", lambda: output.mask(faulty | {"run": "02"}))
    says("cannot be read", lambda: output.frame(faulty | {"page": 7}))
    (tmp_path / "text.tiff").write_text("no image")
    says("text.tiff: cannot be read", lambda: output.frame(faulty | {"file": tmp_path / "text.tiff"}))
    shutil.copyfile(results / "ledger.sqlite", tmp_path / "ledger.sqlite")
    with open(tmp_path / "ledger.sqlite", "r+b") as file:
        file.write(b"no database")
    says("ledger.sqlite", lambda: autoqc.Output(tmp_path).frames())
    monkeypatch.delenv("AUTOQC")
    monkeypatch.setenv("PATH", str(tmp_path))
    says("is not on PATH", lambda: autoqc.Output(results))
