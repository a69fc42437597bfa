"""Is it ready? The answer names what is not."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

from pushprovider.fields import now_ms
from pushprovider.http import health
from pushprovider.http.drain import drain
from pushprovider.http.health import readiness
from pushprovider.store import status
from tests.cast import Answer, ask, asking
from tests.settings import DATABASE, STORE
from tests.trouble import locked

LOCKED = {
    "sqlite": "database is locked",
    "postgresql": "canceling statement due to lock timeout",
}[STORE]
URL = "https://push.example.org/readyz"


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    readiness.cache_clear()
    yield
    readiness.cache_clear()


@pytest.fixture
def up(store: None) -> None:
    """A component that has been connected for 90 seconds."""
    now = now_ms()
    status.tell(status.XMPP, "up", now)
    status.tell(status.XMPP_SINCE, "up", now - 90_000)


def ready(**headers: str) -> Answer:
    readiness.cache_clear()
    return ask("GET", URL, headers=headers)


def test_it_is_ready(up: None) -> None:
    answer = ready()
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert (answer.json["store"], answer.json["xmpp"]) == ("ok", "ok")
    assert 90 <= answer.json["xmpp_up_seconds"] < 120


def test_the_component_has_never_been_up(store: None) -> None:
    answer = ready()
    assert (answer.status, answer.json) == (503, {"store": "ok", "xmpp": "never up"})


def test_the_stream_is_down(up: None) -> None:
    status.tell(status.XMPP, "down", now_ms())
    status.tell(status.XMPP_SINCE, "down", 1_800_000_000_000)
    answer = ready()
    assert (answer.status, answer.json["xmpp"]) == (503, "down since 2027-01-15T08:00:00Z")


def test_the_component_fell_silent(up: None) -> None:
    last = now_ms() - int(status.STALE * 1000) - 1
    status.tell(status.XMPP, "up", last)
    assert not status.is_up(now_ms())
    answer = ready()
    assert answer.status == 503
    assert answer.json["xmpp"].startswith("down since 20")


def test_the_store_is_locked_by_somebody(up: None) -> None:
    with locked():
        answer = ready()
    assert (answer.status, answer.json) == (503, {"store": LOCKED, "xmpp": "unknown"})
    assert ready().status == 200


@pytest.mark.sqlite("a file that cannot be looked at")
def test_the_store_cannot_even_be_looked_for(up: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a folder that may not be entered; but root may enter all of them."""
    monkeypatch.setitem(connection.settings_dict, "NAME", "/" + "x" * 300)
    answer = ready()
    assert (answer.status, answer.json["store"]) == (503, "unable to open database file")


@pytest.mark.sqlite("a file is moved away")
def test_the_store_was_moved_away(up: None, tmp_path: Path) -> None:
    connection.close()
    with closing(sqlite3.connect(DATABASE)) as last:
        last.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    away = DATABASE.rename(tmp_path / "away")
    try:
        answer = ready()
        assert not DATABASE.exists()
    finally:
        away.rename(DATABASE)
    assert (answer.status, answer.json["store"]) == (503, "unable to open database file")
    assert ready().status == 200


def test_a_store_that_hangs_is_down(up: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "LONGEST", 0.2)
    with locked():
        assert ready().json["store"] == "does not answer"


def test_other_words_of_the_database_stay_inside(up: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE pushprovider_status RENAME TO hidden")
    try:
        answer = ready()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE hidden RENAME TO pushprovider_status")
    assert (answer.status, answer.json["store"]) == (503, "cannot be written, see the log")


def test_a_process_that_ends_is_not_ready(up: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "has_begun", True)
    answer = ready()
    assert (answer.status, answer.json["http"]) == (503, "being stopped")


def test_many_who_ask_cost_one_write(up: None, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    def look(now: int) -> status.Stream:
        looks.append(now)
        return status.stream(now)

    monkeypatch.setattr(health, "look", look)

    async def crowd() -> list[Answer]:
        return await asyncio.gather(*(asking("GET", URL) for _ in range(50)))

    assert {answer.status for answer in asyncio.run(crowd())} == {200}
    assert len(looks) == 1


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_the_host_does_not_matter(path: str, up: None) -> None:
    answer = ask("GET", f"https://push.example.org{path}", headers={"host": "192.0.2.7:8000"})
    assert answer.status == 200


def test_only_get_and_head(up: None) -> None:
    assert ask("POST", URL).status == 405
    assert ask("HEAD", URL).body == b""


def test_a_mistake_of_ours_is_no_traceback(
    up: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(health, "xmpp_report", None)
    answer = ready()
    assert (answer.status, answer.body) == (500, b"broken\n")
    assert "/readyz failed" in caplog.text
