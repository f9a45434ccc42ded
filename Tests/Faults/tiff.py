"""Grey TIFF files of 8 bits as instruments write them, from and to plain bytes: just what the faults need."""

import itertools
import os
import struct
import zlib

HEADER = 8  # bytes
ENTRIES = 9
DIRECTORY = 2 + 12 * ENTRIES + 4  # bytes


def pixels(path):
    """Width, height and the grey values of a Deflate or plain file of one page, row by row."""
    with open(path, "rb") as file:
        data = file.read()
    order = "<" if data[:2] == b"II" else ">"
    at, = struct.unpack_from(order + "I", data, 4)
    tags = {}
    for number in range(struct.unpack_from(order + "H", data, at)[0]):
        tag, kind, count = struct.unpack_from(order + "HHI", data, at + 2 + 12 * number)
        size = {3: "H", 4: "I"}.get(kind)
        if not size:
            continue
        place = at + 10 + 12 * number
        if count * struct.calcsize(size) > 4:
            place, = struct.unpack_from(order + "I", data, place)
        tags[tag] = struct.unpack_from(f"{order}{count}{size}", data, place)
    width, height = tags[256][0], tags[257][0]
    strips = (data[start:start + length] for start, length in zip(tags[273], tags[279]))
    grey = b"".join(strips if tags[259][0] == 1 else map(zlib.decompress, strips))
    if tags.get(317, (1,))[0] == 2:
        rows = (grey[row:row + width] for row in range(0, len(grey), width))
        grey = b"".join(bytes(itertools.accumulate(row, lambda left, step: (left + step) & 0xFF)) for row in rows)
    return width, height, grey


def directory(width, height, offset, link):
    """A page's directory; its pixels begin at `offset`, the next directory at `link`."""
    entries = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, offset), (277, 3, 1),
               (278, 4, height), (279, 4, width * height)]
    return (struct.pack("<H", ENTRIES)
            + b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries) + struct.pack("<I", link))


def header():
    return b"II*\0" + struct.pack("<I", HEADER)


def page(width, height, grey, at, link=0):
    """A page that begins at byte `at`: directory, then pixels."""
    return directory(width, height, at + DIRECTORY, link) + grey


def plain(width, height, grey):
    """A file of one page: directory first, pixels behind it, no compression."""
    return header() + page(width, height, grey, HEADER)


def append(path, width, height, grey):
    """One page more at the end of a file that `append` made; the link to it is set last, before the close."""
    step = DIRECTORY + width * height
    with open(path, "r+b" if os.path.exists(path) else "w+b") as file:
        at = file.seek(0, os.SEEK_END)
        if at == 0:
            file.write(header())
            at = HEADER
        file.write(page(width, height, grey, at))
        if at > HEADER:
            file.flush()
            file.seek(at - step + DIRECTORY - 4)
            file.write(struct.pack("<I", at))
