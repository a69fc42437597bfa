"""Every sender's own request, and the table of docs/senders.md held against it."""

from __future__ import annotations

import json

import http_ece
import pytest

from pushprovider.models import Sender as Heard
from pushprovider.models import Urgency
from pushprovider.stats import Count
from tests.cast import ApplicationServer, Phone, counted
from tests.real.application_server import Subscription
from tests.senders import GATEWAY, SENDERS, TEXT, Request
from tests.test_docs import table

ALL = pytest.mark.parametrize("name", SENDERS)


PAGE = "docs/senders.md"


def rows() -> dict[str, dict[str, str]]:
    """Return the table of the page: column to cell, by sender."""
    columns = ("sends", "encoding", "TTL", "Topic", "signs", "gets", "restricted", "reads")
    return {cells[0]: dict(zip(columns, cells[1:], strict=True)) for cells in table(PAGE, "sender")}


def scheme(request: Request) -> str:
    """Return how a request is signed."""
    return request.header("authorization").partition(" ")[0]


def sent(request: Request) -> dict[str, str]:
    """Return what the page says of a request."""
    urgency = request.header("urgency")
    return {
        "sends": f"{request.method}" + (" to the gateway" if request.url == GATEWAY else ""),
        "encoding": request.header("content-encoding"),
        "TTL": request.header("ttl"),
        "Topic": ", ".join(filter(None, [_topic(request.header("topic")), urgency])),
        "signs": scheme(request),
    }


def _topic(topic: str) -> str:
    return topic if len(topic) < 20 else f"{len(topic)} characters, `==` at the end"


@pytest.fixture
def subscription(phone: Phone) -> Subscription:
    """What an app gave its server: an unrestricted endpoint."""
    return Subscription(phone.register())


def test_the_page_lists_every_sender_and_no_other() -> None:
    assert list(rows()) == list(SENDERS)


@ALL
def test_the_page_says_what_it_sends(
    name: str, subscription: Subscription, server: ApplicationServer
) -> None:
    request = SENDERS[name](server, subscription)
    assert rows()[name].items() >= sent(request).items()


@ALL
def test_the_page_says_what_it_gets(
    name: str, subscription: Subscription, server: ApplicationServer, phone: Phone
) -> None:
    answer = SENDERS[name](server, subscription).send()
    [message] = phone.messages()
    said = answer.headers.get("ttl", "")
    assert rows()[name]["gets"] == f"{answer.status}, TTL {said or message.ttl}"
    assert said in ("", str(message.ttl))
    if answer.status == 201:
        assert answer.headers["location"] == f"https://push.example.org/message/{message.uid}"
        assert answer.body == b""


@ALL
def test_the_message_is_kept_as_it_was_sent(
    name: str, subscription: Subscription, server: ApplicationServer, phone: Phone
) -> None:
    request = SENDERS[name](server, subscription)
    request.send()
    [message] = phone.messages()
    if request.url != GATEWAY:
        assert bytes(message.payload) == request.body
    assert message.topic == request.header("topic")
    assert Urgency(message.urgency).label == (request.header("urgency") or "normal")


@ALL
def test_the_page_says_what_the_app_can_read(
    name: str, subscription: Subscription, server: ApplicationServer, phone: Phone
) -> None:
    SENDERS[name](server, subscription).send()
    [payload] = phone.waiting()
    match rows()[name]["reads"]:
        case "the text":
            assert subscription.decrypt(payload).decode().strip() == TEXT
        case "JSON, not encrypted":
            assert json.loads(payload)
        case "plain text":
            assert payload == b"version=7"
        case "that something came":
            with pytest.raises((http_ece.ECEException, ValueError)):
                subscription.decrypt(payload)
        case other:
            raise AssertionError(other)


@ALL
def test_the_page_says_what_a_restricted_endpoint_answers(
    name: str, server: ApplicationServer, phone: Phone
) -> None:
    restricted = Subscription(phone.register("bank", vapid=server.public_key))
    request = SENDERS[name](server, restricted)
    answer = request.send()
    rejected = request.url == GATEWAY and answer.json["rejected"] == [restricted.endpoint]
    assert rows()[name]["restricted"] == ("rejected" if rejected else str(answer.status))
    assert len(phone.messages()) == (1 if answer.status == 201 else 0)


@ALL
def test_another_ones_key_opens_nothing(name: str, server: ApplicationServer, phone: Phone) -> None:
    theirs = Subscription(phone.register("bank", vapid=ApplicationServer().public_key))
    SENDERS[name](server, theirs).send()
    assert phone.messages() == []


@ALL
def test_the_operator_can_tell_who_it_was(
    name: str, subscription: Subscription, server: ApplicationServer
) -> None:
    request = SENDERS[name](server, subscription)
    request.send()
    heard = Heard.objects.get()
    assert heard.user_agent == request.header("user-agent")
    assert bool(heard.subject) == bool(scheme(request))


@pytest.mark.parametrize("name", ["Mastodon before 4.4", "Pleroma, Akkoma"])
def test_what_the_phone_cannot_read_is_counted(
    name: str, subscription: Subscription, server: ApplicationServer
) -> None:
    SENDERS[name](server, subscription).send()
    assert counted(Count.ENCODING) == {"aesgcm": 1}


def test_one_room_is_one_message(
    subscription: Subscription, server: ApplicationServer, phone: Phone
) -> None:
    for _ in range(3):
        SENDERS["Sygnal"](server, subscription).send()
    assert phone.states() == ["replaced", "replaced", "queued"]


def test_the_padded_ones_have_their_length(
    subscription: Subscription, server: ApplicationServer
) -> None:
    lengths = [
        len(SENDERS[name](server, subscription).body) for name in ("GoToSocial", "webpush-go")
    ]
    assert lengths == [2048, 4096]
