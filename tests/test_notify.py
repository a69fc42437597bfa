"""What the processes tell systemd, heard on a socket as systemd's."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pushprovider import notify


@pytest.fixture
def ear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """systemd's end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def test_it_says_that_it_is_ready(ear: socket.socket) -> None:
    notify.ready()
    assert ear.recv(100) == b"READY=1"


def test_it_speaks_to_an_abstract_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"pushprovider-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        notify.stopping()
        assert listening.recv(100) == b"STOPPING=1"


def test_it_says_nothing_without_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify.ready()


def test_a_socket_that_is_gone_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/notify")
    notify.ready()


def test_it_is_heard_while_the_loop_turns(
    ear: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "20000")

    async def live() -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(notify.keep_alive(), 0.1)

    asyncio.run(live())
    ear.setblocking(False)
    beats = 0
    with contextlib.suppress(BlockingIOError):
        while ear.recv(100) == b"WATCHDOG=1":
            beats += 1
    assert beats >= 3


def test_it_does_not_beat_for_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert notify.watchdog_seconds() == 0
