"""Whose names the audit log keeps, and for how long."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pushprovider.models import Account
from pushprovider.stats import HOUR_MS
from pushprovider.store import auditlog, housekeeping, operators
from tests.cast import Phone

NOW = 1_800_000_000_000
#: Long after everything of NOW has ended.
LATER = NOW + 100 * 24 * HOUR_MS
#: Two JIDs that begin alike, longer than the log has room for.
LONG = f"{'j' * 190}@capulet.example"


@pytest.fixture
def operator(store: None) -> Iterator[int]:
    """The key of somebody who acts."""
    yield User.objects.create_user("ops").pk
    LogEntry.objects.all().delete()
    User.objects.all().delete()


def revoked(jid: str, operator: int) -> None:
    """Let somebody have one endpoint, which an operator has ended with a reason."""
    phone = Phone(f"{jid}/phone")
    phone.register(now=NOW)
    operators.revoke([phone.registration().pk], f"{jid} lost it", operator, NOW)


def log() -> list[tuple[str, str]]:
    """Return who and why of every entry, oldest first."""
    return list(LogEntry.objects.order_by("pk").values_list("object_repr", "change_message"))


def keys(*jids: str) -> list[int]:
    return list(Account.objects.filter(jid__in=jids).values_list("pk", flat=True))


@pytest.mark.parametrize("jid", ["juliet@localhost", LONG])
def test_erasing_takes_the_name_out_of_entries_of_endpoints_long_gone(
    operator: int, jid: str
) -> None:
    revoked(jid, operator)
    operators.block(keys(jid), f"{jid} again", operator, NOW)  # who is blocked is not forgotten
    housekeeping.tidy(LATER)
    [(about, why), _] = log()
    assert (jid[:100] in about, jid in why) == (True, True)
    operators.erase(keys(jid)[0], operator, LATER)
    assert [who for who, _ in log()] == [auditlog.ERASED] * 3
    assert jid[:8] not in str(log())


def test_what_is_said_of_others_stays(operator: int) -> None:
    others = ["et@localhost", "xjuliet@localhost", "juliet@localhost.example"]
    for jid in (*others, "juliet@localhost"):
        revoked(jid, operator)
    operators.block(keys(*others), "spam", operator, NOW)
    before = log()
    operators.erase(keys("juliet@localhost")[0], None, NOW)
    assert log() == [*before[:3], (auditlog.ERASED, ""), *before[4:]]


def test_who_is_forgotten_is_forgotten_in_the_log(operator: int) -> None:
    for jid in ("juliet@localhost", "romeo@localhost"):
        revoked(jid, operator)
    Phone("romeo@localhost/phone").register(now=LATER)
    operators.block(keys("juliet@localhost"), "spam of juliet", operator, NOW)
    operators.unblock(keys("juliet@localhost"), "juliet said sorry", operator)
    [_, romeos, *_] = log()
    housekeeping.tidy(LATER)
    assert [row.jid for row in Account.objects.all()] == ["romeo@localhost"]
    assert log() == [(auditlog.ERASED, ""), romeos, *[(auditlog.ERASED, "")] * 2]


def test_while_nobody_is_forgotten_the_log_is_not_looked_at(operator: int) -> None:
    revoked("juliet@localhost", operator)
    with CaptureQueriesContext(connection) as queries:
        housekeeping.forget(NOW)
    assert not [one["sql"] for one in queries if "admin_log" in one["sql"]]
