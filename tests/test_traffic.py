"""The small pictures of what came, from the message log."""

from __future__ import annotations

import pytest

from pushprovider.admin import traffic
from pushprovider.fields import now_ms, to_datetime
from pushprovider.models import Account, Message, Registration
from pushprovider.stats import HOUR_MS

pytestmark = pytest.mark.django_db


def an_endpoint(jid: str) -> Registration:
    now = to_datetime(now_ms())
    account = Account.objects.create(jid=jid, created_at=now)
    return Registration.objects.create(
        key=jid.encode().ljust(16)[:16],
        account=account,
        resource="phone",
        application="app",
        instance="inst",
        created_at=now,
        renewed_at=now,
        expires_at=now,
    )


def a_message(endpoint: Registration, hours_ago: int, number: int) -> None:
    then = to_datetime(now_ms() - hours_ago * HOUR_MS)
    Message.objects.create(
        uid=f"{number}", registration=endpoint, account=endpoint.account, accepted_at=then,
        expires_at=then,
    )  # fmt: skip


def test_each_account_has_a_line_of_its_own() -> None:
    juliet, romeo = an_endpoint("juliet@localhost"), an_endpoint("romeo@localhost")
    for number, hours in enumerate((1, 5, 47)):
        a_message(juliet, hours, number)
    lines = traffic.lines([juliet.pk, romeo.pk])
    assert "3 messages in 48 hours" in lines[juliet.account_id]
    assert romeo.account_id not in lines


def test_what_is_older_than_the_line_is_not_in_it() -> None:
    juliet = an_endpoint("juliet@localhost")
    a_message(juliet, 100, 1)
    assert "0 messages in 48 hours" in traffic.lines([juliet.pk])[juliet.account_id]


def test_the_bars_show_the_hour_of_each() -> None:
    juliet = an_endpoint("juliet@localhost")
    a_message(juliet, 2, 1)
    assert traffic.by_hour(Message.objects.order_by("-id")).count("<rect") == 1
