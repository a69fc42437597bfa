"""SIGTERM: both processes finish what they began and end with 0 within ten seconds."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator

import httpx
import pytest

from tests.real.ejabberd import Ejabberd
from tests.real.phone import Phone
from tests.real.play import play
from tests.real.prosody import Prosody
from tests.real.provider import Provider
from tests.real.steps import NewPhone, arrivals, nothing_but_a_marker, post_all, received_twice

pytest_plugins = ["tests.real.steady"]
pytestmark = pytest.mark.servers("prosody", "ejabberd")


SECONDS = 10


@play
async def test_daphne_answers_503_while_it_drains(provider: Provider, phone: Phone) -> None:
    answers: dict[bytes, httpx.Response] = {}
    async with phone:
        endpoint = (await phone.register()).endpoint
        senders = [
            asyncio.create_task(keep_posting(provider, endpoint, who, answers)) for who in "abc"
        ]
        await arrivals(phone, 9)
        provider.http.ask_to_stop()
        assert await asyncio.to_thread(provider.http.wait_exit, SECONDS) == 0
        await asyncio.gather(*senders)
        provider.start_http()
        await post_all(provider, endpoint, [b"the last"])
        while phone.received[-1].payload != b"the last":
            await phone.next_push()
    arrived = [push.payload for push in phone.received]
    refused = {each: answer for each, answer in answers.items() if answer.status_code != 201}
    assert refused
    assert {answer.status_code for answer in refused.values()} == {503}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused.values())
    assert answers.keys() - refused.keys() <= set(arrived)
    assert not refused.keys() & set(arrived)
    assert received_twice(phone) == []


async def keep_posting(
    provider: Provider, endpoint: str, who: str, answers: dict[bytes, httpx.Response]
) -> None:
    """Post until the port is closed."""
    for number in range(10_000):
        payload = f"{who}{number}".encode()
        try:
            answers[payload] = await provider.post(endpoint, payload)
        except httpx.TransportError:
            return
        await asyncio.sleep(0.02)


@play
async def test_the_component_ends_although_its_server_hangs(
    hasty: Provider, hasty_phone: NewPhone
) -> None:
    phone = hasty_phone(answer="silent")
    async with phone:
        endpoint = (await phone.register()).endpoint
        await post_all(hasty, endpoint, [b"1", b"2"])
        await arrivals(phone, 2)
        with frozen(hasty):
            hasty.component.ask_to_stop()
            assert await asyncio.to_thread(hasty.component.wait_exit, SECONDS) == 0
        hasty.start_component()
        for push in phone.received:
            phone.answer_push(push)
    phone.answer = "result"
    async with phone:
        await nothing_but_a_marker(hasty, phone, endpoint)
        assert received_twice(phone) == []


@contextlib.contextmanager
def frozen(provider: Provider) -> Iterator[None]:
    """Let the XMPP server hang for a while."""
    assert isinstance(provider.server, Prosody | Ejabberd)
    group = provider.server.process.pid
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(group, signal.SIGCONT)
