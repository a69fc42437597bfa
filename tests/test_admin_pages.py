"""Every page of the admin, empty and full: it renders, and keeps to the policy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from pushprovider import stats
from pushprovider.certificate import DAY
from pushprovider.doctor import findings
from pushprovider.fields import now_ms
from pushprovider.http.csp import POLICY
from pushprovider.models import Account, Message, Registration, Status
from pushprovider.stats import Count, Counts
from pushprovider.store import status
from tests.browser import town

PAGES = (
    "admin:index",
    "admin:live",
    "admin:statistics",
    "admin:health",
    "admin:more",
    "admin:pushprovider_account_changelist",
    "admin:pushprovider_registration_changelist",
    "admin:pushprovider_message_changelist",
    "admin:admin_logentry_changelist",
    "admin:auth_user_changelist",
    "admin:auth_group_changelist",
    "admin:auth_user_add",
    "admin:password_change",
)


class Inspector(HTMLParser):
    """Collects what the content security policy, or privacy, forbids."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        given = dict(attrs)
        if tag == "style" or (tag == "script" and not given.get("src")):
            self.wrong.append(f"inline <{tag}>")
        for name, value in attrs:
            if name == "style" or name.startswith("on"):
                self.wrong.append(f"{name}= on <{tag}>")
            if re.match(r"\s*javascript:", value or "", re.IGNORECASE):
                self.wrong.append(f"javascript: on <{tag}>")
        for name in ("src", "href", "action", "data", "poster"):
            foreign = re.match(r"(?:[a-z]+:)?//", given.get(name) or "")
            if foreign and (tag, name) not in {("a", "href")}:
                self.wrong.append(f"{name}={given[name]} on <{tag}>")


def assert_clean(page: str) -> None:
    inspector = Inspector()
    inspector.feed(page)
    assert inspector.wrong == []
    assert not re.search(r"Select .* to (change|view)|Save and add another|Add endpoint", page)


@pytest.fixture
def operator(client: Client, store: None) -> Iterator[Client]:
    """A browser that is logged in as somebody who may see everything."""
    client.force_login(User.objects.create_superuser("ops", password="secret"))
    yield client
    LogEntry.objects.all().delete()
    User.objects.all().delete()


@pytest.fixture
def busy(store: None) -> None:
    """A town with something of everything."""
    town.build(users=30, messages=200, days=2)


def visit(client: Client, address: str) -> str:
    """Return a page that must be there, after a look at its policy and its HTML."""
    response = client.get(address)
    assert response.status_code == 200, address
    assert response.headers["Content-Security-Policy"] == POLICY
    page = response.content.decode()
    if "auth_" not in address and "/auth/" not in address:
        assert_clean(page)
    return page


def test_it_renders_without_data(operator: Client) -> None:
    for name in PAGES:
        visit(operator, reverse(name))


def test_it_renders_with_data(operator: Client, busy: None) -> None:
    for name in PAGES:
        visit(operator, reverse(name))


def test_it_renders_every_range(operator: Client, busy: None) -> None:
    for span in ("24h", "7d", "30d", "nonsense"):
        for name in ("admin:index", "admin:statistics"):
            visit(operator, f"{reverse(name)}?range={span}")


def test_it_renders_rows_of_every_kind(operator: Client, busy: None) -> None:
    for model in (Account, Registration, Message):
        for row in list(model._default_manager.all())[:20]:
            address = reverse(f"admin:pushprovider_{model._meta.model_name}_change", args=[row.pk])
            visit(operator, address)


def test_the_home_page_is_clean(client: Client, store: None) -> None:
    page = visit(client, "/")
    assert "<svg" in page
    assert "up.localhost" in page
    assert "30 days" in page


def test_the_login_page_is_clean(client: Client, store: None) -> None:
    visit(client, reverse("admin:login"))


def test_a_stranger_is_sent_to_the_login(client: Client, store: None) -> None:
    for name in PAGES:
        response = client.get(reverse(name))
        assert response.status_code == 302, name
        assert response.headers["Location"].startswith("/admin/login/")


def test_staff_without_a_group_sees_nothing(client: Client, busy: None) -> None:
    client.force_login(User.objects.create_user("new", is_staff=True))
    assert client.get(reverse("admin:index")).status_code == 200
    for name in PAGES[1:4] + PAGES[5:10]:
        assert client.get(reverse(name)).status_code == 403, name
    assert client.get(reverse("admin:statistics_csv")).status_code == 403
    User.objects.all().delete()


def test_the_csv_has_every_counter(operator: Client, busy: None) -> None:
    response = operator.get(reverse("admin:statistics_csv"), {"range": "24h"})
    lines = response.content.decode().splitlines()
    assert lines[0] == "hour,counter,label,count"
    assert any(",settled,delivered," in line for line in lines)


def test_it_tells_what_no_phone_can_read_and_what_came_from_matrix(
    operator: Client, store: None
) -> None:
    stats.write(Counts({(Count.ENCODING, "aesgcm"): 41, (Count.MATRIX, "rejected"): 43}), now_ms())
    page = visit(operator, reverse("admin:statistics"))
    for card, label, number in (("encoding", "aesgcm", "41"), ("matrix", "rejected", "43")):
        shown = page.partition(f'id="{card}"')[2].partition("</section>")[0]
        assert label in shown
        assert number in shown


def test_the_health_page_shows_what_the_doctor_found(operator: Client) -> None:
    assert "It has not run yet" in visit(operator, reverse("admin:health"))
    lost = findings.bad("Full loop", "loop.lost", "not delivered <within> 20 s")
    findings.keep([lost], now_ms() - 2 * 3_600_000)
    page = visit(operator, reverse("admin:health")).partition('class="doctor"')[2]
    assert "2 hours ago" in page
    assert "not delivered &lt;within&gt; 20 s" in page
    assert "Read the component&#x27;s log" in page
    Status.objects.all().delete()


def test_the_dashboard_shows_certificate_and_backup(operator: Client) -> None:
    status.tell(status.CERTIFICATE, f"valid {now_ms() + 63 * DAY + 1000}", now_ms())
    status.tell(status.BACKUP, "manage.py backup", now_ms() - 5 * 3_600_000)
    pills = visit(operator, reverse("admin:index")).partition('class="pills"')[2]
    pills = pills.partition("</ul>")[0]
    assert "63 days left" in pills
    assert "5 hours ago" in pills
    Status.objects.all().delete()


def test_settings_in_force_hold_no_secret(operator: Client) -> None:
    page = visit(operator, reverse("admin:health"))
    assert "REGISTRATION_TTL" in page
    assert "of the tests only" not in page
    assert "a component&#x27;s secret" not in page
    assert "sqlite:///" not in page


def test_guessing_passwords_is_slowed_down(client: Client, store: None) -> None:
    User.objects.create_superuser("ops", password="right")
    form = {"username": "ops", "password": "wrong"}
    statuses = [client.post(reverse("admin:login"), form).status_code for _ in range(10)]
    assert statuses == [200] * 9 + [429]
    right = client.post(reverse("admin:login"), form | {"password": "right"})
    assert right.status_code == 429
    assert b"Try again" in right.content
    User.objects.all().delete()


def test_a_forged_form_is_refused(store: None) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.create_superuser("ops", password="secret"))
    address = reverse("admin:pushprovider_account_changelist")
    answer = browser.post(address, {"action": "block", "_selected_action": "1", "post": "yes"})
    assert answer.status_code == 403
    User.objects.all().delete()
