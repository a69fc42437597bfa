"""A second component waits, and takes over when the active one ends, however it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.phone import Phone
from tests.real.play import play
from tests.real.process import ManagedProcess
from tests.real.provider import Provider
from tests.real.relay import Relay
from tests.real.steps import becomes, post_one, received_twice
from tests.real.store import PostgresStore, Store
from tests.real.waiting import eventually
from tests.real.xmpp_server import XmppServer

#: Seconds within which the other one must be sending.
SOON = 5.0


@pytest.mark.servers("prosody", "ejabberd")
@play
async def test_it_sends_within_5_s_when_the_active_one_is_killed(
    provider: Provider, phone: Phone
) -> None:
    standby = provider.standby()
    async with phone:
        endpoint = (await phone.register()).endpoint
        await all_is_written(provider, phone, endpoint)
        provider.kill_component()
        await arrives_soon(provider, phone, endpoint)
        assert connections(standby) == 1
        assert received_twice(phone) == []
        await phone.register()  # the new one answers this, too


@pytest.mark.servers("prosody", "ejabberd")
@play
async def test_they_take_turns(provider: Provider, phone: Phone) -> None:
    standby = provider.standby()
    async with phone:
        endpoint = (await phone.register()).endpoint
        for _ in range(2):
            provider.stop_component()
            await arrives_soon(provider, phone, endpoint)
            provider.component.spawn()
            await eventually(waits(provider.component), 15, "the first stands by")
            standby.terminate()
            await arrives_soon(provider, phone, endpoint)
            standby.spawn()
            await eventually(waits(standby), 15, "the second stands by")
        assert received_twice(phone) == []


@pytest.mark.postgresql
@play
async def test_one_that_was_stopped_like_a_machine_that_sleeps(
    provider: Provider, phone: Phone
) -> None:
    standby, active = provider.standby(), provider.component
    async with phone:
        endpoint = (await phone.register()).endpoint
        await all_is_written(provider, phone, endpoint)
        os.kill(active.pid, signal.SIGSTOP)
        await arrives_soon(provider, phone, endpoint)
        os.kill(active.pid, signal.SIGCONT)
        await eventually(waits(active), 15, "it waits its turn", provider.log_text)
        for _ in range(5):
            await arrives_soon(provider, phone, endpoint)
        assert received_twice(phone) == []
        assert connections(active) == 1
        standby.kill()
        await arrives_soon(provider, phone, endpoint)
        assert connections(active) == 2
        assert received_twice(phone) == []


@pytest.mark.postgresql
@pytest.mark.servers("prosody", "ejabberd")
@play
async def test_one_that_lost_its_way_to_postgresql_steps_down_first(
    server: XmppServer, migrated: Store, tmp_path: Path, new_phone: Callable[..., Phone]
) -> None:
    """Its way to the XMPP server is fine: ejabberd would take two connections at a time."""
    provider = Provider(tmp_path, server, migrated=migrated)
    assert isinstance(provider.store, PostgresStore)
    relay, phone = Relay(provider.store.server.socket), new_phone()
    port = await relay.start()
    provider.component.env["DATABASE_URL"] = provider.store.server.url(
        provider.store.name, tcp_port=port
    )
    try:
        await asyncio.to_thread(provider.start)
        standby = await asyncio.to_thread(provider.standby)
        async with phone:
            endpoint = (await phone.register()).endpoint
            await all_is_written(provider, phone, endpoint)
            relay.hush()
            await arrives_soon(provider, phone, endpoint)
            stepped_down = moment(provider.component, "the stream is closed")
            assert stepped_down < moment(standby, "connected to")
            assert received_twice(phone) == []
    finally:
        provider.close()
        relay.stop()
        print(provider.log_text())  # pytest shows it when the play fails
    provider.assert_clean_logs()


def moment(component: ManagedProcess, words: str) -> str:
    """Return the date and time of the first line of a log that has these words."""
    lines = component.log_text().splitlines()
    return next(line[:23] for line in lines if words in line)


async def all_is_written(provider: Provider, phone: Phone, endpoint: str) -> None:
    """Post a message and return when it is known to be delivered.

    What is not known yet when a component is killed is in doubt: its device is given ten seconds
    for old answers to come in.
    """
    url = await post_one(provider, endpoint, b"before")
    await phone.next_push()
    await becomes(provider, url, "delivered")


async def arrives_soon(provider: Provider, phone: Phone, endpoint: str) -> None:
    """Post a message: it must arrive SOON after."""
    began = time.monotonic()
    url = await post_one(provider, endpoint, b"to whom it may concern")
    push = await phone.next_push(SOON)
    assert push.payload == b"to whom it may concern"
    print(f"arrived after {time.monotonic() - began:.2f} s")
    await becomes(provider, url, "delivered")


def connections(component: ManagedProcess) -> int:
    """Return how often a component has connected."""
    return component.log_of_this_run().count("connected to")


def waits(component: ManagedProcess) -> Callable[[], bool]:
    """Return a condition: its last word is that it stands by."""
    return lambda: "standing by" in component.log_of_this_run().rpartition("connected to")[2]
