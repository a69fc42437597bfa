"""The thin ASGI handler: body, errors, and which paths are its own."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from django.urls import resolve

from pushprovider.http import push
from pushprovider.http.answers import Refused
from pushprovider.http.handler import Gone, PushHandler, read_body
from pushprovider.http.routes import is_ours
from tests.cast import Phone, ask, scope
from tests.test_push import assert_refused

URL = "https://push.example.org/push/"


def body_of(*events: dict[str, Any], headers: dict[str, str] | None = None) -> bytes:
    """Return what read_body() makes of these ASGI events."""
    left = list(events)

    async def receive() -> dict[str, Any]:
        return left.pop(0)

    return asyncio.run(read_body(scope("POST", URL, headers or {}), receive))


def piece(body: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_it_works(phone: Phone) -> None:
    assert ask("POST", phone.register()).status == 201


def test_it_joins_the_pieces() -> None:
    assert body_of(piece(b"a"), piece(b""), piece(b"b"), piece(b"", more=False)) == b"ab"


def test_an_event_need_not_say_anything() -> None:
    assert body_of({"type": "http.request"}) == b""


def test_it_refuses_as_soon_as_it_knows() -> None:
    with pytest.raises(Refused) as caught:
        body_of(headers={"content-length": "4097"})
    assert caught.value.status == 413
    with pytest.raises(Refused):
        body_of(piece(b"a" * 4097))  # and never asks for more


@pytest.mark.parametrize("value", ["-1", "abc", "", "\xb2", "4096", "0004096"])
def test_another_content_length_is_no_reason(value: str) -> None:
    assert body_of(piece(b"a", more=False), headers={"content-length": value}) == b"a"


def test_a_client_that_leaves_half_way_stores_nothing(phone: Phone) -> None:
    endpoint = phone.register()
    events = [piece(b"half"), {"type": "http.disconnect"}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return events.pop(0)

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    asyncio.run(PushHandler()(scope("POST", endpoint), receive, send))
    assert (sent, phone.messages()) == ([], [])
    with pytest.raises(Gone):
        body_of({"type": "http.disconnect"})


def test_our_own_mistake_is_a_500_without_secrets(
    phone: Phone, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = phone.register()
    monkeypatch.setattr(push, "target", None)
    with caplog.at_level(logging.ERROR):
        answer = ask("POST", endpoint, b"payload")
    assert_refused(answer, 500, 999)
    assert "a push request failed" in caplog.text
    assert endpoint.rpartition("/")[2] not in caplog.text
    assert "payload" not in caplog.text


@pytest.mark.parametrize(
    "path", ["/push/a", "/push/", "/push", "/message/a", "/message", "/push//"]
)
def test_these_paths_are_its_own(path: str) -> None:
    assert is_ours(path)


@pytest.mark.parametrize("path", ["/", "/admin/", "/pushy", "/healthz", "/messages", "/PUSH/a", ""])
def test_these_paths_are_not(path: str) -> None:
    assert not is_ours(path)


def test_djangos_own_handler_does_not_know_them() -> None:
    assert resolve("/healthz").func.__name__ == "healthz"
    with pytest.raises(Exception, match="push"):
        resolve("/push/a")


def test_a_head_of_an_error_has_no_body(store: None) -> None:
    answer = ask("HEAD", "https://push.example.org/message/a")
    assert (answer.status, answer.body) == (405, b"")
    assert int(answer.headers["content-length"]) > 0
