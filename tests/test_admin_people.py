"""Administrators' own pages, which are Django's: every link on them leads somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from pushprovider.admin.groups import make_groups

ROLES = ("superuser", "operator", "viewer", "nobody yet")


class Links(HTMLParser):
    """Collects where a page's links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        if tag == "a" and (there := dict(attrs).get("href")):
            self.found.add(there)


@pytest.fixture
def people(store: None) -> Iterator[None]:
    """Somebody of each role."""
    make_groups(apps.get_app_config("pushprovider"), using="default")
    for role in ROLES:
        user = User.objects.create_user(role, is_staff=True, is_superuser=role == "superuser")
        user.groups.set(Group.objects.filter(name=role))
    yield
    User.objects.all().delete()


def browser_of(role: str) -> Client:
    """Return a browser of somebody of a role."""
    browser = Client()
    browser.force_login(User.objects.get(username=role))
    return browser


def links(browser: Client, address: str) -> set[str]:
    """Return the addresses that a page of the admin links to."""
    answer = browser.get(address)
    assert answer.status_code == 200, address
    parser = Links()
    parser.feed(answer.content.decode())
    theirs = {
        urlsplit(urljoin(address, one))._replace(fragment="").geturl() for one in parser.found
    }
    return {one for one in theirs if one.startswith("/admin/")}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("label", ["auth", "pushprovider", "admin"])
def test_the_page_of_an_app_is_the_dashboard(people: None, label: str, role: str) -> None:
    answer = browser_of(role).get(reverse("admin:app_list", args=[label]), follow=True)
    assert answer.redirect_chain == [(reverse("admin:index"), 302)]
    assert answer.status_code == 200


def test_a_stranger_is_sent_from_the_page_of_an_app_to_the_login(
    client: Client, store: None
) -> None:
    answer = client.get(reverse("admin:app_list", args=["auth"]))
    assert answer.headers["Location"].startswith("/admin/login/")


def test_every_link_of_the_administrators_pages_leads_somewhere(people: None) -> None:
    browser = browser_of("superuser")
    someone, group = User.objects.get(username="viewer").pk, Group.objects.get(name="viewer").pk
    pages = [
        reverse(f"admin:auth_{one}_{page}")
        for one in ("user", "group")
        for page in ("changelist", "add")
    ]
    pages += [
        reverse(f"admin:auth_{one}_{page}", args=[pk])
        for one, pk in (("user", someone), ("group", group))
        for page in ("change", "history", "delete")
    ]
    pages += [
        reverse("admin:auth_user_password_change", args=[someone]),
        reverse("admin:password_change"),
    ]
    for there in set().union(*(links(browser, page) for page in pages)):
        assert browser.get(there, follow=True).status_code == 200, there
