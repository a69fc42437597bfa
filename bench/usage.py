"""What processes cost: CPU time and resident memory, from /proc."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")


def cpu_us(pid: int) -> int:
    """Return the CPU time of a process so far, user and system, in microseconds."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    fields = text.rpartition(")")[2].split()  # the name may hold anything, brackets too
    return (int(fields[11]) + int(fields[12])) * _TICK_US


def resident_kb(pid: int) -> int:
    """Return the resident memory of a process (VmRSS), in kilobytes."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


class Meter:
    """CPU time of some processes from now on."""

    def __init__(self, processes: Mapping[str, int]) -> None:
        self._processes = dict(processes)
        self._before = {name: cpu_us(pid) for name, pid in self._processes.items()}

    def spent(self) -> dict[str, int]:
        """Return the microseconds that each has used since."""
        return {name: cpu_us(pid) - self._before[name] for name, pid in self._processes.items()}
