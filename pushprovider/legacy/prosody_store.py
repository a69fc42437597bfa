"""The rows of Prosody's mod_unified_push, from wherever its storage put them. Only reads.

A row is a name (the token, or `_private`) and what is stored under it, or why that cannot be read.
"""

from __future__ import annotations

import csv
import itertools
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pushprovider.legacy import luatable

STORE = "unified_push"
COLUMNS = ("host", "user", "key", "type", "value")
_SQLITE_MAGIC = b"SQLite format 3\0"
_ESCAPED = re.compile(r"%([0-9a-f]{2})", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
#: Longer than any field that Prosody writes; csv's own bound is 128 kB.
_LONGEST_FIELD = 16_384


class Unreadable(Exception):
    """The source as a whole cannot be read. The text says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one token's row says; or `why` it cannot be read, and then it says nothing."""

    host: str
    name: str
    fields: Mapping[str, luatable.Value]
    why: str = ""


# --- internal storage: a file for each token ------------------------------------------------------


def files(folder: Path, host: str | None) -> Iterator[Row]:
    """Yield the rows of a data_path. Raises Unreadable."""
    try:
        hosts = sorted(
            entry.name
            for entry in os.scandir(folder)
            if entry.is_dir() and (folder / entry.name / STORE).is_dir()
        )
        found = False
        for name in hosts:
            decoded = _decoded(name)
            if decoded is not None and host in (None, decoded):
                found = True
                yield from _files_of(folder / name / STORE, decoded)
    except OSError as error:
        raise Unreadable(f"{folder} cannot be read: {error.strerror}") from None
    if not found:
        raise Unreadable(f"{folder} has no {STORE} folder of {host or 'any host'}.")


def _files_of(folder: Path, host: str) -> Iterator[Row]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.endswith(".dat"):  # such as the .dat~ of a write that was cut off
                continue
            name = _decoded(entry.name.removesuffix(".dat"))
            if name is None:
                yield Row(host, "?", {}, "its name is not one that Prosody writes")
            elif not entry.is_file(follow_symlinks=False):
                yield Row(host, name, {}, "not a plain file")
            else:
                yield _file(Path(entry.path), host, name)


def _file(path: Path, host: str, name: str) -> Row:
    try:
        with path.open("rb") as file:
            octets = file.read(luatable.LONGEST + 1)
        return Row(host, name, luatable.read(octets))
    except luatable.NotATable as wrong:
        return Row(host, name, {}, str(wrong))
    except OSError as error:
        return Row(host, name, {}, f"cannot be read: {error.strerror}")


def _decoded(name: str) -> str | None:
    """Undo the encoding of Prosody's file names; None if it is not one."""
    try:
        raw = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), name).encode("latin-1")
        return raw.decode("utf-8")
    except UnicodeError:
        return None


# --- mod_storage_sql: a row for each field --------------------------------------------------------

_SELECT = """
    SELECT "host", "user", "key", "type", "value" FROM prosody
    WHERE "store" = ? ORDER BY "host", "user"
"""


def sqlite(path: Path, host: str | None) -> Iterator[Row]:
    """Yield the rows of mod_storage_sql's SQLite file. Raises Unreadable."""
    try:
        with path.open("rb") as file:
            if file.read(len(_SQLITE_MAGIC)) != _SQLITE_MAGIC:
                raise Unreadable(f"{path} is not an SQLite file.")
        opened = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
    except (OSError, sqlite3.Error) as error:
        raise Unreadable(f"{path} cannot be opened: {_first_line(error)}") from None
    opened.text_factory = bytes  # so that one row in a foreign encoding does not end the reading
    try:
        [(state,)] = opened.execute("PRAGMA quick_check(1)").fetchall()
        if state != b"ok":
            raise Unreadable(f"{path} is damaged.")
        yield from _rows(opened.execute(_SELECT, [STORE]), host)
    except sqlite3.Error as error:
        raise Unreadable(f"{path} cannot be read: {_first_line(error)}") from None
    finally:
        opened.close()


def _first_line(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or "error"
    return (str(error).splitlines() or ["error"])[0][:200]


def table(path: Path, host: str | None) -> Iterator[Row]:
    """Yield the rows of a CSV export: host,user,key,type,value, with or without a line of names.

    With one, other columns may be there, too. Raises Unreadable before it yields anything.
    """
    try:
        # A line in a foreign encoding spoils itself only.
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            lines = [tuple(line) for line in _lines(path, csv.reader(file, strict=True))]
    except (OSError, csv.Error) as error:
        raise Unreadable(f"{path} cannot be read as CSV: {_first_line(error)}") from None
    lines.sort(key=lambda line: line[:2])
    yield from _rows(lines, host)


def _lines(path: Path, reader: Iterable[list[str]]) -> Iterator[list[str]]:
    """Yield COLUMNS of each line; an empty text for what a short line lacks."""
    lines = iter(reader)
    first = next(lines, [])
    names = [name.strip().lower() for name in first]
    if set(COLUMNS) <= set(names):
        places = [names.index(name) for name in COLUMNS]
        store = names.index("store") if "store" in names else None
    elif len(first) == len(COLUMNS) and "\0" not in "".join(first):  # as in UTF-16
        places, store = list(range(len(COLUMNS))), None
        lines = itertools.chain([first], lines)
    else:
        raise Unreadable(f"{path} is not a CSV file of {','.join(COLUMNS)}.")
    for line in lines:
        padded = line + [""] * (1 + max(*places, store or 0) - len(line))
        if line and (store is None or padded[store] == STORE):
            yield [padded[place] for place in places]


def _rows(lines: Iterable[tuple[object, ...]], host: str | None) -> Iterator[Row]:
    """Group fields, which come in order of host and user, into rows."""
    for (a, b), group in itertools.groupby(lines, key=lambda line: line[:2]):
        found_host, name = _text(a), _text(b)
        if host is not None and found_host != host:
            continue
        if found_host is None or name is None:
            yield Row("?", "?", {}, "host or user is not UTF-8 text")
            continue
        fields: dict[str, luatable.Value] = {}
        why = ""
        for _, _, key, kind, value in group:
            field, said = _text(key), _typed(_text(kind), _text(value))
            if field is None or said is None or field in fields:
                why = "a field that is half there, or twice"
                continue
            fields[field] = said
        yield Row(found_host, name, {} if why else fields, why)


def _typed(kind: str | None, value: str | None) -> luatable.Value | None:
    if value is None or kind not in ("string", "number"):
        return None
    if kind == "string":
        return value
    if _NUMBER.fullmatch(value) is None:
        return None
    return float(value) if set(value) & set(".eE") else int(value)


def _text(value: object) -> str | None:
    """Return text that is UTF-8 and not too long; SQLite may hold anything in any column."""
    try:
        octets = value.encode(errors="surrogateescape") if isinstance(value, str) else value
        if not isinstance(octets, bytes) or len(octets) > _LONGEST_FIELD:
            return None
        return octets.decode("utf-8")
    except UnicodeError:
        return None
