"""Results of autoqc for numpy and pandas.

`Output` reads an output folder of `autoqc watch`, `read_model` a model file. Nothing is judged here. Tables come from `autoqc export`.
"""

from .errors import AutoqcError
from .model import read_model
from .output import Output

__all__ = ["AutoqcError", "Output", "read_model"]
