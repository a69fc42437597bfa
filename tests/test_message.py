"""The message resource: a sender takes a message back."""

from __future__ import annotations

import pytest

from pushprovider.fields import now_ms
from pushprovider.http.intake import intake
from pushprovider.models import Message, MessageState
from pushprovider.stats import Count
from tests.cast import ApplicationServer, Phone, ask, counted
from tests.test_push import CORS, assert_refused, assert_unavailable
from tests.trouble import READ_ONLY, in_thread


@pytest.fixture
def location(phone: Phone, server: ApplicationServer) -> str:
    """The resource of a message that waits."""
    return server.post(phone.register()).headers["location"]


def test_it_works(location: str, phone: Phone) -> None:
    answer = ask("DELETE", location)
    assert (answer.status, answer.body, answer.headers.items() >= CORS.items()) == (204, b"", True)
    assert phone.states() == ["cancelled"]
    assert phone.waiting() == []
    assert bytes(phone.messages()[0].payload) == b""


def test_it_is_gone_the_second_time(location: str) -> None:
    assert ask("DELETE", location).status == 204
    assert_refused(ask("DELETE", location), 404, 102)
    assert counted(Count.SETTLED) == {"cancelled": 1}


def test_one_that_is_on_its_way_is_still_waiting(location: str, phone: Phone) -> None:
    Message.objects.update(state=MessageState.SENT)
    assert ask("DELETE", location).status == 204
    assert phone.states() == ["cancelled"]


@pytest.mark.parametrize("state", [state for state in MessageState if state.is_terminal])
def test_one_that_is_settled_stays_as_it_is(
    state: MessageState, location: str, phone: Phone
) -> None:
    Message.objects.update(state=state)
    assert_refused(ask("DELETE", location), 404, 102)
    assert phone.states() == [state.label]


def test_one_whose_ttl_is_over_waits_no_longer(location: str, phone: Phone) -> None:
    """Though nobody has said so yet: the component is down."""
    Message.objects.update(expires_at=now_ms() - 1)
    assert_refused(ask("DELETE", location), 404, 102)
    assert phone.states() == ["queued"]


def test_an_old_location_never_touches_the_replacement(
    phone: Phone, server: ApplicationServer
) -> None:
    endpoint = phone.register()
    first = server.post(endpoint, b"1", topic="news").headers["location"]
    server.post(endpoint, b"2", topic="news")
    assert_refused(ask("DELETE", first), 404, 102)
    assert phone.waiting() == [b"2"]


@pytest.mark.parametrize(
    "tail", ["0", "%00", "%ff", "A" * 36, "0" * 36, "a" * 5000, "0/", "' OR 1=1"]
)
def test_an_unknown_message(tail: str, store: None) -> None:
    assert_refused(ask("DELETE", f"https://push.example.org/message/{tail}"), 404, 102)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH"])
def test_any_other_method(method: str, location: str, phone: Phone) -> None:
    answer = ask(method, location)
    assert (answer.status, answer.headers["allow"]) == (405, "DELETE, OPTIONS")
    assert answer.headers.items() >= CORS.items()
    assert phone.waiting() == [b"hello"]


def test_preflight(location: str) -> None:
    answer = ask("OPTIONS", location)
    assert answer.status == 204
    assert "DELETE" in answer.headers["access-control-allow-methods"]


def test_a_store_that_may_not_be_written(location: str, phone: Phone) -> None:
    in_thread(intake().thread, READ_ONLY)
    assert_unavailable(ask("DELETE", location))
    assert phone.waiting() == [b"hello"]
    assert ask("DELETE", location).status == 204
