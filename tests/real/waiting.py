"""Wait for something to become true, and say what was waited for when it does not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

#: How often a condition is looked at: short enough not to slow a play, long enough to cost nothing.
INTERVAL = 0.02
#: How much of a log goes into a failure.
TAIL_LINES = 40


def wait_until(
    condition: Callable[[], T | None],
    seconds: float,
    what: str,
    logs: Callable[[], str] | None = None,
) -> T:
    """Return the first true value of `condition`, or fail after `seconds` with `what` and logs."""
    deadline = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        if time.monotonic() > deadline:
            raise AssertionError(_complaint(what, seconds, logs))
        time.sleep(INTERVAL)


@overload
async def eventually(
    condition: Callable[[], Awaitable[T | None]],
    seconds: float,
    what: str,
    logs: Callable[[], str] | None = None,
) -> T: ...
@overload
async def eventually(
    condition: Callable[[], T | None],
    seconds: float,
    what: str,
    logs: Callable[[], str] | None = None,
) -> T: ...
async def eventually(
    condition: Callable[[], Any],
    seconds: float,
    what: str,
    logs: Callable[[], str] | None = None,
) -> Any:
    """As wait_until, for a play: phones go on meanwhile, and the condition may be awaited."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        value = await found if isinstance(found, Awaitable) else found
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(_complaint(what, seconds, logs))
        await asyncio.sleep(INTERVAL)


def tail(text: str, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log."""
    return "\n".join(text.splitlines()[-lines:])


def _complaint(what: str, seconds: float, logs: Callable[[], str] | None) -> str:
    """Return the text of a failed wait."""
    log = f"\n{tail(logs())}" if logs else ""
    return f"not within {seconds:g} s: {what}{log}"
