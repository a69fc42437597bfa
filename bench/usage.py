"""What processes cost: CPU time and resident memory, from /proc."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

_TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")


def cpu_us(pid: int) -> int:
    """Return the CPU time of a process so far, user and system, in microseconds."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:  # a database's connection may end meanwhile
        return 0
    fields = text.rpartition(")")[2].split()  # the name may hold anything, brackets too
    return (int(fields[11]) + int(fields[12])) * _TICK_US


def resident_kb(pid: int) -> int:
    """Return the resident memory of a process (VmRSS), in kilobytes."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return 0
    for line in lines:
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def children(pid: int) -> list[int]:
    """Return the ids of the processes that a process has started."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Meter:
    """CPU time of some parts from now on; a part is one process or several, by their ids."""

    def __init__(self, parts: Mapping[str, Sequence[int]]) -> None:
        self._parts = dict(parts)
        self._before = self._now()

    def spent(self) -> dict[str, int]:
        """Return the microseconds that each part has used since."""
        now = self._now()
        return {name: max(now[name] - self._before[name], 0) for name in self._parts}

    def resident_kb(self) -> dict[str, int]:
        """Return the resident memory of each part, in kilobytes."""
        return {name: sum(map(resident_kb, pids)) for name, pids in self._parts.items()}

    def _now(self) -> dict[str, int]:
        return {name: sum(map(cpu_us, pids)) for name, pids in self._parts.items()}
