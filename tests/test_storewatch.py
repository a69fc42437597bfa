"""A web process whose store is not there, not migrated or too new: it starts, and says so."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError

from pushprovider.http import storewatch
from tests.real.daphne import Daphne, request
from tests.real.ports import LOOPBACK
from tests.real.process import plain_environment
from tests.real.python import python
from tests.real.store import SqliteStore, new_store
from tests.real.waiting import wait_until
from tests.settings import ENVIRONMENT, STORE
from tests.trouble import migrated_as

MIGRATE = "manage.py migrate"
NEWER = "of a newer version"


def said(daphne: Daphne, words: str) -> list[str]:
    """Return the lines of its log with these words, as soon as there is one."""
    log = daphne.process.log_text
    wait_until(lambda: words in log(), 15, words, log)
    return [line for line in log().splitlines() if words in line]


def store_of(daphne: Daphne) -> tuple[int, str]:
    """Return /readyz's status, and what it says of the store."""
    got = daphne.one(request("/readyz", method="GET"), "GET")
    return got.status, json.loads(got.body)["store"]


@pytest.mark.sqlite("it is a file")
def test_it_makes_no_sqlite_file_and_uses_the_one_that_migrate_makes(
    path: str, tmp_path: Path
) -> None:
    store = SqliteStore(tmp_path)
    with Daphne(tmp_path, DATABASE_URL=store.url) as daphne:
        said(daphne, "unable to open database file")
        assert store_of(daphne) == (503, "unable to open database file")
        assert daphne.one(request(path)).status == 503
        assert daphne.one(request("/admin/login/", method="GET"), "GET").status == 200
        assert list(tmp_path.glob("*.sqlite3*")) == []
        environment = plain_environment() | ENVIRONMENT | {"DATABASE_URL": store.url}
        assert python("manage.py", "migrate", env=environment).returncode == 0
        assert daphne.one(request(path)).status == 404  # another store's
        wait_until(lambda: store_of(daphne)[1] == "ok", 5, "a store that is ready")
        assert "Traceback" not in daphne.process.log_text()


@pytest.mark.on_both
def test_a_database_without_tables_is_one_line(path: str, tmp_path: Path) -> None:
    store = new_store(STORE, tmp_path)
    if isinstance(store, SqliteStore):
        store.file.touch()
    store.make()
    with Daphne(tmp_path, DATABASE_URL=store.url) as daphne:
        [line] = said(daphne, MIGRATE)
        assert "ERROR" in line
        assert daphne.one(request(path)).status == 503
        assert store_of(daphne)[0] == 503
        assert len(said(daphne, MIGRATE)) == 1
        assert "Traceback" not in daphne.process.log_text()


def test_a_database_of_a_newer_version_is_one_line(path: str, tmp_path: Path) -> None:
    with migrated_as("9999_later"), Daphne(tmp_path) as daphne:
        [line] = said(daphne, NEWER)
        assert "ERROR" in line
        assert daphne.one(request(path)).status == 201


def test_a_database_that_fits_is_no_line(path: str, tmp_path: Path) -> None:
    with Daphne(tmp_path) as daphne:
        assert daphne.one(request(path)).status == 201
        assert daphne.process.terminate() == 0
        assert "storewatch" not in daphne.process.log_text()


def test_a_server_that_hangs_does_not_hold_up_the_start(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as listener:
        url = f"postgres://u:p@{LOOPBACK}:{listener.getsockname()[1]}/push"
        with Daphne(tmp_path, DATABASE_URL=url) as daphne:
            assert daphne.one(request("/healthz", method="GET"), "GET").status == 200
            assert "store:" not in daphne.process.log_text()  # it has not given up yet
            said(daphne, "store: ")
            assert daphne.process.running


def test_it_waits_for_a_store_that_comes_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answers: list[Any] = [DatabaseError("starting up"), OSError("no descriptor"), "too old"]

    def misfit() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    monkeypatch.setattr(storewatch, "misfit", misfit)
    monkeypatch.setattr(storewatch, "PAUSE", 0.01)
    asyncio.run(storewatch.tell_misfit())
    assert [one.getMessage() for one in caplog.records if "storewatch" in one.name] == ["too old"]


@pytest.mark.parametrize("name", [":memory:", "file:elsewhere?mode=memory"])
def test_what_is_no_file_stays_as_it_is(name: str) -> None:
    entry: dict[str, Any] = {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": {}}
    storewatch.open_what_is_there(entry)
    assert entry["OPTIONS"] == {}


def test_a_name_with_odd_letters_is_a_name(tmp_path: Path) -> None:
    name = str(tmp_path / "a?b#c%20 d")
    entry: dict[str, Any] = {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": {}}
    storewatch.open_what_is_there(entry)
    assert entry["OPTIONS"]["database"].endswith("/a%3Fb%23c%2520%20d?mode=rw")
