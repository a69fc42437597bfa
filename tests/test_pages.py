"""The pages for people: which JID to type into the phone."""

from __future__ import annotations

import re
from contextlib import closing

import pytest
from django.test import Client
from pytest_django import Settings


def test_it_works(client: Client) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert ">up.localhost</code>" in response.content.decode()


def test_it_names_the_contact(client: Client, settings: Settings) -> None:
    settings.XMPP_ADMINS = ["admin@localhost/desk", "<b>&@localhost"]
    page = client.get("/").content.decode()
    assert "xmpp:admin@localhost?message" in page
    assert "/desk" not in page
    assert "<b>" not in page


def test_without_a_contact_there_is_no_heading(client: Client, settings: Settings) -> None:
    settings.XMPP_ADMINS = []
    assert "Contact" not in client.get("/").content.decode()


def test_everything_on_it_is_our_own(client: Client, store: None) -> None:
    response = client.get("/")
    page = response.content.decode()
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert not re.search(r"<script(?! src=)|\sstyle=|\son\w+=|<style", page)
    for address in re.findall(r'(?:href|src)="([^"]+)"', page):
        if not address.startswith("xmpp:"):
            assert address.startswith("/")
            with closing(client.get(address)) as file:
                assert file.status_code == 200


@pytest.mark.parametrize("path", ["/", "/admin/login/", "/nowhere"])
def test_every_page_has_its_headers(path: str, client: Client, store: None) -> None:
    response = client.get(path)
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"


def test_head_and_other_methods(client: Client) -> None:
    assert (client.head("/").status_code, client.head("/").content) == (200, b"")
    assert client.post("/").status_code == 405


def test_healthz(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")


def test_a_foreign_host_gets_no_page(client: Client) -> None:
    for path in ("/", "/healthz", "/admin/"):
        assert client.get(path, headers={"host": "evil.example"}).status_code == 400


def test_an_unknown_page_says_nothing_of_the_code(client: Client) -> None:
    response = client.get("/nowhere?a=b")
    assert response.status_code == 404
    assert "Traceback" not in response.content.decode()
    assert "urlconf" not in response.content.decode().lower()
