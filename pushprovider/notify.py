"""Words for systemd (sd_notify(3)): ready, alive, stopping. Without systemd they go nowhere."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket


def tell(words: str) -> None:
    """Send lines such as READY=1 to NOTIFY_SOCKET. Never blocks, never fails."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address[0] == "@":  # an abstract socket
        address = "\0" + address[1:]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaker:
        speaker.setblocking(False)
        speaker.sendto(words.encode(), address)


def ready() -> None:
    """The process can do its work."""
    tell("READY=1")


def stopping() -> None:
    """The process ends, in good order."""
    tell("STOPPING=1")


def watchdog_seconds() -> float:
    """Return how often systemd wants to hear of us; 0 if it does not."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    is_ours = os.environ.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
    return int(microseconds) / 1_000_000 if is_ours and microseconds.isdigit() else 0.0


async def keep_alive() -> None:
    """Tell systemd that the event loop still turns, twice as often as it asks. Until cancelled."""
    if not (every := watchdog_seconds()):
        return
    while True:
        tell("WATCHDOG=1")
        await asyncio.sleep(every / 2)
