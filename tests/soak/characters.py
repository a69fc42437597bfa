"""What the phones of the population do all day. Each is a loop that ends when it is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from tests.soak.phones import SoakPhone

Character = Callable[[SoakPhone], Coroutine[Any, Any, None]]


async def online(phone: SoakPhone) -> None:
    """Always there; come back at once after a failure, and renew now and then."""
    while True:
        if not phone.connected and await phone.come():
            await renew_some(phone)
        await pause(phone, 0.2, 1.0)


async def asleep(phone: SoakPhone) -> None:
    """Awake for moments; the network is lost in between, and the session resumed in time or not."""
    while True:
        await phone.come(resume=True)
        await pause(phone, 0.5, 4)
        await phone.go(phone.random.choice(["cut", "cut", "reset"]))
        await pause(phone, 1, 14)


async def flapping(phone: SoakPhone) -> None:
    """Come and go all the time, in every way."""
    while True:
        if await phone.come(resume=phone.random.random() < 0.5):
            await renew_some(phone)
        await pause(phone, 0.05, 2)
        await phone.go(phone.random.choice(["logout", "cut", "reset"]))
        await pause(phone, 0.05, 2)


async def away(phone: SoakPhone) -> None:
    """Logged out most of the time."""
    while True:
        await phone.come()
        await pause(phone, 1, 4)
        await phone.go("logout")
        await pause(phone, 5, 15)


async def silent(phone: SoakPhone) -> None:
    """Whole sessions without an answer, then one with."""
    while True:
        phone.mood = phone.random.choice(["silent", "silent", "result"])
        await phone.come()
        await pause(phone, 4, 12)
        await phone.go(phone.random.choice(["logout", "cut"]))


async def moody(phone: SoakPhone) -> None:
    """Answer with a result, with an error, or not at all."""
    phone.mood = "moody"
    while True:
        await phone.come()
        await pause(phone, 3, 8)
        await phone.go("cut")


async def late(phone: SoakPhone) -> None:
    """Think for seconds before each answer; the session may have ended meanwhile."""
    while True:
        phone.answer_after = phone.random.choice([0.2, 1, 4, 7])
        if await phone.come(resume=True):
            await renew_some(phone)
        await pause(phone, 2, 9)
        if phone.random.random() < 0.4:
            await phone.go("cut")


async def revoking(phone: SoakPhone) -> None:
    """Remove an application, install another, register it."""
    while True:
        await phone.come()
        await pause(phone, 2, 6)
        phone.remove_app(phone.random.choice(phone.apps))
        await phone.add_app()


async def renew_some(phone: SoakPhone) -> None:
    """Register again what is registered, as Conversations does after some binds."""
    if phone.random.random() < 0.4:
        await phone.renew(phone.random.choice(phone.apps))


async def pause(phone: SoakPhone, least: float, most: float) -> None:
    """Let time pass."""
    await asyncio.sleep(phone.random.uniform(least, most))


#: Who lives here: character, account, whether the session can be resumed. An account that occurs
#: twice has two devices.
POPULATION: tuple[tuple[Character, str, bool], ...] = (
    (online, "anna", True),
    (online, "anna", False),
    (online, "bert", True),
    (online, "carl", False),
    (asleep, "bert", True),
    (asleep, "dora", True),
    (asleep, "emil", True),
    (flapping, "dora", True),
    (flapping, "fritz", False),
    (away, "gerd", False),
    (away, "gerd", True),
    (silent, "hans", True),
    (silent, "hans", False),
    (moody, "ida", True),
    (late, "jana", True),
    (late, "karl", False),
    (revoking, "karl", True),
    (revoking, "lena", False),
)
