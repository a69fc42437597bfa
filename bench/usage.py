"""What processes cost: CPU time and resident memory, from /proc."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.real import gauge


def cpu_us(pid: int) -> int:
    """Return the CPU time of a process so far, user and system, in microseconds."""
    try:
        return round(gauge.cpu(pid) * 1_000_000)
    except FileNotFoundError:  # a database's connection may end meanwhile
        return 0


def resident_kb(pid: int) -> int:
    """Return the resident memory of a process, in kilobytes."""
    try:
        return gauge.memory(pid) // 1024
    except FileNotFoundError:
        return 0


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
