"""The doctor looks at this machine: settings, database, RUN_DIR, clock."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.real.doctor import doctor
from tests.real.provider import Provider
from tests.real.xmpp_server import XmppServer


@pytest.fixture
def idle(shared_server: XmppServer, tmp_path: Path, migrated: Path) -> Iterator[Provider]:
    """The product installed, with no process running."""
    made = Provider(tmp_path, shared_server, migrated=migrated)
    made.migrate()
    yield made
    made.close()


def sql(provider: Provider, *statements: str) -> list[tuple[str, ...]]:
    """Change or read the database behind the product's back."""
    rows: list[tuple[str, ...]] = []
    with closing(sqlite3.connect(provider.database)) as database, database:
        for statement in statements:
            rows = database.execute(statement).fetchall()
    return rows


def test_it_tells_that_there_is_no_database(idle: Provider) -> None:
    idle.database.unlink()
    doctor(idle).assert_only("database.missing", str(idle.database))
    assert not idle.database.exists()


def test_it_tells_a_database_without_the_migrations(idle: Provider) -> None:
    sql(idle, "DELETE FROM django_migrations WHERE app = 'pushprovider'")
    doctor(idle).assert_only("database.migrations", "1 not applied")


def test_it_tells_a_file_that_is_no_database(idle: Provider) -> None:
    idle.database.write_bytes(b"This is not a database, whatever its name says. " * 100)
    doctor(idle).assert_only("database.unusable", "not a database")


def test_it_tells_a_database_that_cannot_be_written(idle: Provider) -> None:
    with closing(sqlite3.connect(idle.database)) as other:
        other.execute("BEGIN IMMEDIATE")
        doctor(idle, "--only", "local").assert_only("database.unwritable")


def test_it_tells_that_run_dir_is_missing(idle: Provider) -> None:
    shutil.rmtree(idle.run_dir)
    found = doctor(idle, "--only", "local")
    found.assert_says("rundir.missing", str(idle.run_dir))
    assert "rundir.missing" in found.wrong


def test_it_tells_debug_on_a_public_server(idle: Provider) -> None:
    settings = {"DEBUG": "true", "PUBLIC_URL": "https://push.example.org"}
    doctor(idle, "--only", "settings", **settings).assert_only("pushprovider.E001")


def test_it_tells_a_clock_that_went_back(idle: Provider) -> None:
    tomorrow = int(time.time() * 1000) + 86_400_000
    sql(
        idle,
        "INSERT INTO pushprovider_account (jid, created_at, blocked_reason)"
        " VALUES ('juliet@localhost', 0, '')",
        "INSERT INTO pushprovider_registration (key, account_id, resource, application, instance,"
        " vapid, created_at, renewed_at, expires_at, revoked_reason)"
        " VALUES (x'00', 1, 'phone', 'a', 'i', '', 0, 0, 0, '')",
        "INSERT INTO pushprovider_message (uid, registration_id, account_id, state, urgency,"
        " topic, ttl, size, payload, accepted_at, expires_at, sent_to, attempts, condition)"
        f" VALUES ('x', 1, 1, 2, 2, '', 0, 0, x'', {tomorrow}, 0, '', 0, '')",
    )
    found = doctor(idle, "--only", "clock")
    found.assert_only("clock.backwards", "24 h")


def test_it_keeps_what_it_found_for_the_health_page(idle: Provider) -> None:
    doctor(idle, "--only", "component")
    assert sql(idle, "SELECT value FROM pushprovider_status WHERE name = 'doctor'") == []
    doctor(idle)
    [verdict] = sql(idle, "SELECT value FROM pushprovider_status WHERE name = 'doctor'")
    assert verdict == ("bad",)
    rows = sql(idle, "SELECT value FROM pushprovider_status WHERE name LIKE 'doctor:%'")
    codes = [json.loads(value)[2] for (value,) in rows]
    assert "component.not-running" in codes
    assert "web.refused" in codes


def test_it_leaves_nothing_of_the_loop_behind(
    new_provider: Callable[..., Provider],
) -> None:
    provider = new_provider()
    assert "loop.delivered" in doctor(provider).findings
    assert sql(provider, "SELECT jid FROM pushprovider_account") == []
    assert sql(provider, "SELECT uid FROM pushprovider_message") == []
    assert sql(provider, "SELECT id FROM pushprovider_registration") == []


def test_it_speaks_to_people_too(idle: Provider, tmp_path: Path) -> None:
    text = idle.manage("doctor", "--only", "local")
    assert "ok      Migrations: all applied" in text
    assert "How to fix: Run `manage.py backup FILE` every night" in text
    assert "0 wrong" in text
