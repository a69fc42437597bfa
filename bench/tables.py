"""Tables of text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table, a line each; the first two columns to the left, the rest to the right."""
    every = [headings, *rows]
    widths = [max(len(row[column]) for row in every) for column in range(len(headings))]
    lines = []
    for row in every:
        cells = [
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def in_order(values: Iterable[T]) -> list[T]:
    """Return each value once, in order of first appearance."""
    return list(dict.fromkeys(values))
