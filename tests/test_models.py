"""What is stored. The database keeps what the code relies on."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import IntegrityError, connection, models, transaction
from hypothesis import given
from hypothesis import strategies as st

from pushprovider.fields import now_ms, to_datetime, to_ms
from pushprovider.models import (
    WAITING,
    Account,
    HourlyCount,
    Message,
    MessageState,
    Registration,
    RevocationReason,
    Urgency,
)
from pushprovider.store import registrations
from pushprovider.store.post import Limits, Post
from pushprovider.store.save import save
from tests.cast import Phone
from tests.settings import STORE

NO_KEY = {"sqlite": "x'00'", "postgresql": "'\\x00'::bytea"}[STORE]
EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}[STORE]

NOW = 1_800_000_000_123


def test_it_works(phone: Phone) -> None:
    phone.register(now=NOW)
    row = phone.registration()
    assert str(row.account) == "juliet@localhost"
    assert str(row) == f"{row.application[:8]} of juliet@localhost"
    assert row.device == "juliet@localhost/phone"


def test_a_moment_is_read_as_it_was_written(phone: Phone) -> None:
    phone.register(now=NOW)
    row = phone.registration()
    assert row.created_at == dt.datetime(2027, 1, 15, 8, 0, 0, 123_000, dt.UTC)
    assert Registration.objects.get(created_at=row.created_at) == row
    assert not Registration.objects.filter(created_at__gt=row.created_at).exists()
    assert row.revoked_at is None
    row.revoked_at = row.created_at
    row.save()
    assert phone.registration().revoked_at == row.created_at


@given(st.integers(min_value=0, max_value=253_402_300_799_000))
def test_a_moment_is_milliseconds(ms: int) -> None:
    assert to_ms(to_datetime(ms)) == ms


def test_a_moment_beyond_the_calendar_is_its_end() -> None:
    assert to_datetime(10**18).year == 9999
    assert abs(to_datetime(now_ms()) - dt.datetime.now(dt.UTC)) < dt.timedelta(seconds=5)


def test_a_registration_is_active_until_it_ends(phone: Phone) -> None:
    phone.register(now=NOW)
    row = phone.registration()
    assert row.state_at(row.expires_at - dt.timedelta(milliseconds=1)) == "active"
    assert row.state_at(row.expires_at) == "expired"
    registrations.revoke([row.pk], RevocationReason.OWNER, NOW)
    assert phone.registration().state_at(row.created_at) == "revoked"


def test_only_two_states_are_not_terminal() -> None:
    assert [state for state in MessageState if not state.is_terminal] == list(WAITING)


def test_urgencies_are_in_order() -> None:
    assert sorted(Urgency) == [Urgency.VERY_LOW, Urgency.LOW, Urgency.NORMAL, Urgency.HIGH]


def test_an_account_is_blocked_since_a_moment() -> None:
    assert not Account(jid="juliet@localhost").is_blocked
    assert Account(jid="juliet@localhost", blocked_at=to_datetime(NOW)).is_blocked


def test_rows_have_names(phone: Phone) -> None:
    phone.register()
    save([Post(bytes(phone.registration().key), b"", 60)], now_ms(), Limits())
    assert str(phone.messages()[0]) == phone.messages()[0].uid
    assert str(HourlyCount(name="renewed", label="x")) == "renewed x"


def copy(row: models.Model, **changes: object) -> None:
    """Insert a copy of a row."""
    row.pk = None
    row._state.adding = True
    for name, value in changes.items():
        setattr(row, name, value)
    with transaction.atomic():
        row.save()


def test_an_identity_has_one_live_registration(phone: Phone) -> None:
    phone.register()
    with pytest.raises(IntegrityError):
        copy(phone.registration(), key=b"k" * 16)
    copy(phone.registration(), key=b"k" * 16, revoked_at=to_datetime(NOW))
    copy(phone.registration(), key=b"l" * 16, revoked_at=to_datetime(NOW))


def test_keys_and_ids_are_unique(phone: Phone) -> None:
    phone.register()
    with pytest.raises(IntegrityError):
        copy(phone.registration(), instance="other")
    with pytest.raises(IntegrityError):
        copy(phone.registration().account)
    save([Post(bytes(phone.registration().key), b"", 60)], now_ms(), Limits())
    with pytest.raises(IntegrityError):
        copy(phone.messages()[0])


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT id FROM pushprovider_registration WHERE key = " + NO_KEY, "key"),
        ("SELECT id FROM pushprovider_message WHERE uid = 'a'", "uid"),
        (
            "SELECT id FROM pushprovider_message WHERE account_id = 1 AND registration_id = 1"
            " AND state <= 1 ORDER BY urgency DESC, id LIMIT 1",
            "message_waiting",
        ),
        (
            "SELECT id FROM pushprovider_message WHERE state <= 1 AND expires_at <= 1"
            " ORDER BY expires_at LIMIT 1",
            "message_expiring",
        ),
        (
            "SELECT id FROM pushprovider_message WHERE state > 1 AND settled_at < 1"
            " ORDER BY settled_at LIMIT 1",
            "message_settled",
        ),
        (
            "SELECT id FROM pushprovider_registration WHERE expires_at < 1 ORDER BY expires_at",
            "registration_expires",
        ),
    ],
)
def test_the_hot_queries_use_their_index(query: str, index: str, store: None) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        if STORE == "postgresql":  # it would read a table of one page as a whole, and sort it
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"{EXPLAIN} {query}")
        plan = " ".join(str(row[-1]) for row in cursor.fetchall())
    # SQLite names the column beside the index that it made for a unique one.
    assert re.search(rf"\b{index}\b|_{index}_", plan)
    assert "SCAN" not in plan
    assert "Seq Scan" not in plan


@pytest.mark.postgresql
def test_every_commit_is_synced(store: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("on",)


@pytest.mark.sqlite("the modes are pragmas")
def test_the_database_is_durable(store: None) -> None:
    with connection.cursor() as cursor:
        modes = [
            cursor.execute(f"PRAGMA {n}").fetchone()[0] for n in ("journal_mode", "synchronous")
        ]
    assert modes[0] == "wal"
    assert modes[1] in (1, 2)  # NORMAL or FULL, never OFF


def test_a_message_is_no_larger_than_it_must_be(phone: Phone) -> None:
    phone.register()
    save([Post(bytes(phone.registration().key), bytes(4096), 60)], now_ms(), Limits())
    assert Message.objects.get().size == 4096
