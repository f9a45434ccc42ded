"""Model files."""

import json
import math
import os

import numpy

from .errors import AutoqcError

HEADER_LIMIT = 16 << 20
TYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8", "I64": "<i8",
    "F16": "<f2", "BF16": "<u2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip


def read_model(path):
    """The tensors of a model file as numpy arrays by name, and its metadata.

    Metadata that is JSON, as `autoqc.model`, is parsed; the rest is text. Tensors have the file's shapes and types. bfloat16 becomes
    float32, which holds all its values. The file is in the safetensors format: 8 bytes, the header's length; the header, JSON; the
    tensors' bytes.
    """
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(HEADER_LIMIT, size - 8):
                raise AutoqcError(f"{path}: is no safetensors file, or is cut; name a model file of autoqc")
            header, body = file.read(length), file.read()
    except OSError as error:
        raise AutoqcError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from None
    try:
        entries = json.loads(header)
        metadata = {name: _parsed(text) for name, text in entries.pop("__metadata__", {}).items()}
        return {name: _tensor(path, name, entry, body) for name, entry in entries.items()}, metadata
    except (ValueError, KeyError, TypeError, AttributeError):
        raise AutoqcError(f"{path}: its header is damaged; copy the file again") from None


def _parsed(text):
    return json.loads(text) if text[:1] in ("{", "[") else text


def _tensor(path, name, entry, body):
    kind, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
    if kind not in TYPES:
        raise AutoqcError(f"{path}: tensor {name} has the type {kind}, which is not read; save it as F32")
    item = numpy.dtype(TYPES[kind])
    if not 0 <= begin <= end <= len(body) or end - begin != math.prod(shape) * item.itemsize:
        raise AutoqcError(f"{path}: the bytes of tensor {name} are not all there; copy the file again")
    values = numpy.frombuffer(body, item, math.prod(shape), begin).reshape(shape)
    return (values.astype("<u4") << 16).view("<f4") if kind == "BF16" else values.copy()
