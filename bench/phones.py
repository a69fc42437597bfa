"""All phones, in one process. They note every push when it comes (phone.py)."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from array import array
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from bench import wire
from bench.phone import Kind, Phone, Receipts

T = TypeVar("T")

#: Phones that log in or register at the same time.
_AT_ONCE = 20


class Home:
    """All phones, and what they are asked to do."""

    def __init__(self) -> None:
        self._receipts = Receipts()
        self._phones: list[Phone] = []

    async def do(self, question: dict[str, Any]) -> object:
        """Do what a line asks for and return its answer. `first` and `last` choose phones."""
        chosen = self._phones[question.get("first", 0) : question.get("last")]
        match question["do"]:
            case "log in":
                kind = Kind(**question["kind"])
                for user, password in question["users"]:
                    self._phones.append(Phone(kind, user, password, self._receipts))
                return len(await _each(self._phones, Phone.come))
            case "register":
                component = question["component"]
                return await _each(chosen, lambda phone: phone.register(component))
            case "come":
                return len(await _each(chosen, Phone.come))
            case "resume":
                return len(await _each(chosen, Phone.resume))
            case "leave":
                for phone in chosen:
                    phone.leave(sleep=question["sleep"])
                return len(chosen)
            case "wait":
                return await self._wait(question["pushes"], question["seconds"])
            case "collect":
                wire.write_records(Path(question["file"]), self._receipts.flat)
                self._receipts.flat = array("Q")
                self._receipts.numbers.clear()
                return True
        raise ValueError(question["do"])

    async def _wait(self, pushes: int, seconds: float) -> int:
        """Return how many different pushes came, as soon as it is `pushes` or time is up."""
        until = time.monotonic() + seconds
        # Not an event: setting it would cost every push.
        while len(self._receipts.numbers) < pushes and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        return len(self._receipts.numbers)


async def _each(phones: list[Phone], act: Callable[[Phone], Awaitable[T]]) -> list[T]:
    """Let all act, a few at a time; return what came of it, in their order."""
    done: list[T] = []
    for start in range(0, len(phones), _AT_ONCE):
        done += await asyncio.gather(*(act(phone) for phone in phones[start : start + _AT_ONCE]))
    return done


async def main() -> None:
    """Answer questions until there are no more."""
    home = Home()
    gc.disable()  # nothing here is cyclic
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await home.do(json.loads(line))), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
