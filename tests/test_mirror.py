"""The doctor's mirror: opens to signed requests only, and keeps nothing."""

from __future__ import annotations

import hashlib
from unittest import mock

import pytest
from django.core.signing import TimestampSigner

from pushprovider.http import mirror
from pushprovider.models import Message
from tests.cast import Answer, ask

URL = "https://push.example.org/push/"


def look(token: str, body: bytes = b"", **headers: str) -> Answer:
    return ask("POST", URL + token, body, headers)


def test_it_shows_what_came_in(store: None) -> None:
    answer = look(mirror.new_token(), b"secret body", TTL="5", Topic="t")
    assert answer.status == 201
    assert (answer.json["headers"]["ttl"], answer.json["headers"]["topic"]) == ("5", "t")
    assert answer.json["headers"]["urgency"] is None
    assert answer.json["sha256"] == hashlib.sha256(b"secret body").hexdigest()
    assert answer.headers["location"] == answer.json["location"]
    assert not Message.objects.exists()


def test_it_tells_nothing_but_what_the_doctor_asks_for(store: None) -> None:
    answer = look(mirror.new_token(), b"secret body", Cookie="sessionid=1", X_Else="2")
    assert set(answer.json["headers"]) == set(mirror.REQUEST_HEADERS)
    assert b"sessionid" not in answer.body
    assert b"secret body" not in answer.body


@pytest.mark.parametrize("token", ["mirror.", "mirror.1vMNGM.forged", "mirror", "mirror.é.x"])
def test_it_opens_to_nobody_else(token: str, store: None) -> None:
    answer = look(token)
    assert (answer.status, answer.errno) == (404, 102)


def test_it_closes_after_some_minutes(store: None) -> None:
    token = mirror.new_token()
    with mock.patch("time.time", return_value=4_102_444_800):
        assert not mirror.is_open(token)
    assert mirror.is_open(token)


def test_another_signature_of_this_server_does_not_open_it(store: None) -> None:
    token = TimestampSigner(sep=".", salt="something else").sign("mirror")
    assert look(token).status == 404


def test_the_limit_on_bodies_holds_here_too(store: None) -> None:
    assert look(mirror.new_token(), bytes(4097)).status == 413
