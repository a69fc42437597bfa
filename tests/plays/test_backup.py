"""A backup is made while pushes come in; after a disaster the product goes on from it."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.phone import Phone
from tests.real.play import play
from tests.real.postgres import USER
from tests.real.provider import Provider
from tests.real.steps import arrivals
from tests.real.store import PostgresStore, SqliteStore
from tests.real.waiting import eventually


@pytest.mark.on_both
@play
async def test_what_was_there_at_the_backup_is_there_again(
    new_provider: Callable[..., Provider], new_phone: Callable[..., Phone], tmp_path: Path
) -> None:
    provider = new_provider(push_rate_per_endpoint="off", push_rate_per_account="off")
    copy = tmp_path / "backup.sqlite3"
    async with new_phone() as phone:
        endpoint = (await phone.register()).endpoint
    asleep = await waits(provider, endpoint, b"before the backup")
    async with new_phone(resource="busy") as busy:
        other = (await busy.register()).endpoint
        flood = asyncio.create_task(keep_posting(provider, other))
        await arrivals(busy, 5)
        await asyncio.to_thread(provider.manage, "backup", str(copy))
        await arrivals(busy, 5)
        flood.cancel()
        await asyncio.wait([flood])
    assert asleep == 201
    await asyncio.to_thread(lose_everything, provider)
    await asyncio.to_thread(restore, provider, copy)
    async with new_phone() as phone:
        # Up to ten seconds: the component waits for late answers first, it was killed.
        assert (await arrivals(phone, 1, 30)) == [b"before the backup"]
        assert (await provider.post(endpoint, b"after the restore")).status_code == 201
        await eventually(
            lambda: b"after the restore" in [push.payload for push in phone.received],
            10,
            "the old endpoint works",
            provider.log_text,
        )


async def waits(provider: Provider, endpoint: str, body: bytes) -> int:
    """Post to a phone that is away; return the status."""
    return (await provider.post(endpoint, body)).status_code


async def keep_posting(provider: Provider, endpoint: str) -> None:
    """Post one message after the other."""
    while True:
        await provider.post(endpoint, b"one of many")


def lose_everything(provider: Provider) -> None:
    """The disk is gone."""
    provider.kill_http()
    provider.kill_component()
    provider.store.lose()


def restore(provider: Provider, copy: Path) -> None:
    """Do what docs/operators.md says."""
    store = provider.store
    if isinstance(store, PostgresStore):
        store.server.create(store.name, "template1")
        command = ["pg_restore", "--exit-on-error", f"--host={store.server.folder}"]
        subprocess.run(
            [*command, f"--username={USER}", f"--dbname={store.name}", str(copy)], check=True
        )
    elif isinstance(store, SqliteStore):
        shutil.copyfile(copy, store.file)
    provider.manage("migrate", "--noinput", "-v", "0")
    provider.start_http()
    provider.start_component()
