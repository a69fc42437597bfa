"""`manage.py backup`: a whole copy or none, for its owner only."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from psycopg.conninfo import conninfo_to_dict

from pushprovider import backup
from pushprovider.backup import BackupFailed
from pushprovider.models import Status
from pushprovider.postgresql import dump
from pushprovider.store import status
from tests.real import postgres
from tests.settings import NAME
from upconfig.env import database_config


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database in WAL mode with a thousand rows that are not in its main file yet."""
    path = tmp_path / "live.sqlite3"
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("PRAGMA wal_autocheckpoint=0")
        writer.execute("CREATE TABLE number (value)")
        writer.executemany("INSERT INTO number VALUES (?)", [(one,) for one in range(1000)])
        writer.commit()
        keep_open = sqlite3.connect(path)  # so that closing does not empty the log
        keep_open.execute("SELECT * FROM number LIMIT 1").fetchone()
    keep_open.close()
    return path


def rows(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute("SELECT count(*) FROM number").fetchone()[0])


def test_it_copies_what_is_committed(database: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.sqlite3"
    assert backup.sqlite(database, target) == target.stat().st_size
    assert rows(target) == 1000


def test_it_leaves_out_what_is_not(database: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(database)) as writer:
        writer.execute("INSERT INTO number VALUES (1000)")
        backup.sqlite(database, tmp_path / "copy")
        writer.commit()
    assert (rows(tmp_path / "copy"), rows(database)) == (1000, 1001)


def test_it_is_one_file_that_only_its_owner_can_read(database: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    backup.sqlite(database, folder / "copy")
    assert [one.name for one in folder.iterdir()] == ["copy"]
    assert stat.S_IMODE((folder / "copy").stat().st_mode) == 0o600


def test_it_replaces_an_older_one(database: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("old")
    backup.sqlite(database, tmp_path / "copy")
    assert rows(tmp_path / "copy") == 1000


def test_it_keeps_the_older_one_when_it_fails(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "copy").write_text("old")
    (tmp_path / "live").write_bytes(b"no database" * 1000)
    with pytest.raises(BackupFailed, match="not a database"):
        backup.sqlite(tmp_path / "live", folder / "copy")
    assert (folder / "copy").read_text() == "old"
    assert len(list(folder.iterdir())) == 1


def test_it_does_not_copy_the_database_onto_itself(database: Path) -> None:
    with pytest.raises(BackupFailed, match="itself"):
        backup.sqlite(database, database)
    assert rows(database) == 1000


def test_it_says_that_there_is_no_such_folder(database: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="No such file or directory"):
        backup.sqlite(database, tmp_path / "nowhere" / "copy")


def test_it_says_where_to_get_pg_dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupFailed, match="postgresql-client"):
        backup.postgresql({"NAME": "push"}, tmp_path / "copy")


@pytest.mark.parametrize("name", ["", ".", "/"])
def test_it_says_that_a_copy_needs_a_name(name: str, database: Path) -> None:
    with pytest.raises(BackupFailed, match="no name of a file"):
        backup.sqlite(database, Path(name))


def test_it_says_that_a_name_is_too_long(database: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="File name too long"):
        backup.sqlite(database, tmp_path / ("x" * 300))


def test_pg_dump_is_told_all_that_the_url_says() -> None:
    query = "sslmode=verify-full&sslrootcert=/etc/my%20ca.pem&target_session_attrs=read-write"
    words, secret = dump.place(database_config(f"postgres://u:pass%20word@db:5433/push?{query}"))
    assert secret == {"PGPASSWORD": "pass word"}
    assert "pass" not in words
    told = conninfo_to_dict(words)
    assert (told["host"], told["port"], told["user"], told["dbname"]) == ("db", "5433", "u", "push")
    assert (told["sslmode"], told["sslrootcert"]) == ("verify-full", "/etc/my ca.pem")
    assert told["target_session_attrs"] == "read-write"


def test_a_password_in_the_urls_query_stays_off_the_command_line() -> None:
    words, secret = dump.place(database_config("postgres://u@db/push?password=hidden"))
    assert (secret, "hidden" in words) == ({"PGPASSWORD": "hidden"}, False)


def test_what_is_django_s_own_is_not_for_pg_dump() -> None:
    words, _ = dump.place(database_config("postgres://u@db/push?server_side_binding=true"))
    assert "server_side_binding" not in words


def test_a_secret_that_would_show_is_no_backup(tmp_path: Path) -> None:
    entry = database_config("postgres://u@db/push?sslpassword=hidden")
    with pytest.raises(BackupFailed, match="told sslpassword on") as caught:
        backup.postgresql(entry, tmp_path / "copy")
    assert "hidden" not in str(caught.value)


@pytest.mark.postgresql
def test_pg_dump_does_not_connect_without_the_tls_that_the_url_asks_for(
    store: None, tmp_path: Path
) -> None:
    server = postgres.Postgres(tcp=True)
    try:
        server.start()
        url = server.url("postgres", tcp_port=server.port)
        assert backup.postgresql(database_config(url), tmp_path / "copy") > 0
        with pytest.raises(BackupFailed, match="does not support SSL"):
            backup.postgresql(database_config(f"{url}?sslmode=require"), tmp_path / "copy")
    finally:
        server.remove()


@pytest.mark.postgresql
def test_pg_dump_finds_a_socket_that_the_urls_query_names(store: None, tmp_path: Path) -> None:
    folder = postgres.shared().folder
    url = f"postgres://{postgres.USER}@/{NAME}?host={folder}"
    assert backup.postgresql(database_config(url), tmp_path / "copy") > 0


@pytest.mark.django_db(transaction=True)
def test_the_command_notes_when_it_was(tmp_path: Path) -> None:
    out = StringIO()
    call_command("backup", str(tmp_path / "copy"), stdout=out)
    assert str(tmp_path / "copy") in out.getvalue()
    assert Status.objects.get(name=status.BACKUP).value == "manage.py backup"


@pytest.mark.django_db(transaction=True)
def test_the_command_notes_a_backup_by_other_means() -> None:
    call_command("backup", "--done")
    assert Status.objects.get(name=status.BACKUP).value == "by other means"


@pytest.mark.django_db(transaction=True)
def test_a_failure_is_one_line_and_no_note(tmp_path: Path) -> None:
    for name in (str(tmp_path), ""):
        with pytest.raises(CommandError, match="No backup was made"):
            call_command("backup", name)
    assert not Status.objects.filter(name=status.BACKUP).exists()
