"""What the component says of its stream, as the other processes read it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from pushprovider.database import DatabaseThread, StoreTrouble
from pushprovider.fields import now_ms
from pushprovider.stats import Count
from pushprovider.store import status
from pushprovider.xmpp import beacon
from pushprovider.xmpp.beacon import Beacon
from tests.cast import counted
from tests.real.waiting import eventually
from tests.trouble import unit_store


class Stream:
    """A stream that is up or not, and the beacon that tells of it."""

    def __init__(self) -> None:
        self.is_up = False
        self.thread = DatabaseThread()
        self.beacon = Beacon(self.thread, lambda: self.is_up)

    def open(self) -> None:
        self.is_up = True
        self.beacon.opened()

    def end(self) -> None:
        self.is_up = False
        self.beacon.ended()

    def play(self, story: Callable[[], Awaitable[None]]) -> None:
        """Let the beacon run during a story."""

        async def told() -> None:
            task = asyncio.create_task(self.beacon.run())
            await story()
            task.cancel()

        asyncio.run(told())

    async def becomes(self, up: bool) -> status.Stream:
        """Wait until the others know; return what they know."""

        async def known() -> status.Stream | None:
            said = await self.thread.run(lambda: status.stream(now_ms()))
            return said if said.is_up is up else None

        return await eventually(known, 5, f"up is {up}")


@pytest.fixture
def stream(store: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stream]:
    monkeypatch.setattr(beacon, "LOOK_EVERY", 0.01)
    made = Stream()
    yield made
    made.thread.close()


def test_it_tells_of_every_change(stream: Stream) -> None:
    async def story() -> None:
        for _ in range(2):
            stream.open()
            assert (await stream.becomes(True)).since is not None
            stream.end()
            await stream.becomes(False)

    stream.play(story)


def test_it_says_since_when(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "BEAT", 0.01)

    async def story() -> None:
        stream.open()
        first = await stream.becomes(True)
        start = now_ms()
        await eventually(lambda: now_ms() > start + 50, 5, "some beats pass")
        assert await stream.becomes(True) == first

    stream.play(story)


def test_an_open_stream_that_is_silent_does_not_count(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beacon, "SILENCE", 0.3)

    async def story() -> None:
        stream.open()
        await stream.becomes(True)
        await stream.becomes(False)
        stream.beacon.heard()
        await stream.becomes(True)

    stream.play(story)


def test_only_what_follows_the_first_stream_is_a_reconnect(stream: Stream) -> None:
    async def story() -> None:
        for _ in range(3):
            stream.open()
            await stream.becomes(True)
            stream.end()
            await stream.becomes(False)

    stream.play(story)
    assert counted(Count.RECONNECTED) == {"": 2}


def test_a_new_process_goes_on_with_an_old_outage(stream: Stream) -> None:
    status.tell(status.XMPP, "down", now_ms() - 5000)
    status.tell(status.XMPP_SINCE, "down", 1_800_000_000_000)
    asyncio.run(stream.beacon.farewell())
    assert status.stream(now_ms()) == status.Stream(False, 1_800_000_000_000)


def test_a_reconnect_is_counted_when_the_store_is_back(
    stream: Stream, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        stream.open()
        await stream.becomes(True)
        await asyncio.to_thread(rename, "pushprovider_status", "hidden")
        try:
            stream.open()
            await eventually(lambda: "store: " in caplog.text, 5, "the store is in trouble")
        finally:
            await asyncio.to_thread(rename, "hidden", "pushprovider_status")
        await eventually(is_counted, 10, "the reconnect is counted")

    async def is_counted() -> bool:
        try:
            return await stream.thread.run(lambda: counted(Count.RECONNECTED)) == {"": 1}
        except StoreTrouble:  # the beacon's own call, before this one, failed a moment ago
            return False

    stream.play(story)


def rename(old: str, new: str) -> None:
    """On a connection of its own: the database thread refuses what waits while a call fails."""
    unit_store().rows(f"ALTER TABLE {old} RENAME TO {new}")
