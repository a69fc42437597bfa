"""A database of another version: an older one wants `migrate`, a newer one cannot be used."""

from __future__ import annotations

import pytest
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader

from pushprovider import schema
from pushprovider.admin import checks
from tests.trouble import migrated_as, unit_store


class Squashed(Migration):
    """Stands for a migration that a later release left out."""

    replaces = [("pushprovider", "0001_long_gone")]


pytestmark = pytest.mark.usefixtures("store")


def test_a_database_of_this_version_fits() -> None:
    assert (schema.misfit(), checks.migrations().code) == ("", "database.migrated")


def test_a_newer_version_has_migrated_it() -> None:
    with migrated_as("9999_later"):
        assert "of a newer version: it has 1 migrations" in schema.misfit()
        found = checks.migrations()
    assert (found.state, found.code) == ("bad", "database.newer")
    assert "restore a backup" in found.fix


def test_a_newer_one_is_never_told_to_migrate() -> None:
    """What it lacks, too, may have been renamed by then."""
    where = "WHERE app = 'pushprovider' AND name = '0002_waiting_in_order'"
    with migrated_as("9999_later"):
        unit_store().rows(f"UPDATE django_migrations SET app = 'elsewhere' {where}")
        try:
            assert "newer" in schema.misfit()
            assert checks.migrations().code == "database.newer"
        finally:
            undo = where.replace("pushprovider", "elsewhere")
            unit_store().rows(f"UPDATE django_migrations SET app = 'pushprovider' {undo}")


def test_what_was_squashed_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    load = MigrationLoader.load_disk

    def load_squashed(self: MigrationLoader) -> None:
        load(self)
        name = ("pushprovider", "0001_squashed")
        self.disk_migrations[name] = Squashed(name[1], name[0])

    monkeypatch.setattr(MigrationLoader, "load_disk", load_squashed)
    with migrated_as("0001_long_gone"):
        assert schema.difference() == (0, 0)
