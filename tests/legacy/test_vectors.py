"""Every vector, good and bad, through the HTTP process's front door."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import Settings

from pushprovider.fields import to_ms
from pushprovider.models import Message, Registration
from tests.cast import ask
from tests.legacy.tokens import FOLDER, vectors

SETTING = {
    "up": "LEGACY_UP_SECRETS",
    "prosody-paseto": "LEGACY_PROSODY_PASETO_KEYS",
    "prosody-jwt": "LEGACY_PROSODY_JWT_SECRETS",
    "ejabberd-jwt": "LEGACY_EJABBERD_KEYS",
}
KIND = {source: source for source in SETTING} | {"ejabberd-jwt": "ejabberd"}
ALL = vectors()


def prepare(vector: dict[str, Any], settings: Settings) -> None:
    """Do what the operator does: set the key, or import the store."""
    settings.REGISTRATION_ACL = ["*"]
    source = vector["source"]
    if source in SETTING:
        setattr(settings, SETTING[source], [vector["key"]])
    else:
        store = (
            {"sqlite": FOLDER / "prosody.sqlite"}
            if source.endswith("-sql")
            else {"data_path": FOLDER / "prosody-data"}
        )
        # One identity has registered at two hosts, with different resources.
        call_command("import_prosody", host=vector.get("host"), **store)


def test_there_are_vectors_of_every_kind() -> None:
    assert {vector["source"] for vector in ALL} == {
        *SETTING,
        "prosody-storage",
        "prosody-storage-sql",
    }
    assert len(ALL) == len({vector["id"] for vector in ALL}) == 86


@pytest.mark.parametrize("vector", ALL, ids=[vector["id"] for vector in ALL])
def test_it_comes_out_right(vector: dict[str, Any], settings: Settings, store: None) -> None:
    prepare(vector, settings)
    answer = ask("POST", "https://push.example.org" + vector["url_path"], b"hello")
    if not vector["valid"]:
        assert (answer.status, answer.errno) == (404, 102)
        assert not Message.objects.exists()
        return
    assert answer.status == 201
    [message] = Message.objects.select_related("registration__account")
    expected, found = vector["expected"], message.registration
    assert found.device == expected["jid"]
    assert (found.application, found.instance) == (expected["application"], expected["instance"])
    assert message.legacy == found.legacy == KIND.get(vector["source"], "prosody-storage")
    assert to_ms(found.expires_at) // 1000 == expected["exp_epoch_seconds"]
    assert bytes(message.payload) == b"hello"


@pytest.mark.parametrize("vector", ALL, ids=[vector["id"] for vector in ALL])
def test_without_its_key_nothing_is_honoured(
    vector: dict[str, Any], settings: Settings, store: None
) -> None:
    settings.REGISTRATION_ACL = ["*"]
    answer = ask("POST", "https://push.example.org" + vector["url_path"], b"hello")
    assert (answer.status, answer.errno) == (404, 102)
    assert not Registration.objects.exists()
