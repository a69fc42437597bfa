"""Both processes are killed again and again while messages come in: what got a 201 arrives."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.waiting import eventually

ROUNDS = 3
#: How many messages are accepted between two kills.
BETWEEN = 60


@pytest.mark.on_both
@pytest.mark.servers("prosody", "ejabberd")
@play
async def test_every_accepted_message_arrives(
    new_provider: Callable[..., Provider], phone: Phone
) -> None:
    provider = new_provider(
        push_rate_per_endpoint="off", push_rate_per_account="off", max_stored_per_endpoint=100_000
    )
    accepted: set[bytes] = set()
    async with phone:
        endpoint = (await phone.register()).endpoint
        numbers = itertools.count()
        senders = [
            asyncio.create_task(keep_posting(provider, endpoint, numbers, accepted))
            for _ in range(4)
        ]
        for _ in range(ROUNDS):
            await eventually(grown(accepted), 20, "messages are accepted", provider.log_text)
            provider.kill_http()
            provider.kill_component()
            await asyncio.to_thread(provider.start_http)
            await asyncio.to_thread(provider.start_component)
        for sender in senders:
            sender.cancel()
        await asyncio.wait(senders)
        await eventually(
            lambda: accepted <= {push.payload for push in phone.received},
            60,
            "every accepted message arrives",
            provider.log_text,
        )
    assert len({push.id for push in phone.received}) <= len(accepted) + 4 * (ROUNDS + 1)


async def keep_posting(
    provider: Provider, endpoint: str, numbers: Iterator[int], accepted: set[bytes]
) -> None:
    """Post one message after the other; a broken connection means that it was not accepted."""
    for number in numbers:
        with contextlib.suppress(httpx.TransportError):
            answer = await provider.post(endpoint, b"%d" % number)
            if answer.status_code == 201:
                accepted.add(b"%d" % number)
        await asyncio.sleep(0.01)


def grown(accepted: set[bytes]) -> Callable[[], bool]:
    """Return a condition: so many more were accepted than now."""
    goal = len(accepted) + BETWEEN
    return lambda: len(accepted) >= goal
