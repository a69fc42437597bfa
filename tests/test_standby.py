"""One component at a time, and what the next one must know."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest
from pytest_django import Settings

from pushprovider.standby import ActiveLock


@pytest.fixture(autouse=True)
def run_dir(settings: Settings, tmp_path: Path) -> None:
    settings.RUN_DIR = tmp_path / "run"


def release(lock: ActiveLock, *, clean: bool) -> None:
    asyncio.run(lock.release(clean=clean))


def active() -> ActiveLock:
    lock = ActiveLock()
    asyncio.run(asyncio.wait_for(lock.acquire(), 1))
    return lock


def test_it_works() -> None:
    release(active(), clean=True)


def test_a_second_one_waits_until_the_first_has_ended() -> None:
    async def story() -> None:
        first, second = ActiveLock(), ActiveLock()
        await first.acquire()
        waiting = asyncio.create_task(second.acquire())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiting), 0.1)
        await first.release(clean=True)
        await asyncio.wait_for(waiting, 5)
        await second.release(clean=True)

    asyncio.run(story())


def test_it_knows_how_far_one_that_crashed_had_come() -> None:
    crashed = active()
    crashed.claimed(7)
    crashed.claimed(5)
    release(crashed, clean=False)
    assert active().maybe_sent() == 7


def test_one_that_ended_properly_leaves_nothing_in_doubt() -> None:
    proper = active()
    proper.claimed(7)
    release(proper, clean=True)
    assert active().maybe_sent() == 0


def test_the_lock_is_nobody_elses_business(tmp_path: Path) -> None:
    active()
    assert (tmp_path / "run" / "component.lock").stat().st_mode & 0o077 == 0


def test_a_second_crash_before_anything_new_leaves_as_much_in_doubt() -> None:
    crashed = active()
    crashed.claimed(7)
    release(crashed, clean=False)
    second = active()
    second.maybe_sent()
    second.claimed(3)
    release(second, clean=False)
    assert active().maybe_sent() == 7


def test_a_full_disk_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lock = active()

    def full(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "pwrite", full)
        lock.claimed(7)
        lock.claimed(8)
    assert caplog.text.count("No space left on device") == 1
    lock.claimed(9)
    release(lock, clean=False)
    assert active().maybe_sent() == 9


def test_a_proper_end_leaves_its_room_on_the_disk(tmp_path: Path) -> None:
    lock = active()
    lock.claimed(7)
    release(lock, clean=True)
    assert (tmp_path / "run" / "component.lock").stat().st_size == 8
