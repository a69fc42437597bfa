"""PostgreSQL's own troubles and merits: it restarts, it hangs, several web processes share it."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.real.gauge import children
from tests.real.phone import Phone
from tests.real.play import play
from tests.real.postgres import Postgres
from tests.real.provider import Provider
from tests.real.steps import nothing_but_a_marker, received_twice
from tests.real.store import PostgresStore
from tests.real.waiting import eventually
from tests.real.xmpp_server import XmppServer

pytestmark = pytest.mark.postgresql

LIMITS_OFF = {"push_rate_per_endpoint": "off", "push_rate_per_account": "off"}


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A PostgreSQL for this play alone, which writes to the disk as in service."""
    made = Postgres(durable=True)
    made.start()
    yield made
    made.remove()


@pytest.fixture
def on_own(own_postgres: Postgres, server: XmppServer, tmp_path: Path) -> Iterator[Provider]:
    """The product on it."""
    store = PostgresStore(own_postgres)
    settings = LIMITS_OFF | {"max_stored_per_endpoint": 100_000}
    provider = Provider(tmp_path, server, store=store, settings=settings)
    provider.start()
    yield provider
    provider.close()
    print(provider.log_text())  # pytest shows it when the play fails
    provider.assert_clean_logs()


class Sender:
    """Posts one message after the other; notes what became of each."""

    def __init__(self, provider: Provider, endpoint: str) -> None:
        self.accepted: set[bytes] = set()
        self.answers: Counter[int] = Counter()
        self.longest = 0.0
        self._provider = provider
        self._endpoint = endpoint
        self._numbers = itertools.count()

    async def run(self) -> None:
        for number in self._numbers:
            body, began = b"%d" % number, time.monotonic()
            answer = await self._provider.post(self._endpoint, body)
            self.longest = max(self.longest, time.monotonic() - began)
            self.answers[answer.status_code] += 1
            if answer.status_code == 201:
                self.accepted.add(body)
            else:
                assert int(answer.headers["Retry-After"]) > 0
            await asyncio.sleep(0.01)

    async def more(self, number: int = 40) -> None:
        """Wait until so many more are accepted."""
        goal = len(self.accepted) + number
        await eventually(
            lambda: len(self.accepted) >= goal, 30, "posts are accepted", self._provider.log_text
        )

    async def refused(self) -> None:
        """Wait until one more is refused."""
        goal = self.answers[503] + 1
        await eventually(lambda: self.answers[503] >= goal, 30, "a post is refused")


async def all_arrives(provider: Provider, phone: Phone, sender: Sender) -> None:
    """Wait until the phone has everything that was accepted."""
    await eventually(
        lambda: sender.accepted <= {push.payload for push in phone.received},
        60,
        "every accepted message arrives",
        provider.log_text,
    )


@play
async def test_it_restarts_under_load(
    on_own: Provider, own_postgres: Postgres, phone: Phone
) -> None:
    async with phone:
        sender = Sender(on_own, (await phone.register()).endpoint)
        posting = [asyncio.create_task(sender.run()) for _ in range(4)]
        for how in (own_postgres.stop, own_postgres.kill):
            await sender.more()
            await asyncio.to_thread(how)
            await sender.refused()
            await asyncio.to_thread(own_postgres.start)
        await sender.more()
        for task in posting:
            task.cancel()
        await asyncio.wait(posting)
        assert set(sender.answers) == {201, 503}
        await all_arrives(on_own, phone, sender)
    assert on_own.http.running
    assert on_own.component.running
    assert sender.longest < 10


@play
async def test_it_hangs_for_a_while(on_own: Provider, own_postgres: Postgres, phone: Phone) -> None:
    """Every process of the server is stopped: nothing is refused, nothing is answered."""
    async with phone:
        sender = Sender(on_own, (await phone.register()).endpoint)
        posting = asyncio.create_task(sender.run())
        await sender.more()
        stopped = processes(own_postgres)
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            await sender.refused()
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        await sender.more()
        posting.cancel()
        await asyncio.wait([posting])
        assert 3 < sender.longest < 5
        await all_arrives(on_own, phone, sender)
        assert len({push.id for push in phone.received}) <= len(sender.accepted) + 2


def processes(server: Postgres) -> list[int]:
    """Return the server's process and those it has started."""
    parent = server.process.pid
    return [parent, *children(parent)]


@play
async def test_several_web_processes_share_a_store(provider: Provider, phone: Phone) -> None:
    other = provider.second_http()
    async with phone, httpx.AsyncClient(trust_env=False) as client:
        endpoint = (await phone.register()).endpoint
        doors = [endpoint, endpoint.replace(provider.url, other)]
        bodies = [b"%d" % number for number in range(80)]
        answers = await asyncio.gather(
            *(client.post(doors[n % 2], content=body) for n, body in enumerate(bodies))
        )
        assert {answer.status_code for answer in answers} == {201}
        arrived = [(await phone.next_push()).payload for _ in bodies]
        assert sorted(arrived) == sorted(bodies)
        began = time.monotonic()
        await client.post(doors[1], content=b"ring")
        assert (await phone.next_push()).payload == b"ring"
        assert time.monotonic() - began < 2  # the doorbell: a look comes every five seconds
        await nothing_but_a_marker(provider, phone, endpoint)
        assert received_twice(phone) == []
