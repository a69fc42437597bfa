"""Secrets derived from SECRET_KEY."""

from __future__ import annotations

import hashlib

from pytest_django import Settings

from pushprovider.derived import derived


def test_it_is_the_hash_of_purpose_and_key(settings: Settings) -> None:
    """For good: what is stored and what was given out depends on it."""
    settings.SECRET_KEY = "the present key"
    [secret] = derived("endpoint", bytes)()
    assert secret == hashlib.sha256(b"pushprovider.endpoint:the present key").digest()


def test_another_purpose_has_another_secret() -> None:
    assert derived("endpoint", bytes)() != derived("tombstone", bytes)()


def test_the_present_key_comes_first_and_then_those_before(settings: Settings) -> None:
    secrets = derived("endpoint", bytes)
    [before] = secrets()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the next key"
    assert len(secrets()) == 2
    assert secrets()[1] == before != secrets()[0]
