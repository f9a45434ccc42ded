"""Output folders of `autoqc watch`."""

import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

import numpy
import pandas
import tifffile

from .errors import AutoqcError

TEXT, NUMBER, COUNT, FLAG = "string", "float64", "Int64", "boolean"
PLACE = {"run": TEXT, "well": TEXT, "field": COUNT, "channel": TEXT, "plane": COUNT}
# JSON leaves out what a row does not have; these columns are there all the same. Columns of a later autoqc follow behind them.
FRAMES = {
    "file": TEXT, "page": COUNT, **PLACE, "frame": COUNT, "state": TEXT, "reason": TEXT,
    "score_max": NUMBER, "score_mean": NUMBER, "score_patch": NUMBER, "score": NUMBER, "severity": NUMBER, "threshold": NUMBER,
    "term": TEXT, "terms": "object", "verdict": TEXT, "suspect": FLAG, "area": NUMBER,
    "bbox_x": COUNT, "bbox_y": COUNT, "bbox_width": COUNT, "bbox_height": COUNT, "cause": TEXT, "confidence": NUMBER, "mask": TEXT,
    "well_faulty": FLAG, "tier": TEXT, "precision": TEXT, "change": NUMBER, "arrival": NUMBER, "evidence": NUMBER, "model": TEXT,
    "completed": "datetime64[ns, UTC]", "judged": "datetime64[ns, UTC]",
}  # fmt: skip
USABLE = {**PLACE, "first": COUNT, "last": COUNT, "frames": COUNT, "seconds": NUMBER}
WELLS = {
    **PLACE, "frames": COUNT, "flagged": COUNT, "unreadable": COUNT, "missing": COUNT, "usable": COUNT, "intervals": COUNT,
    "longest": COUNT, "share": NUMBER, "cause": TEXT, "first_flagged": COUNT, "last_flagged": COUNT, "review": TEXT, "verdict": TEXT,
}  # fmt: skip


