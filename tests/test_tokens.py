"""An endpoint's token. The database is never asked: pytest-django would fail the test."""

from __future__ import annotations

import hashlib
import hmac
import string
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from pushprovider import tokens

KEY = bytes(range(16))
ALPHABET = string.ascii_letters + string.digits + "-_"


def test_it_works() -> None:
    assert tokens.check(tokens.make(KEY)) == KEY


def test_it_has_43_url_safe_characters() -> None:
    token = tokens.make(tokens.new_key())
    assert len(token) == tokens.LENGTH == 43
    assert set(token) <= set(ALPHABET)


def test_its_mac_is_the_standard_one(settings: Settings) -> None:
    secret = hashlib.sha256(b"pushprovider.endpoint:" + settings.SECRET_KEY.encode()).digest()
    mac = hmac.digest(secret, KEY, "sha256")[:16]
    assert tokens.make(KEY) == urlsafe_b64encode(KEY + mac).rstrip(b"=").decode()


def test_it_is_part_of_the_endpoint(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://push.example.org/base"
    assert tokens.endpoint(KEY) == f"https://push.example.org/base/push/{tokens.make(KEY)}"


def test_two_keys_are_never_the_same() -> None:
    assert len({tokens.new_key() for _ in range(1000)}) == 1000


@pytest.mark.parametrize("position", range(43))
def test_it_refuses_any_other_character_at(position: int) -> None:
    token = tokens.make(KEY)
    for other in set(ALPHABET) - {token[position]}:
        assert tokens.check(token[:position] + other + token[position + 1 :]) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t + "=",
        lambda t: t + "A",
        lambda t: t[:-1],
        lambda t: t.lower(),
        lambda t: f" {t}",
        lambda t: f"{t}\n",
        lambda t: t[:-1] + "é",
        lambda t: t[:20] + "\n" + t[20:],
        lambda t: t[:20] + "." + t[21:],
        lambda t: "",
        lambda t: "\0" * 43,
        lambda t: "\N{FULLWIDTH LATIN SMALL LETTER A}" * 43,
    ],
)
def test_it_refuses_another_spelling(change: object) -> None:
    assert callable(change)
    assert tokens.check(change(tokens.make(KEY))) is None


def test_it_cannot_be_made_without_the_secret(settings: Settings) -> None:
    token = tokens.make(KEY)
    settings.SECRET_KEY = "another secret key, as long as the first one"
    assert tokens.check(token) is None


def test_it_outlives_a_rotation_of_the_secret(settings: Settings) -> None:
    old, settings.SECRET_KEY = settings.SECRET_KEY, "a new secret key, as long as the first one"
    settings.SECRET_KEY_FALLBACKS = [old]
    new = tokens.make(KEY)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = old, []
    old_token = tokens.make(KEY)
    settings.SECRET_KEY = "a new secret key, as long as the first one"
    assert new != old_token
    assert tokens.check(old_token) is None
    settings.SECRET_KEY_FALLBACKS = ["something else that was in use once", old]
    assert tokens.check(old_token) == tokens.check(new) == KEY


@given(st.text(max_size=60))
def test_it_refuses_any_text(text: str) -> None:
    assert tokens.check(text) is None


@given(st.binary(min_size=32, max_size=32))
def test_it_refuses_any_32_bytes(octets: bytes) -> None:
    assert tokens.check(urlsafe_b64encode(octets)[:43].decode()) is None


@given(st.binary(min_size=16, max_size=16))
def test_it_returns_any_key(key: bytes) -> None:
    assert tokens.check(tokens.make(key)) == key
