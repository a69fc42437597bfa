"""REGISTRATION_ACL: domains, bare JIDs, full JIDs, or anyone."""

from __future__ import annotations

import pytest

from pushprovider.xmpp.acl import allows, bare, domain

JULIET = "juliet@localhost/phone"


def test_it_works() -> None:
    assert allows(["localhost"], JULIET)
    assert not allows(["localhost"], "eve@evil.example/phone")


@pytest.mark.parametrize("entry", ["*", "localhost", "juliet@localhost", JULIET])
def test_an_entry_allows(entry: str) -> None:
    assert allows([entry], JULIET)
    assert allows(["other.example", entry], JULIET)


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "host",
        "localhost.example",
        "example",
        "romeo@localhost",
        "uliet@localhost",
        "juliet@localhost/other",
        "juliet",
        "phone",
        "*.localhost",
        "juliet@localhost/phone/x",
    ],
)
def test_an_entry_does_not_allow(entry: str) -> None:
    assert not allows([entry], JULIET)


def test_nobody_is_allowed_by_an_empty_list() -> None:
    assert not allows([], JULIET)


@pytest.mark.parametrize(
    "jid",
    [
        "eve@evil.example/juliet@localhost",
        "eve@evil.example/x@localhost/phone",
        "eve@evil/localhost",
        "localhost@evil.example/x",
        "localhost.evil.example",
        "evil.example/localhost",
    ],
)
def test_a_resource_cannot_pretend(jid: str) -> None:
    assert not allows(["localhost", "juliet@localhost"], jid)


def test_the_halves_of_a_jid() -> None:
    jid = "juliet@localhost/a@b/c"
    assert (bare(jid), domain(jid)) == ("juliet@localhost", "localhost")
    assert (bare("localhost"), domain("localhost/x")) == ("localhost", "localhost")
