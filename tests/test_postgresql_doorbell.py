"""The doorbell over NOTIFY: with the commit, and only with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from django.db import connection, transaction

from pushprovider.doorbell import Bell, listen
from pushprovider.fields import now_ms
from pushprovider.postgresql.doorbell import Listener
from pushprovider.store.post import Limits, Post
from pushprovider.store.save import save
from pushprovider.store.writing import arriving, writing
from tests.cast import Phone
from tests.real.play import play
from tests.real.waiting import eventually
from tests.test_doorbell import rung
from tests.trouble import unit_store

pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("store")]

LISTENERS = "FROM pg_stat_activity WHERE application_name = 'pushprovider doorbell'"


@asynccontextmanager
async def listening() -> AsyncIterator[Bell]:
    bell = listen()
    assert isinstance(bell, Listener)
    assert await rung(bell)  # whatever came before it listened
    try:
        yield bell
    finally:
        bell.close()


def in_transaction(*calls: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        try:
            with writing():
                for call in calls:
                    call()
        finally:
            connection.close()

    return run


@play
async def test_it_works() -> None:
    async with listening() as bell:
        await asyncio.to_thread(in_transaction(arriving))
        assert await rung(bell)
        assert not await rung(bell, 0.1)


@play
async def test_a_saved_message_rings() -> None:
    phone = Phone("juliet@localhost/phone")

    def post() -> None:
        phone.register()
        save([Post(bytes(phone.registration().key), b"hello", 60)], now_ms(), Limits())
        connection.close()

    async with listening() as bell:
        await asyncio.to_thread(post)
        assert await rung(bell)


@play
async def test_what_was_not_committed_does_not_ring() -> None:
    async with listening() as bell:
        give_up = in_transaction(arriving, lambda: transaction.set_rollback(True))
        await asyncio.to_thread(give_up)
        assert not await rung(bell, 0.2)


@play
async def test_it_listens_again_and_looks_then() -> None:
    async with listening() as bell:
        await asyncio.to_thread(unit_store().rows, f"SELECT pg_terminate_backend(pid) {LISTENERS}")
        assert await rung(bell, 5)
        await asyncio.to_thread(in_transaction(arriving))
        assert await rung(bell)


@play
async def test_it_leaves_nobody_behind() -> None:
    async with listening():
        pass

    def gone() -> bool:
        return unit_store().rows(f"SELECT count(*) {LISTENERS}") == [(0,)]

    await eventually(gone, 5, "the session is closed")
