"""The store cannot be written for a while: senders and phones are told to come again."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from collections.abc import Iterator

import pytest

from tests.real.phone import Phone, StanzaError, random_name
from tests.real.play import play
from tests.real.process import ManagedProcess
from tests.real.provider import Provider
from tests.real.steps import becomes, nothing_but_a_marker, post_one, received_twice
from tests.real.store import PostgresStore
from tests.real.waiting import wait_until

pytestmark = pytest.mark.servers("prosody", "ejabberd")


@play
async def test_nothing_is_half_written_and_it_recovers_without_a_restart(
    provider: Provider, phone: Phone
) -> None:
    registered = 0
    for trouble in TROUBLES[provider.store.kind]:
        names = random_name(), random_name()
        phone.answer = "silent"
        async with phone:
            endpoint = (await phone.register()).endpoint
            answered = await post_one(provider, endpoint, b"answered in the trouble")
            push = await phone.next_push()
            with trouble(provider):
                phone.answer_push(push)
                refusals, error = await asyncio.gather(
                    asyncio.gather(*[provider.post(endpoint, b"refused") for _ in "123"]),
                    refused_register(phone, *names),
                )
            assert (error.condition, error.type) == ("internal-server-error", "wait")
            for answer in refusals:
                assert answer.status_code == 503
                assert int(answer.headers["Retry-After"]) > 0
            phone.answer = "result"
            await nothing_but_a_marker(provider, phone, endpoint)
            await becomes(provider, answered, "delivered")
            again = (await phone.register(*names)).endpoint
            await nothing_but_a_marker(provider, phone, again)
        async with phone:
            await nothing_but_a_marker(provider, phone, endpoint)
            assert received_twice(phone) == []
        assert provider.http.running
        assert provider.component.running
        registered += 2
        assert provider.store.rows("SELECT count(*) FROM pushprovider_registration") == [
            (registered,)
        ]
        if provider.store.kind == "sqlite":
            assert provider.store.rows("PRAGMA integrity_check") == [("ok",)]


async def refused_register(phone: Phone, *names: str) -> StanzaError:
    """Ask for an endpoint, return the error."""
    with pytest.raises(StanzaError) as raised:
        await phone.register(*names)
    return raised.value


def locked(provider: Provider) -> contextlib.AbstractContextManager[None]:
    """Hold the write lock, as a backup or an operator's shell might."""
    return provider.store.locked()


@contextlib.contextmanager
def disk_full(provider: Provider) -> Iterator[None]:
    """Let no file of the two processes grow, but for a few lines of log."""
    parts: tuple[ManagedProcess, ...] = (provider.http, provider.component)
    room = max(part.log.stat().st_size for part in parts) + 4096
    for part in parts:
        resource.prlimit(part.pid, resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    yield
    for part in parts:
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(part.pid, resource.RLIMIT_FSIZE, unlimited)


@contextlib.contextmanager
def read_only(provider: Provider) -> Iterator[None]:
    """Refuse every write, as a standby of PostgreSQL's own does, and end what is connected.

    With its lock's session the component loses its stream for a moment, and has it back here.
    """
    assert isinstance(provider.store, PostgresStore)
    before = provider.times_connected()
    with provider.store.read_only():
        wait_until(lambda: provider.times_connected() > before, 10, "it is connected again")
        yield


TROUBLES = {"sqlite": (locked, disk_full), "postgresql": (locked, read_only)}
