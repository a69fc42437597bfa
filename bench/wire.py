"""What load and phones agree on: the body of a push, and the records of what happened to it.

All times are time.monotonic_ns(): one clock for all processes of a machine.
"""

from __future__ import annotations

import base64
import random
import struct
from array import array
from pathlib import Path

#: The first 18 bytes of a body: number, time of sending. 18 bytes are 24 characters of base64.
_HEAD = struct.Struct(">QQxx")
_HEAD_CHARS = 24

BODY_BYTES = 1024
#: The rest of every body: any byte may come, as in an encrypted one.
_FILLER = random.Random(8030).randbytes(BODY_BYTES - _HEAD.size)
_FILLER_CHARS = base64.b64encode(_FILLER)

#: A record is four numbers. Load: number, sent, answered, status. Phones: number, sent, received,
#: 1 if the payload was right to the last byte.
FIELDS = 4

Record = tuple[int, int, int, int]


def body(number: int, sent: int) -> bytes:
    """Return the body of one push."""
    return _HEAD.pack(number, sent) + _FILLER


def read_payload(characters: bytes) -> tuple[int, int, bool]:
    """Return number, time of sending and whether the rest is right, of a body in base64."""
    number, sent = _HEAD.unpack(base64.b64decode(characters[:_HEAD_CHARS]))
    return number, sent, characters[_HEAD_CHARS:] == _FILLER_CHARS


def write_records(path: Path, flat: array[int]) -> None:
    """Keep records for the process that reckons."""
    path.write_bytes(flat.tobytes())


def read_records(path: Path) -> list[Record]:
    """Return the records of a file."""
    flat = array("Q")
    flat.frombytes(path.read_bytes())
    each = [iter(flat)] * FIELDS
    return list(zip(*each, strict=True))
