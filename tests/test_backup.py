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

from pushprovider import backup
from pushprovider.backup import BackupFailed
from pushprovider.models import Status
from pushprovider.store import status


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
    with pytest.raises(CommandError, match="No backup was made"):
        call_command("backup", str(tmp_path))
    assert not Status.objects.filter(name=status.BACKUP).exists()
