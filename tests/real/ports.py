"""TCP ports on loopback that nobody else takes, not even another run of the tests beside this one.

They lie below the ports that the kernel gives to outgoing connections. A lock on one byte of a
file, one byte for each port, keeps other processes from choosing the same; it ends with ours.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import socket
import tempfile
from functools import cache
from pathlib import Path

LOOPBACK = "127.0.0.1"
_FIRST, _LAST = 12_000, 32_000
_taken: set[int] = set()


def free_port() -> int:
    """Return a port nobody listens on."""
    while True:
        port = random.randrange(_FIRST, _LAST)
        if port not in _taken and _claim(port) and _is_free(port):
            _taken.add(port)
            return port


def free_ports(count: int) -> list[int]:
    """Return so many different ports nobody listens on."""
    return [free_port() for _ in range(count)]


def answers(port: int) -> bool:
    """Return whether somebody accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def _claim(port: int) -> bool:
    with contextlib.suppress(OSError):
        fcntl.lockf(_locks(os.getpid()), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        return True
    return False


@cache
def _locks(_pid: int) -> int:
    path = Path(tempfile.gettempdir()) / f"pushprovider-test-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _is_free(port: int) -> bool:
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.bind((LOOPBACK, port))
        return True
    return False
