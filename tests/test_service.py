"""The component process at its beginning and its end, without a server. The plays have the rest."""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django import Settings

from pushprovider.standby import ActiveLock
from pushprovider.xmpp import stanzas
from pushprovider.xmpp.service import Service
from tests.real.play import play
from tests.real.ports import LOOPBACK, free_port
from tests.real.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)
HASH = "A" * 43 + "="
A_FILE = "a lock on a file"


@pytest.fixture(autouse=True)
def nobody_listens(settings: Settings, tmp_path: Path) -> None:
    settings.RUN_DIR = tmp_path / "run"
    settings.XMPP_COMPONENT_HOST, settings.XMPP_COMPONENT_PORT = LOOPBACK, free_port()
    settings.REGISTRATION_ACL = frozenset({"*"})


@asynccontextmanager
async def a_service() -> AsyncIterator[Service]:
    """One that does not run."""
    service = Service()
    try:
        yield service
    finally:
        service._commands.close()
        service._thread.close()


@pytest.mark.sqlite(A_FILE)
@play
async def test_a_lock_that_fails_is_not_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def try_now(_lock: ActiveLock) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(ActiveLock, "try_now", try_now)
    async with a_service() as service:
        with pytest.raises(OSError, match="No locks"):
            await service.run()


@pytest.mark.sqlite(A_FILE)
@play
async def test_one_that_never_had_a_stream_leaves_as_much_in_doubt() -> None:
    crashed = ActiveLock()
    assert crashed.try_now()
    crashed.claimed(1234)
    await crashed.release(clean=False)
    service = Service()
    running = asyncio.create_task(service.run())
    await eventually(lambda: service._component.failure, 10, "it has tried to connect")
    service.stop()
    await running
    following = ActiveLock()
    assert following.try_now()
    assert following.maybe_sent() == 1234
    await following.release(clean=True)


@play
async def test_one_that_is_stopped_does_not_stand_by(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process has taken over, and SIGTERM comes while this one ends."""
    service = Service()

    async def superseded() -> None:
        service._superseded = True

    async def shut_down(*arguments: Any) -> None:
        service.stop()
        await Service._shut_down(service, *arguments)

    monkeypatch.setattr(service, "_keep_active", superseded)
    monkeypatch.setattr(service, "_shut_down", shut_down)
    async with asyncio.timeout(10):
        assert await service.run() is False


def a_register(number: int) -> stanzas.Register:
    """One of a user of its own."""
    return stanzas.Register(str(number), f"user{number}@localhost/phone", HASH, HASH, None)


@play
async def test_many_registrations_hear_of_a_store_in_trouble_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A locked store costs whoever asks it a whole time-out: one of them is enough."""
    asked: list[object] = []
    answers: list[str] = []
    all_have_asked = threading.Event()

    def register(request: object, _now: int) -> None:
        asked.append(request)
        all_have_asked.wait(5)
        raise OperationalError("database is locked")

    monkeypatch.setattr("pushprovider.xmpp.register.register", register)
    async with a_service() as service:
        monkeypatch.setattr(service._component, "write", answers.append)
        tasks = [asyncio.create_task(service._register(a_register(n))) for n in range(50)]
        await asyncio.sleep(0)
        all_have_asked.set()
        await asyncio.gather(*tasks)
    assert len(asked) == 1
    assert len(answers) == 50
    assert all("<internal-server-error" in answer for answer in answers)


@play
async def test_many_registrations_let_the_delivery_loop_in_between() -> None:
    answers: list[str] = []
    answered = asyncio.Event()

    def write(text: str) -> None:
        answers.append(text)
        answered.set()

    async with a_service() as service:
        service._component.write = write  # type: ignore[method-assign]

        tasks = [asyncio.create_task(service._register(a_register(n))) for n in range(50)]
        await answered.wait()
        await service._thread.run(lambda: None)  # as the loop does
        assert len(answers) < 5
        await asyncio.gather(*tasks)
    assert len(answers) == 50
    assert all("<registered" in answer for answer in answers)
