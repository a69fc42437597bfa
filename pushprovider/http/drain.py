"""An orderly end of the HTTP process: new posts get 503, those begun are committed and answered.

A sender that finds the port closed may mute the whole host for minutes; one that reads 503 with
Retry-After just comes back.

When systemd holds the port (`daphne --fd 3`) nobody needs to come back: new connections wait there
for the next process, and what comes in on open ones is still stored.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from pushprovider import notify
from pushprovider.http.intake import intake

log = logging.getLogger(__name__)

#: Seconds for which new posts are answered with 503 before the port closes.
LINGER = 1.0
#: Seconds for which those that had already connected are still answered after that.
TAIL = 0.3
#: Seconds after which the process ends whatever is still unfinished.
LONGEST = 8.0


class Drain:
    """Whether this process is ending, and how many push requests are in progress."""

    def __init__(self, *, keeps_port: bool = False) -> None:
        self.keeps_port = keeps_port  # it is open before and after this process
        self.has_begun = False
        self.in_progress = 0
        self._idle = asyncio.Event()

    @property
    def refuses(self) -> bool:
        """True if new posts must come back later."""
        return self.has_begun and not self.keeps_port

    def enter(self) -> None:
        """A request begins."""
        self.in_progress += 1
        self._idle.clear()

    def leave(self) -> None:
        """A request has been answered."""
        self.in_progress -= 1
        if not self.in_progress:
            self._idle.set()

    async def run(self, close_ports: Callable[[], None] = lambda: None) -> None:
        """Refuse new posts; return when those in progress are answered, or LONGEST is over."""
        self.has_begun = True
        notify.stopping()
        log.info("draining: new posts %s", "wait" if self.keeps_port else "get 503")
        if self.keeps_port:
            close_ports()
        await asyncio.sleep(LINGER)
        if not self.keeps_port:
            close_ports()
        await asyncio.sleep(TAIL)
        try:
            async with asyncio.timeout(LONGEST - LINGER - TAIL):
                await intake().drain()
                if self.in_progress:
                    await self._idle.wait()
        except TimeoutError:
            log.warning("ended with %d requests unanswered", self.in_progress)


def is_activated(arguments: Sequence[str]) -> bool:
    """True for a command line that takes an open socket from its parent."""
    return any(one == "--fd" or one.startswith("--fd=") for one in arguments)


drain = Drain(keeps_port=is_activated(sys.argv))


def drain_on_sigterm() -> None:
    """Let SIGTERM drain before it stops daphne's reactor."""
    from twisted.internet import reactor as installed
    from twisted.internet.tcp import Port

    reactor: Any = installed

    def close_ports() -> None:
        ports: list[Any] = [one for one in reactor.getReaders() if isinstance(one, Port)]
        for port in ports:
            if not drain.keeps_port:
                port.doRead()  # whoever has connected already is let in
            port.stopListening()

    async def drain_and_stop() -> None:
        try:
            await drain.run(close_ports)
        finally:
            reactor.stop()

    def begin() -> None:
        tasks.append(asyncio.ensure_future(drain_and_stop()))

    def on_sigterm(_number: int, _frame: FrameType | None = None) -> None:
        if drain.has_begun:
            return
        reactor.callFromThread(begin)

    tasks: list[asyncio.Future[None]] = []  # the loop itself keeps only a weak reference

    def begun() -> None:
        notify.ready()  # the ports are open
        tasks.append(asyncio.ensure_future(notify.keep_alive()))

    reactor.sigTerm = on_sigterm  # read when the reactor starts
    reactor.callWhenRunning(begun)
