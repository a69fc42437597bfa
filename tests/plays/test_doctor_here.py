"""The doctor looks at this machine: settings, database, RUN_DIR, clock."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pushprovider import migrations
from tests.real.doctor import doctor
from tests.real.provider import Provider
from tests.real.store import SqliteStore


@pytest.mark.sqlite("it is a file")
def test_it_tells_that_there_is_no_database(idle: Provider) -> None:
    assert isinstance(idle.store, SqliteStore)
    idle.store.lose()
    doctor(idle).assert_only("database.missing", str(idle.store.file))
    assert not idle.store.file.exists()


@pytest.mark.postgresql
def test_it_tells_that_the_server_has_no_such_database(idle: Provider) -> None:
    idle.store.lose()
    doctor(idle).assert_only("database.unusable", "does not exist")


@pytest.mark.on_both
def test_it_tells_a_database_without_the_migrations(idle: Provider) -> None:
    idle.store.rows(
        "DELETE FROM django_migrations WHERE app = 'pushprovider' AND name <> '0001_initial'"
    )
    number = len(list(Path(migrations.__file__).parent.glob("0*.py"))) - 1
    doctor(idle).assert_only("database.migrations", f"{number} not applied")


@pytest.mark.on_both
def test_it_tells_a_database_of_a_newer_version(idle: Provider) -> None:
    idle.store.rows(
        "INSERT INTO django_migrations (app, name, applied)"
        " VALUES ('pushprovider', '9999_later', CURRENT_TIMESTAMP)"
    )
    doctor(idle).assert_only("database.newer", "1 unknown here")


@pytest.mark.sqlite("it is a file")
def test_it_tells_a_file_that_is_no_database(idle: Provider) -> None:
    assert isinstance(idle.store, SqliteStore)
    idle.store.file.write_bytes(b"This is not a database, whatever its name says. " * 100)
    doctor(idle).assert_only("database.unusable", "not a database")


@pytest.mark.on_both
def test_it_tells_a_database_that_cannot_be_written(idle: Provider) -> None:
    with idle.store.locked():
        doctor(idle, "--only", "local").assert_only("database.unwritable")


def test_it_tells_that_run_dir_is_missing(idle: Provider) -> None:
    shutil.rmtree(idle.run_dir)
    found = doctor(idle, "--only", "local")
    found.assert_says("rundir.missing", str(idle.run_dir))
    assert "rundir.missing" in found.wrong


def test_it_tells_that_run_dir_cannot_be_written(idle: Provider) -> None:
    idle.run_dir.chmod(0o500)
    found = doctor(idle, "--only", "local")
    found.assert_only("rundir.unwritable", str(idle.run_dir))


NOT_WAL = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("PRAGMA journal_mode=DELETE")
from pushprovider.admin import checks
print(checks.database())
"""


@pytest.mark.sqlite("WAL is SQLite's")
def test_it_tells_a_database_that_is_not_in_wal_mode(idle: Provider) -> None:
    """As on a file system without shared memory: every connection asks for WAL."""
    said = idle.manage("shell", "-v", "0", "-c", NOT_WAL)
    assert "code='database.not-wal'" in said
    assert "journal mode is delete" in said


def test_it_tells_debug_on_a_public_server(idle: Provider) -> None:
    settings = {"DEBUG": "true", "PUBLIC_URL": "https://push.example.org"}
    doctor(idle, "--only", "settings", **settings).assert_only("pushprovider.E001")


TOMORROW = """
from pushprovider.fields import now_ms, to_datetime
from pushprovider.store import operators, registrations
granted = registrations.register(registrations.Request("j@localhost", "r", "a", "i"), now_ms())
from pushprovider.models import Registration
operators.send_test_push(Registration.objects.get().pk, None, now_ms() + 86_400_000)
"""


@pytest.mark.on_both
def test_it_tells_a_clock_that_went_back(idle: Provider) -> None:
    idle.manage("shell", "-v", "0", "-c", TOMORROW)
    found = doctor(idle, "--only", "clock")
    found.assert_only("clock.backwards", "24 h")


@pytest.mark.on_both
def test_it_keeps_what_it_found_for_the_health_page(idle: Provider) -> None:
    doctor(idle, "--only", "component")
    assert idle.store.rows("SELECT value FROM pushprovider_status WHERE name = 'doctor'") == []
    doctor(idle)
    [verdict] = idle.store.rows("SELECT value FROM pushprovider_status WHERE name = 'doctor'")
    assert verdict == ("bad",)
    rows = idle.store.rows("SELECT value FROM pushprovider_status WHERE name LIKE 'doctor:%'")
    codes = [json.loads(value)[2] for (value,) in rows]
    assert "component.not-running" in codes
    assert "web.refused" in codes


@pytest.mark.on_both
def test_it_leaves_nothing_of_the_loop_behind(
    new_provider: Callable[..., Provider],
) -> None:
    provider = new_provider()
    assert "loop.delivered" in doctor(provider).findings
    assert provider.store.rows("SELECT jid FROM pushprovider_account") == []
    assert provider.store.rows("SELECT uid FROM pushprovider_message") == []
    assert provider.store.rows("SELECT id FROM pushprovider_registration") == []


def test_it_speaks_to_people_too(idle: Provider, tmp_path: Path) -> None:
    text = idle.manage("doctor", "--only", "local")
    assert "ok      Migrations: all applied" in text
    assert "How to fix: Run `manage.py backup FILE` every night" in text
    assert "0 wrong" in text
