"""Somebody listens on a port who is not what one takes them for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.real.ports import LOOPBACK


@contextmanager
def mute() -> Iterator[int]:
    """Listen, and never say a word."""
    with socket.create_server((LOOPBACK, 0)) as listening:
        yield int(listening.getsockname()[1])


@contextmanager
def hanging_up(last_words: str = "") -> Iterator[int]:
    """Listen, take what one client says, answer, and close the connection."""

    def serve() -> None:
        client, _ = listening.accept()
        with client:
            client.recv(4096)
            client.sendall(last_words.encode())

    with socket.create_server((LOOPBACK, 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        yield int(listening.getsockname()[1])
        thread.join(10)
