"""Monitoring asks whether it is ready, by IP address as monitoring does."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.real.play import play
from tests.real.prosody import Prosody
from tests.real.provider import Provider
from tests.real.waiting import eventually

#: Within so many seconds an outage must show.
SOON = 15


async def ready(provider: Provider) -> tuple[int, dict[str, Any]]:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{provider.url}/readyz", headers={"Host": "192.0.2.7"})
        return answer.status_code, answer.json()


def becomes(provider: Provider, status: int) -> Callable[[], Any]:
    """Return a condition: the report, once the status is this."""

    async def asked() -> dict[str, Any] | None:
        now, report = await ready(provider)
        return report if now == status else None

    return asked


async def in_time(provider: Provider, status: int, what: str) -> dict[str, Any]:
    report: dict[str, Any] = await eventually(
        becomes(provider, status), SOON, what, provider.log_text
    )
    return report


@play
async def test_it_is_ready_and_says_for_how_long(provider: Provider) -> None:
    report = await in_time(provider, 200, "ready")
    assert (report["store"], report["xmpp"]) == ("ok", "ok")
    assert 0 <= report["xmpp_up_seconds"] < 60


@play
async def test_a_killed_component_shows(provider: Provider) -> None:
    await in_time(provider, 200, "ready")
    provider.kill_component()
    report = await in_time(provider, 503, "the component is missed")
    assert report["store"] == "ok"
    assert report["xmpp"].startswith("down since 20")
    provider.start_component()
    await in_time(provider, 200, "ready again")


@play
async def test_a_stopped_server_shows(own_provider: Provider, own_server: Prosody) -> None:
    await in_time(own_provider, 200, "ready")
    own_server.stop()
    report = await in_time(own_provider, 503, "the server is missed")
    assert report["xmpp"].startswith("down since 20")
    own_server.start()
    await in_time(own_provider, 200, "ready again")


@play
async def test_a_server_that_hangs_shows(own_provider: Provider, own_server: Prosody) -> None:
    await in_time(own_provider, 200, "ready")
    os.kill(own_server.process.pid, signal.SIGSTOP)
    try:
        await in_time(own_provider, 503, "the silence is noticed")
    finally:
        os.kill(own_server.process.pid, signal.SIGCONT)
    await in_time(own_provider, 200, "ready again")


@pytest.mark.on_both
@play
async def test_a_database_that_is_locked_shows(provider: Provider) -> None:
    await in_time(provider, 200, "ready")
    with provider.store.locked():
        report = await in_time(provider, 503, "the lock is noticed")
    assert report["store"] in ("database is locked", "canceling statement due to lock timeout")
    await in_time(provider, 200, "ready again")
