"""The doorbell: it may be lost, it never blocks, it never fails."""

from __future__ import annotations

import asyncio
import stat
import threading
import time
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from pushprovider import doorbell
from pushprovider.doorbell import Bell, Doorbell, Ringer
from tests.real.play import play


@pytest.fixture(autouse=True)
def _own_run_dir(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    settings.RUN_DIR = tmp_path_factory.mktemp("r")


async def rung(bell: Bell, seconds: float = 2) -> bool:
    """Return whether it rings within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await bell.wait()
    except TimeoutError:
        return False
    return True


@pytest.fixture
def ringer(_own_run_dir: None) -> Iterator[Ringer]:
    """Somebody at the door."""
    made = Ringer()
    yield made
    made._socket.close()


@play
async def test_it_works(ringer: Ringer) -> None:
    bell = Doorbell()
    ringer.ring()
    assert await rung(bell)
    bell.close()


@play
async def test_it_wakes_within_5_ms(ringer: Ringer) -> None:
    bell = Doorbell()
    delays = []
    for _ in range(20):
        waiting = asyncio.create_task(bell.wait())
        await asyncio.sleep(0)
        start = time.perf_counter()
        ringer.ring()
        await waiting
        delays.append(time.perf_counter() - start)
    bell.close()
    assert min(delays) < 0.005


@play
async def test_many_rings_are_one(ringer: Ringer) -> None:
    bell = Doorbell()
    for _ in range(10_000):
        ringer.ring()
    assert await rung(bell)
    assert not await rung(bell, 0.05)
    bell.close()


@play
async def test_it_rings_from_any_thread(ringer: Ringer) -> None:
    bell = Doorbell()
    thread = threading.Thread(target=ringer.ring)
    thread.start()
    assert await rung(bell)
    thread.join()
    bell.close()


def test_nobody_needs_to_listen(ringer: Ringer) -> None:
    ringer.ring()
    doorbell.path().parent.rmdir()
    ringer.ring()


@play
async def test_it_rings_for_whoever_comes_later(ringer: Ringer) -> None:
    ringer.ring()
    for _ in range(2):
        bell = Doorbell()
        ringer.ring()
        assert await rung(bell)
        bell.close()


@play
async def test_it_takes_the_place_of_one_that_was_killed(ringer: Ringer) -> None:
    killed = Doorbell()
    bell = Doorbell()
    ringer.ring()
    assert await rung(bell)
    assert not await rung(killed, 0.05)
    for one in (bell, killed):
        one.close()


@play
async def test_only_its_owner_may_ring() -> None:
    bell = Doorbell()
    assert stat.S_IMODE(doorbell.path().stat().st_mode) == 0o600
    bell.close()
    assert not doorbell.path().exists()


@play
async def test_it_makes_its_folder() -> None:
    doorbell.path().parent.rmdir()
    bell = Doorbell()
    assert stat.S_IMODE(doorbell.path().parent.stat().st_mode) == 0o700
    bell.close()
