"""The operator replaces Prosody's mod_unified_push, and nobody notices.

Phones have endpoints of the real module, application servers keep pushing to them all the time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import httpx
import pytest

from tests.real.client import SECONDS
from tests.real.old_prosody import OldProsody
from tests.real.phone import Phone, random_name
from tests.real.play import play
from tests.real.ports import free_port
from tests.real.provider import Provider
from tests.real.steps import arrivals
from tests.real.store import Store
from tests.real.waiting import eventually

USERS = ("romeo", "juliet", "nurse")
SECRET = "of the old server 0123456789 abcdefghijklmnop"


class Move:
    """The old server, ours on the same address, phones, and application servers at work."""

    def __init__(self, folder: Path, migrated: Store, options: str, **settings: object) -> None:
        port = free_port()
        self.old = OldProsody(folder, port, options)
        self.provider = Provider(folder, self.old, port=port, migrated=migrated, settings=settings)
        for user in USERS:
            self.old.add_user(user, "secret")
        self.phones = [Phone(self.old, user) for user in USERS]
        #: Each phone's application and instance, and the endpoints that they ever got.
        self.names = {phone: (random_name(), random_name()) for phone in self.phones}
        self.urls: dict[Phone, list[str]] = {phone: [] for phone in self.phones}

    async def __aenter__(self) -> Self:
        """Phones register with the real module, twice; all URLs work."""
        for phone in self.phones:
            await phone.connect()
            await self.register(phone)
            await self.register(phone)
        await self.push_all(b"before")
        await self.all_received(b"before")
        return self

    async def __aexit__(self, *_error: object) -> None:
        for phone in self.phones:
            if phone.connected:
                await phone.logout()

    async def register(self, phone: Phone) -> str:
        """Register, as Conversations does now and then; return the URL."""
        url = (await phone.register(*self.names[phone])).endpoint
        if url not in self.urls[phone]:
            self.urls[phone].append(url)
        return url

    async def push_all(self, word: bytes) -> None:
        """Push to every URL that was ever given, until it is accepted: senders try again."""
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            for phone in self.phones:
                for number, url in enumerate(self.urls[phone]):
                    await _until_accepted(client, url, word + str(number).encode())

    async def all_received(self, word: bytes) -> None:
        """Every phone has got one push from each of its URLs, once."""
        for phone in self.phones:
            expected = [word + str(number).encode() for number in range(len(self.urls[phone]))]
            assert sorted(await arrivals(phone, len(expected))) == expected

    async def switch(self, *commands: tuple[str, ...]) -> None:
        """Stop the old one, start ours on its address; application servers never stop pushing."""
        for phone in self.phones:
            await phone.logout()
        self.old.stop()
        pushing = asyncio.create_task(self.push_all(b"while moving"))
        self.old.switch()
        await asyncio.to_thread(self.provider.migrate)
        for command in commands:
            print(await asyncio.to_thread(self.provider.manage, *command))
        await asyncio.to_thread(self.old.start)
        await asyncio.to_thread(self.provider.start)
        await pushing  # all accepted, and no phone is there
        for phone in self.phones:
            await phone.connect()
        await self.all_received(b"while moving")


async def _until_accepted(client: httpx.AsyncClient, url: str, body: bytes) -> None:
    async def accepted() -> bool:
        try:
            answer = await client.post(url, content=body, headers={"TTL": "3600"})
        except httpx.TransportError:
            return False
        assert answer.status_code in (201, 503), answer.text
        return answer.status_code == 201

    await eventually(accepted, 3 * SECONDS, "the push is accepted")


@pytest.fixture
def new_move(tmp_path: Path, migrated: Store) -> Iterator[Callable[..., Move]]:
    """Make a move from a mod_unified_push with these options to ours with these settings."""
    made: list[Move] = []

    def make(options: str = "", **settings: object) -> Move:
        made.append(Move(tmp_path, migrated, options, **settings))
        made[-1].old.start_old()
        return made[-1]

    yield make
    for each in made:
        each.provider.close()
        each.old.kill()
        print(each.provider.log_text())
        each.provider.assert_clean_logs(*(url for urls in each.urls.values() for url in urls))


@play
async def test_the_urls_of_the_storage_backend_stay(new_move: Callable[..., Move]) -> None:
    options = '    unified_push_backend = "storage"'  # Prosody 13 would take paseto
    async with new_move(options) as move:
        before = {phone: list(urls) for phone, urls in move.urls.items()}
        assert [len(urls) for urls in before.values()] == [2, 2, 2]  # a new one at each renewal
        await move.switch(("import_prosody", "--data-path", str(move.old.data)))
        for phone in move.phones:
            kept = await move.register(phone)
            assert kept in before[phone]
            assert await move.register(phone) == kept  # and again
        assert move.urls == before
        await move.push_all(b"after")
        await move.all_received(b"after")


@play
async def test_the_urls_of_the_jwt_backend_work_on(new_move: Callable[..., Move]) -> None:
    options = f'    unified_push_backend = "jwt"\n    unified_push_secret = "{SECRET}"'
    async with new_move(options, legacy_prosody_jwt_secrets=SECRET) as move:
        await move.switch()
        for phone in move.phones:
            own = await move.register(phone)
            assert len(own.rpartition("/")[2]) == 43
            assert await move.register(phone) == own
            assert len(move.urls[phone]) >= 2
        await move.push_all(b"after")
        await move.all_received(b"after")
