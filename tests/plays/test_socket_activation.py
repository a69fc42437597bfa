"""The web process restarts under load while its parent holds the port: nothing is refused."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.real.activation import ActivatedHttp
from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.store import Store
from tests.real.waiting import eventually
from tests.real.xmpp_server import XmppServer

RESTARTS = 2
#: Messages that are accepted between two restarts, and at the end.
BETWEEN = 100


@pytest.fixture
def provider(server: XmppServer, tmp_path: Path, migrated: Store) -> Iterator[Provider]:
    """The product, with nothing but its component running."""
    settings = {
        "push_rate_per_endpoint": "off",
        "push_rate_per_account": "off",
        "max_stored_per_endpoint": 100_000,
        "max_stored_per_account": 100_000,
    }
    made = Provider(tmp_path, server, migrated=migrated, settings=settings)
    made.migrate()
    made.start_component()
    yield made
    made.close()
    made.assert_clean_logs()


class Senders:
    """Post without a pause: some on a new connection each time, some on one that stays."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self.accepted: set[bytes] = set()
        self.others: Counter[str] = Counter()
        self._numbers = iter(range(1_000_000))

    async def fresh(self) -> None:
        while True:
            async with httpx.AsyncClient(trust_env=False, verify=False, timeout=20) as client:
                await self._post(client)

    async def lasting(self) -> None:
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=20) as client:
            while True:
                await self._post(client)

    async def _post(self, client: httpx.AsyncClient) -> None:
        body = b"%d" % next(self._numbers)
        try:
            answer = await client.post(self._endpoint, content=body, headers={"TTL": "3600"})
        except httpx.TransportError as error:
            self.others[type(error).__name__] += 1
            return
        if answer.status_code == 201:
            self.accepted.add(body)
        else:
            self.others[str(answer.status_code)] += 1


@play
async def test_a_restart_refuses_no_connection_and_loses_no_message(
    provider: Provider, phone: Phone, tmp_path: Path
) -> None:
    with ActivatedHttp(provider, tmp_path) as http:
        await asyncio.to_thread(http.start)
        async with phone:
            senders = Senders((await phone.register()).endpoint)
            posting = [asyncio.create_task(senders.fresh()) for _ in range(3)]
            posting.append(asyncio.create_task(senders.lasting()))
            for _ in range(RESTARTS):
                await more(senders, http)
                assert await asyncio.to_thread(http.stop) == 0
                await asyncio.to_thread(http.start)
            await more(senders, http)
            for task in posting:
                task.cancel()
            await asyncio.wait(posting)
            assert senders.others == Counter(), senders.others
            await eventually(
                lambda: senders.accepted <= {push.payload for push in phone.received},
                60,
                "everything that was accepted arrives",
                provider.log_text,
            )


async def more(senders: Senders, http: ActivatedHttp) -> None:
    """Wait until so many more were accepted."""
    goal = len(senders.accepted) + BETWEEN
    await eventually(lambda: len(senders.accepted) >= goal, 30, "they are accepted", http.log_text)


@play
async def test_the_web_process_tells_that_it_lives_and_ends(
    provider: Provider, tmp_path: Path
) -> None:
    with ActivatedHttp(provider, tmp_path) as http:
        await asyncio.to_thread(http.start)
        assert await asyncio.to_thread(http.heard) == "WATCHDOG=1"
        assert await asyncio.to_thread(http.stop) == 0
        heard = ""
        while heard != "STOPPING=1":
            heard = await asyncio.to_thread(http.heard)
