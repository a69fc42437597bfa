"""Run a play: an async test function, under one deadline, with plain asyncio."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

P = ParamSpec("P")

#: No play may take longer; a hung one fails here instead of stopping the whole run.
DEADLINE = 120


def play(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Turn an async test into a test: `@play` above `async def test_it_...(fixtures)`."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(_within_deadline(test(*args, **kwargs)))

    return run


async def _within_deadline(story: Coroutine[Any, Any, None]) -> None:
    async with asyncio.timeout(DEADLINE):
        await story
