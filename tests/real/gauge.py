"""What a process holds: memory, file descriptors, processor time. From /proc."""

from __future__ import annotations

import os
from pathlib import Path

MIB = 1024 * 1024


def memory(pid: int) -> int:
    """Return the resident set in bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def peak(pid: int) -> int:
    """Return the largest resident set so far, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def children(pid: int) -> list[int]:
    """Return the ids of the processes that a process has started."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def descriptors(pid: int) -> int:
    """Return the number of open file descriptors."""
    return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208  # names, no paths


def cpu(pid: int) -> float:
    """Return the processor time used so far, in seconds."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    fields = text.rpartition(")")[2].split()  # the name may hold anything, brackets too
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
