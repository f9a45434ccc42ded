"""Results of autoqc for numpy and pandas.

`Output` reads an output folder of `autoqc watch`, `read_model` a model file, and `reconstruct` runs a model's network. Nothing is judged
here. Tables come from `autoqc export`.
"""

from .errors import AutoqcError
from .model import read_model
from .output import Output
from .reconstruction import Reconstruction, reconstruct

__all__ = ["AutoqcError", "Output", "Reconstruction", "read_model", "reconstruct"]
