"""docs/security.md names tests that exist; and the promises that no other file's tests show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client

from pushprovider.fields import now_ms
from pushprovider.models import RevocationReason
from pushprovider.store import housekeeping, registrations
from tests.cast import ApplicationServer, Phone, ask

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(test_[a-z0-9_]+)`", PAGE)))


def defined() -> set[str]:
    """Return the name of every test function."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    return set(re.findall(r"^(?:async )?def (test_\w+)", text, re.MULTILINE))


def test_every_test_that_is_named_exists() -> None:
    assert len(NAMED) > 50
    assert sorted(set(NAMED) - defined()) == []


def test_every_promise_names_a_test() -> None:
    rows = re.findall(r"^\| (.*?) \| (.*?) \|$", PAGE, re.MULTILINE)
    promises = [row for row in rows if row[0] not in {"promise", "---", "rows", "what"}]
    sizes = PAGE.partition("## How large the database gets")[2]
    bare = [row[0] for row in promises if "`test_" not in row[1] and row[0] not in sizes]
    assert bare == []


def test_a_payload_is_gone_at_every_end(phone: Phone, server: ApplicationServer) -> None:
    endpoint = phone.register()
    secret = b"the payload"
    server.post(endpoint, secret, topic="a")
    server.post(endpoint, secret, topic="a")  # replaced
    location = server.post(endpoint, secret).headers["location"]
    assert ask("DELETE", location).status == 204  # cancelled
    server.post(endpoint, secret, ttl="1")
    housekeeping.tidy(now_ms() + 2000)  # expired
    registrations.revoke([phone.registration().pk], RevocationReason.OWNER, now_ms())  # gone
    assert sorted(set(phone.states())) == ["cancelled", "expired", "gone", "replaced"]
    assert {bytes(message.payload) for message in phone.messages()} == {b""}


@pytest.mark.parametrize("path", ["/", "/admin/login/", "/nowhere"])
def test_pages_let_nothing_foreign_in(path: str, store: None) -> None:
    answer = Client().get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert b"<script>" not in answer.content


FOREIGN = {"Origin": "https://evil.example"}


@pytest.mark.parametrize("path", ["/", "/admin/login/", "/readyz", "/healthz", "/metrics"])
def test_only_the_push_paths_are_open_to_other_origins(path: str, store: None) -> None:
    if path in ("/", "/admin/login/"):
        headers = {name.lower() for name in Client().get(path, headers=FOREIGN).headers}
    else:
        headers = set(ask("GET", f"https://push.example.org{path}", b"", FOREIGN).headers)
    assert {name for name in headers if name.startswith("access-control-")} == set()


@pytest.mark.parametrize("path", ["/push/x", "/message/x", "/_matrix/push/v1/notify"])
def test_the_push_paths_are_open_without_cookies(path: str, store: None) -> None:
    answer = ask("GET", f"https://push.example.org{path}", b"", FOREIGN)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
