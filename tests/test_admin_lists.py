"""The lists: searches and filters that find the right rows, by indexes, without counting."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from pushprovider.admin import fatefilters, filters
from pushprovider.fields import now_ms, to_datetime
from pushprovider.models import Account, Message, Registration
from pushprovider.naming import app_hash, endpoint_hash
from tests.browser import town
from tests.cast import ApplicationServer, Phone

LISTS = ("account", "registration", "message")
#: Queries of a list: session, user, the list's own, and what it decorates its rows with.
MOST_QUERIES = 12

FILTERS = [
    *(("account", {"access": value}) for value in ("blocked", "open", "nonsense")),
    *(("account", {"seen": value}) for value in ("day", "week", "idle")),
    ("account", {"domain": "localhost"}),
    ("account", {"domain": "nobody.example"}),
    *(("registration", {"state": value}) for value in ("active", "revoked", "expired")),
    *(("registration", {"idle": value}) for value in ("7", "30", "never")),
    *(("registration", {"vapid": value}) for value in ("yes", "no")),
    *(("registration", {"legacy": value}) for value, _ in filters.IssuedBy.options),
    ("registration", {"domain": "localhost"}),
    *(("message", {"state": value}) for value, _ in fatefilters.Fate.options),
    *(("message", {"urgency": value}) for value, _ in fatefilters.ByUrgency.options),
    *(("message", {"accepted": value}) for value, _ in fatefilters.Accepted.options),
    *(("message", {"registration": value}) for value in ("1", "9" * 18, "9" * 23, "x")),
]
ODD = [
    "a" * 10_000,
    "%",
    "_",
    "' OR 1=1 --",
    "\x07\x1b[31m",
    "\u202egro.elpmaxe@teiluj",
    "אבג@example.org",
    "<script>alert(1)</script>",
    "\U0010ffff",
    "xmpp:",
    "@",
    "/",
]


@pytest.fixture
def operator(client: Client, store: None) -> Iterator[Client]:
    """A browser that is logged in as somebody who may see everything."""
    client.force_login(User.objects.create_superuser("ops", password="secret"))
    yield client
    User.objects.all().delete()


def address(model: str) -> str:
    return reverse(f"admin:pushprovider_{model}_changelist")


def rows(browser: Client, model: str, **query: str) -> list[object]:
    """Return the rows that a list shows."""
    response = browser.get(address(model), query)
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


@pytest.mark.parametrize("model", LISTS)
def test_a_list_costs_few_queries_and_counts_nothing(operator: Client, model: str) -> None:
    town.build(users=120, messages=300, days=1)
    for query in ({}, {"p": "2"}, {"q": "juliet"}, *(q for of, q in FILTERS if of == model)):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = operator.get(address(model), query)
        assert response.status_code in (200, 302), query
        said = [one["sql"] for one in queries]
        assert len(said) <= MOST_QUERIES, said
        assert not [sql for sql in said if sql.upper().startswith("SELECT COUNT(")]


def test_every_filter_is_answered(operator: Client) -> None:
    town.build(users=20, messages=120, days=1)
    for model, query in FILTERS:
        rows(operator, model, **query)


def test_filters_find_what_they_say(operator: Client) -> None:
    town.build(users=60, messages=300, days=1)
    now = to_datetime(now_ms())
    assert all(row.is_blocked for row in rows(operator, "account", access="blocked"))  # type: ignore[attr-defined]
    assert rows(operator, "account", access="blocked")
    assert {row.domain for row in rows(operator, "account", domain="localhost")} == {"localhost"}  # type: ignore[attr-defined]
    revoked = rows(operator, "registration", state="revoked")
    assert {row.state_at(now) for row in revoked} == {"revoked"}  # type: ignore[attr-defined]
    at = rows(operator, "registration", domain="localhost")
    assert {row.account.domain for row in at} == {"localhost"}  # type: ignore[attr-defined]
    waiting = rows(operator, "message", state="waiting")
    assert waiting
    assert {row.state for row in waiting} <= {0, 1}  # type: ignore[attr-defined]
    failed = rows(operator, "message", state="failed")
    assert {row.state for row in failed} <= {3, 6, 7}  # type: ignore[attr-defined]
    hour = rows(operator, "message", accepted="hour")
    assert all(row.accepted_at > filters.ago(filters.HOUR + 60_000) for row in hour)  # type: ignore[attr-defined]


def test_odd_searches_find_nothing_and_break_nothing(
    operator: Client, phone: Phone, server: ApplicationServer
) -> None:
    server.post(phone.register())
    for text in ODD:
        for model in LISTS:
            response = operator.get(address(model), {"q": text})
            assert response.status_code == 200, text
            page = response.content.decode()
            assert "<script>alert(1)</script>" not in page
            assert "juliet@localhost" not in page or text in ("xmpp:", "/"), text
        assert operator.post(reverse("admin:find"), {"q": text}).status_code == 302, text


def test_searches_are_exact_or_by_beginning(operator: Client, server: ApplicationServer) -> None:
    for name in ("juliet", "julietta", "romeo"):
        server.post(Phone(f"{name}@localhost/phone").register())
    assert len(rows(operator, "account", q="juliet")) == 2
    assert len(rows(operator, "account", q="juliet@localhost")) == 1
    assert len(rows(operator, "account", q="JULIET@localhost/phone")) == 1
    assert len(rows(operator, "account", q="uliet")) == 0
    assert len(rows(operator, "registration", q="romeo@")) == 1
    row = Registration.objects.filter(account__jid="romeo@localhost").get()
    assert len(rows(operator, "registration", q=app_hash(row.application))) == 3
    message = Message.objects.filter(registration=row).get()
    assert [one.pk for one in rows(operator, "message", q=message.uid)] == [message.pk]  # type: ignore[attr-defined]
    assert [one.pk for one in rows(operator, "message", q="romeo@localhost")] == [message.pk]  # type: ignore[attr-defined]


def test_find_goes_straight_to_what_is_meant(
    operator: Client, phone: Phone, server: ApplicationServer
) -> None:
    endpoint = phone.register()
    location = server.post(endpoint).headers["location"]
    juliet, row, message = Account.objects.get(), phone.registration(), phone.messages()[0]
    meant = {
        "juliet@localhost": f"/admin/pushprovider/account/{juliet.pk}/change/",
        "xmpp:juliet@localhost": f"/admin/pushprovider/account/{juliet.pk}/change/",
        endpoint: f"/admin/pushprovider/registration/{row.pk}/change/",
        endpoint[-43:]: f"/admin/pushprovider/registration/{row.pk}/change/",
        message.uid: f"/admin/pushprovider/message/{message.pk}/change/",
        location: f"/admin/pushprovider/message/{message.pk}/change/",
        "jul": "/admin/pushprovider/account/?q=jul",
        row.application[:8]: "/admin/pushprovider/registration/?q=",
    }
    for text, where in meant.items():
        answer = operator.post(reverse("admin:find"), {"q": text})
        assert answer.headers["Location"].startswith(where), text


def test_what_pages_show_is_found(
    operator: Client, phone: Phone, server: ApplicationServer
) -> None:
    server.post(phone.register())
    row, message = phone.registration(), phone.messages()[0]
    page = f"/admin/pushprovider/registration/{row.pk}/change/"
    title = operator.get(page).context["title"]
    shown = operator.get(address("message")).content.decode()
    [name] = re.findall(r"<code[^>]*>(.*?)</code>", shown)
    assert len(name) == 17
    for text in (name, name.removesuffix("…")):
        assert [one.pk for one in rows(operator, "message", q=text)] == [message.pk]  # type: ignore[attr-defined]
        answer = operator.post(reverse("admin:find"), {"q": text}, follow=True)
        assert message.uid in answer.content.decode()
    answer = operator.post(reverse("admin:find"), {"q": title.removeprefix("Endpoint ")})
    assert answer.headers["Location"] == page
    assert len(rows(operator, "registration", q=f"{row.application[:8]}…")) == 1


def test_all_of_an_endpoint_or_a_user_leads_to_theirs_alone(
    operator: Client, server: ApplicationServer
) -> None:
    juliet = Phone("juliet@localhost/phone")
    for phone in (juliet, Phone("juliet@localhost.example/phone"), Phone("romeo@localhost/phone")):
        server.post(phone.register())
    server.post(juliet.register("news"))
    row = juliet.registration("chat")
    for page, number in (
        (reverse("admin:pushprovider_registration_change", args=[row.pk]), 1),
        (reverse("admin:pushprovider_account_change", args=[row.account_id]), 2),
    ):
        text = operator.get(page).content.decode()
        [there] = re.findall(r'Latest messages</h2><a href="([^"]*)">All', text)
        found = operator.get(there).context["cl"]
        assert {one.account.jid for one in found.result_list} == {"juliet@localhost"}
        assert len(found.result_list) == number
    only = operator.get(address("message"), {"registration": str(row.pk)}).content.decode()
    assert endpoint_hash(bytes(row.key)) in only
    assert "Clear all filters" in only
    assert rows(operator, "message", registration="999999") == []


def test_a_list_is_turned_page_by_page(operator: Client) -> None:
    town.build(users=120, messages=1, days=1)
    first = operator.get(address("account")).content.decode()
    assert "Older" in first
    assert "Newer" not in first
    last = operator.get(address("account"), {"p": "3"}).content.decode()
    assert "Newer" in last
    assert "Older" not in last
    for page in ("0", "-1", "201", "99999999999999999999"):
        assert operator.get(address("account"), {"p": page}).status_code == 302


def test_strangers_words_are_text(
    operator: Client, phone: Phone, server: ApplicationServer
) -> None:
    server.post(phone.register(), user_agent='<img src=x onerror="alert(1)">' * 250)
    Account.objects.create(jid="\u202eevil<b>@localhost", created_at=to_datetime(now_ms()))
    for page in ("admin:index", "admin:statistics", "admin:pushprovider_account_changelist"):
        text = operator.get(reverse(page)).content.decode()
        assert "<img src=x" not in text
        assert "evil<b>" not in text
    row = phone.registration()
    text = operator.get(
        reverse("admin:pushprovider_registration_change", args=[row.pk])
    ).content.decode()
    assert "&lt;img src=x" in text
    assert "<img src=x" not in text