class Output:
    """An output folder of `autoqc watch`, also while a daemon writes it.

    `autoqc` is the program's path; without it, that in the environment variable AUTOQC, else the one on PATH. docs/exports.md explains
    the tables' columns. Names of runs and wells are text.
    """

    def __init__(self, path, autoqc=None):
        self.path = Path(path)
        if not (self.path / "ledger.sqlite").is_file():
            raise AutoqcError(f"{path}: has no ledger; name the output folder of `autoqc watch`")
        self._autoqc = autoqc or os.environ.get("AUTOQC") or shutil.which("autoqc")
        if not self._autoqc:
            raise AutoqcError("The program autoqc is not on PATH; install it, or set the environment variable AUTOQC to its path")

    @property
    def runs(self):
        """The names of all runs."""
        return list(dict.fromkeys(self.wells()["run"]))

    def frames(self, run=None, well=None):
        """A row for each frame; `terms` is a dict of what each term adds to the severity."""
        return self._table(FRAMES, run, well)

    def usable(self, run=None, well=None, shortest=None, bridge=None, without_suspects=False):
        """A row for each interval of usable frames, by the rules and options of `autoqc export --usable`."""
        return self._table(USABLE, run, well, "--usable", *_options(shortest, bridge, without_suspects))

    def wells(self, run=None, well=None, shortest=None, bridge=None, without_suspects=False):
        """A row for each well, by the rules and options of `autoqc export --wells`."""
        return self._table(WELLS, run, well, "--wells", *_options(shortest, bridge, without_suspects))

    def frame(self, row):
        """The grey values of a frame, H x W, in the type that the file has; `row` is a row of `frames()`."""
        path, page = row_value(row, "file"), int(row_value(row, "page"))
        with _reading(path), tifffile.TiffFile(path) as file:
            if page < len(file.pages):
                image = file.pages[page].asarray()
                # Grey that is saved as colour: autoqc reads it only where all samples are the same.
                return image if image.ndim == 2 else image[0] if file.pages[page].planarconfig == 2 else image[..., 0]
        with _reading(path):
            # Planes without directories of their own, as ImageJ writes large stacks.
            planes = tifffile.memmap(path, mode="r")
            return numpy.array(planes.reshape(-1, *planes.shape[-2:])[page])

    def mask(self, row):
        """Where a frame is faulty: H x W, bool. All false for a frame that is normal; an error for one that was not judged."""
        name = row_value(row, "mask")
        if name is None:
            if row_value(row, "state") != "scored":
                raise AutoqcError(f"{row_value(row, 'file')}: was not judged and has no mask; choose rows with state `scored`")
            return numpy.zeros(self._size(row), bool)
        path = self._folder(row_value(row, "run")) / name
        with _reading(path):
            return tifffile.imread(path) > 0

    def _size(self, row):
        """Height and width of a frame, by its file's directory; no pixel is read."""
        path, page = row_value(row, "file"), int(row_value(row, "page"))
        with _reading(path), tifffile.TiffFile(path) as file:
            # Planes without directories of their own have the size of the first page.
            of_frame = file.pages[page if page < len(file.pages) else 0]
            return of_frame.imagelength, of_frame.imagewidth

    def _folder(self, run):
        # Folders are named by runs; what a file's name cannot hold is written %XX.
        for folder in self.path.iterdir():
            if unquote(folder.name) == run:
                return folder
        raise AutoqcError(f"{self.path}: has no folder of run {run}; was it moved or removed?")

    def _table(self, columns, run, well, *options):
        chosen = [("--run", run), ("--well", well)]
        options = [*options, *(f"{name}={value}" for name, value in chosen if value is not None)]
        try:
            answer = subprocess.run(
                [self._autoqc, "export", "--jsonl", *options, "--", self.path],
                capture_output=True, encoding="utf-8", errors="surrogateescape",
            )  # fmt: skip
        except OSError as error:
            raise AutoqcError(f"{self._autoqc}: cannot be started ({error.strerror}); give the path of autoqc") from None
        if answer.returncode != 0:
            raise AutoqcError(answer.stderr.strip().removeprefix("Error: "))
        return _frame([json.loads(line) for line in answer.stdout.splitlines() if line], columns)


def _options(shortest, bridge, without_suspects):
    numbers = [("--shortest", shortest), ("--bridge", bridge)]
    return [f"{name}={value}" for name, value in numbers if value is not None] + ["--without-suspects"] * without_suspects


def _frame(rows, columns):
    later = {name: None for row in rows for name in row if name not in columns}
    table = pandas.DataFrame({name: [row.get(name) for row in rows] for name in [*columns, *later]})
    for name, kind in columns.items():
        table[name] = _column(table[name], kind)
    return table


def _column(values, kind):
    if kind == FLAG:
        # Some versions write 0 and 1.
        return values.map(lambda value: value if value is None else bool(value)).astype(kind)
    if kind.startswith("datetime"):
        return pandas.to_datetime(values, utc=True, format="ISO8601").astype(kind)
    return values.astype(kind)


def row_value(row, name):
    """A value of a row of `frames()`: from `iterrows`, `itertuples`, `iloc` or a dict; None where the row has none."""
    value = getattr(row, name) if isinstance(row, tuple) else row[name]
    return None if value is None or value is pandas.NA or value != value else value


@contextmanager
def _reading(path):
    """Turns what can go wrong with an image's file into a sentence."""
    try:
        yield
    except FileNotFoundError:
        raise AutoqcError(f"{path}: is not there any more; was it moved or removed?") from None
    except OSError as error:
        raise AutoqcError(f"{path}: cannot be read ({error.strerror or error}); check the file and its permissions") from None
    except (tifffile.TiffFileError, ValueError, IndexError) as error:
        if "imagecodecs" in str(error):
            raise AutoqcError(f"{path}: its compression needs one more package: pip install imagecodecs") from None
        raise AutoqcError(f"{path}: cannot be read ({error}); was the file changed?") from error
