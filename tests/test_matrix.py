"""The Matrix push gateway, through the HTTP process's front door."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from pytest_django import Settings

from pushprovider.fields import now_ms
from pushprovider.http import matrix
from pushprovider.http.drain import drain
from pushprovider.http.intake import intake
from pushprovider.limiter import Limiter
from pushprovider.models import Account, RevocationReason, Sender, Urgency
from pushprovider.stats import Count
from pushprovider.store import registrations
from tests.cast import Answer, ApplicationServer, Phone, Stranger, ask, counted
from tests.trouble import READ_ONLY, in_thread
from upconfig.env import Rate

URL = "https://push.example.org/_matrix/push/v1/notify"
EVENT = {"event_id": "$3957tyerfgewrf384", "room_id": "!slw48wfj34rtnrf:example.com"}
FULL = EVENT | {
    "type": "m.room.message",
    "sender": "@exampleuser:matrix.org",
    "sender_display_name": "Major Tom",
    "room_name": "Mission Control ☎",
    "prio": "high",
    "content": {"msgtype": "m.text", "body": "I'm floating in a most peculiar way."},
    "counts": {"unread": 2, "missed_calls": 1},
}


class Homeserver:
    """Posts notifications as Synapse does; the gateway's URL is all that it knows."""

    def device(self, pushkey: str) -> dict[str, Any]:
        """Return a device of a notification."""
        return {
            "app_id": "im.example.app",
            "pushkey": pushkey,
            "pushkey_ts": 12345678,
            "data": {"format": "event_id_only"},
            "tweaks": {"sound": "bing"},
        }

    def notify(self, *pushkeys: str, **notification: object) -> Answer:
        """Notify these devices."""
        devices = [self.device(pushkey) for pushkey in pushkeys]
        return self.post({"notification": (notification or EVENT) | {"devices": devices}})

    def post(self, body: object) -> Answer:
        """Post JSON, or bytes as they are."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"content-type": "application/json", "user-agent": "Synapse/1.120.0"}
        return ask("POST", URL, raw, headers)


@pytest.fixture
def homeserver() -> Homeserver:
    return Homeserver()


@pytest.fixture
def endpoint(phone: Phone) -> str:
    """The phone's endpoint: the pushkey."""
    return phone.register()


def assert_rejected(answer: Answer, *pushkeys: str) -> None:
    assert (answer.status, answer.json) == (200, {"rejected": list(pushkeys)})


def assert_trouble(answer: Answer, status: int, errcode: str) -> None:
    assert (answer.status, answer.json["errcode"]) == (status, errcode)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "/push/" not in answer.body.decode().replace("/_matrix/push/", "")


def written() -> dict[str, int]:
    """Return what the gateway has counted."""
    asyncio.run(intake().drain())
    return {label: number for label, number in counted(Count.MATRIX).items() if number}


@pytest.fixture(autouse=True)
def _count_from_zero(store: None) -> None:
    intake()._unwritten.clear()


# --- discovery ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_it_says_what_it_is(method: str) -> None:
    answer = ask(method, URL)
    said = b'{"unifiedpush":{"gateway":"matrix"}}'
    assert (answer.status, answer.body) == (200, b"" if method == "HEAD" else said)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"


def test_the_host_header_does_not_matter() -> None:
    assert ask("GET", URL, headers={"host": "evil.example"}).status == 200


def test_a_browser_may_ask() -> None:
    answer = ask("OPTIONS", URL, headers={"origin": "https://web.example"})
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (204, "*")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_any_other_method(method: str) -> None:
    answer = ask(method, URL, b"{}")
    assert_trouble(answer, 405, "M_UNRECOGNIZED")
    assert answer.headers["allow"] == "POST, GET, HEAD, OPTIONS"


@pytest.mark.parametrize("tail", ["/", "//", "/x", "x"])
def test_any_other_path_of_matrix_is_no_redirect(tail: str) -> None:
    assert_trouble(ask("POST", URL + tail, b"{}"), 404, "M_UNRECOGNIZED")
    assert_trouble(
        ask("GET", "https://push.example.org/_matrix/client/versions"), 404, "M_UNRECOGNIZED"
    )


# --- accepted -------------------------------------------------------------------------------------


def test_it_works(endpoint: str, phone: Phone, homeserver: Homeserver) -> None:
    assert_rejected(homeserver.notify(endpoint, **FULL))
    [message] = phone.messages()
    assert json.loads(bytes(message.payload)) == {"notification": FULL}
    assert (message.ttl, message.urgency, message.topic) == (86_400, Urgency.NORMAL, "")
    assert written() == {"accepted": 1}
    assert counted(Count.ACCEPTED) == {"normal": 1}


def test_the_phone_learns_nothing_of_other_devices(
    endpoint: str, phone: Phone, homeserver: Homeserver
) -> None:
    homeserver.notify(endpoint, phone.register("other"))
    assert [b"devices" in payload for payload in phone.waiting()] == [False, False]


def test_what_is_not_urgent_can_wait(endpoint: str, phone: Phone, homeserver: Homeserver) -> None:
    homeserver.notify(endpoint, **EVENT, prio="low")
    [message] = phone.messages()
    assert message.urgency == Urgency.LOW


def test_the_default_ttl_is_its_ttl(
    endpoint: str, phone: Phone, homeserver: Homeserver, settings: Settings
) -> None:
    settings.DEFAULT_TTL, settings.MAX_TTL, settings.REQUIRE_TTL = 500, 60, True
    assert_rejected(homeserver.notify(endpoint))
    assert [message.ttl for message in phone.messages()] == [60]


def test_the_operator_sees_who_sent_it(endpoint: str, homeserver: Homeserver) -> None:
    homeserver.notify(endpoint)
    assert Sender.objects.get().user_agent == "Synapse/1.120.0"


def test_a_device_named_twice_gets_one_message(
    endpoint: str, phone: Phone, homeserver: Homeserver
) -> None:
    assert_rejected(homeserver.notify(endpoint, endpoint))
    assert len(phone.messages()) == 1


def test_our_url_may_be_spelled_otherwise(
    endpoint: str, phone: Phone, homeserver: Homeserver
) -> None:
    token = endpoint.rpartition("/")[2]
    assert_rejected(homeserver.notify(f"HTTPS://PUSH.Example.org:443/push/{token}"))
    assert_rejected(homeserver.notify(f"{endpoint}?up=1"))
    assert len(phone.messages()) == 2


def test_a_path_in_our_url_counts(phone: Phone, homeserver: Homeserver, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://push.example.org/base"
    endpoint = phone.register()
    assert_rejected(homeserver.notify(endpoint))
    other = endpoint.replace("/base", "")
    assert_rejected(homeserver.notify(other), other)


# --- too long for the phone -----------------------------------------------------------------------


def test_a_long_content_is_left_out(endpoint: str, phone: Phone, homeserver: Homeserver) -> None:
    long = FULL | {"content": {"body": "x" * 60_000}}
    assert_rejected(homeserver.notify(endpoint, **long))
    rest = {name: value for name, value in FULL.items() if name != "content"}
    assert json.loads(phone.waiting()[0]) == {"notification": rest}


def test_4096_bytes_stay_whole(endpoint: str, phone: Phone, homeserver: Homeserver) -> None:
    frame = len('{"notification":{"content":""}}')
    homeserver.notify(endpoint, content="x" * (4096 - frame))
    homeserver.notify(endpoint, content="x" * (4097 - frame))
    assert [len(payload) for payload in phone.waiting()] == [4096, len('{"notification":{}}')]


def test_the_essence_always_gets_through(
    endpoint: str, phone: Phone, homeserver: Homeserver
) -> None:
    long = FULL | {"room_name": "y" * 5000, "content": "z" * 5000}
    assert_rejected(homeserver.notify(endpoint, **long))
    kept = {name: FULL[name] for name in ("event_id", "room_id", "counts", "prio")}
    assert json.loads(phone.waiting()[0]) == {"notification": kept}


def test_even_the_essence_is_checked(endpoint: str, phone: Phone, homeserver: Homeserver) -> None:
    wild = {
        "event_id": "\x01" * 255,
        "room_id": "\ud800" * 255,
        "counts": {"unread": 10**4000, "missed_calls": 0, "x": "y" * 9000},
        "prio": "z" * 5000,
    }
    assert_rejected(homeserver.notify(endpoint, **wild))
    [payload] = phone.waiting()
    assert len(payload) <= 4096
    assert json.loads(payload)["notification"]["counts"] == {"missed_calls": 0}


# --- rejected: the homeserver forgets the pusher --------------------------------------------------


def test_a_pushkey_of_another_host_is_not_ours(
    endpoint: str, phone: Phone, homeserver: Homeserver
) -> None:
    for other in (
        endpoint.replace("push.example.org", "evil.example"),
        endpoint.replace("https:", "http:"),
        endpoint.replace("example.org/", "example.org:8443/"),
        endpoint.replace("://", "://evil@"),
        endpoint.replace("/push/", "/message/"),
        endpoint.replace("/push/", "/x/push/"),
        endpoint.rpartition("/")[2],
        "http://169.254.169.254/latest/meta-data",
        "https://[::",
        "\ud800",
        "x" * 50_000,
    ):
        assert_rejected(homeserver.notify(other), other)
    assert phone.messages() == []
    assert written() == {"rejected": 11}


def test_a_made_up_pushkey(
    endpoint: str, phone: Phone, homeserver: Homeserver, stranger: Stranger
) -> None:
    for other in (stranger.endpoint(), stranger.tampered(endpoint), endpoint + "/", endpoint[:-1]):
        assert_rejected(homeserver.notify(other), other)
    assert phone.messages() == []


def test_an_endpoint_that_is_gone(phone: Phone, homeserver: Homeserver) -> None:
    expired = phone.register("a", now=now_ms() - 2_592_001_000)
    revoked = phone.register("b")
    registrations.revoke([phone.registration("b").pk], RevocationReason.DEVICE, now_ms())
    live = phone.register("c")
    assert_rejected(homeserver.notify(expired, live, revoked), expired, revoked)
    assert len(phone.messages()) == 1
    assert written() == {"accepted": 1, "rejected": 2}


def test_a_blocked_account(endpoint: str, homeserver: Homeserver) -> None:
    Account.objects.update(blocked_at=now_ms())
    assert_rejected(homeserver.notify(endpoint), endpoint)


def test_an_endpoint_for_somebody_elses_key(
    phone: Phone, homeserver: Homeserver, server: ApplicationServer
) -> None:
    restricted = phone.register("bank", vapid=server.public_key)
    assert_rejected(homeserver.notify(restricted), restricted)
    assert phone.messages() == []


# --- later: the homeserver keeps it and tries again -----------------------------------------------


def test_too_many(
    endpoint: str, phone: Phone, homeserver: Homeserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake()._limits, "_endpoint", Limiter(Rate(0.1, 1)))
    assert_rejected(homeserver.notify(endpoint))
    answer = homeserver.notify(endpoint)
    assert_trouble(answer, 429, "M_LIMIT_EXCEEDED")
    assert answer.json["retry_after_ms"] == 1000 * int(answer.headers["retry-after"]) > 0
    assert len(phone.messages()) == 1
    assert written() == {"accepted": 1, "rate_limited": 1}


def test_a_store_that_may_not_be_written(
    endpoint: str, phone: Phone, homeserver: Homeserver
) -> None:
    second = phone.register("second")
    in_thread(intake().thread, READ_ONLY)
    answer = homeserver.notify(endpoint, second)
    assert_trouble(answer, 503, "M_UNKNOWN")
    assert int(answer.headers["retry-after"]) > 0
    assert phone.messages() == []
    assert_rejected(homeserver.notify(endpoint, second))
    assert written() == {"accepted": 2, "unavailable": 1}


def test_a_process_that_is_being_stopped(
    endpoint: str, homeserver: Homeserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "has_begun", True)
    assert_trouble(homeserver.notify(endpoint), 503, "M_UNKNOWN")
    assert ask("GET", URL).status == 200


def test_our_own_mistake_is_a_500_without_secrets(
    endpoint: str,
    homeserver: Homeserver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(matrix, "target", None)
    with caplog.at_level(logging.ERROR):
        assert_trouble(homeserver.notify(endpoint, body="payload"), 500, "M_UNKNOWN")
    assert "a Matrix notification failed" in caplog.text
    assert endpoint.rpartition("/")[2] not in caplog.text
    assert "payload" not in caplog.text


# --- nonsense -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"devices",
        b"\xff\xfe\xfd",
        b"[" * 50_000,
        b'{"a":' * 10_000,
        b"1" * 5000,
        b'{"notification":{"devices":[{"pushkey":"x"}],"x":NaN}}',
        b'{"notification":{"devices":[{"pushkey":"x"}],"x":1e999}}',
    ],
)
def test_no_json(body: bytes, homeserver: Homeserver) -> None:
    assert_trouble(homeserver.post(body), 400, "M_NOT_JSON")
    assert written() == {"malformed": 1}


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        None,
        "notification",
        {"notification": None},
        {"notification": []},
        {"notification": {}},
        {"notification": {"devices": None}},
        {"notification": {"devices": {}}},
        {"notification": {"devices": []}},
        {"notification": {"devices": ["x"]}},
        {"notification": {"devices": [{}]}},
        {"notification": {"devices": [{"pushkey": 1}]}},
        {"notification": {"devices": [{"pushkey": ""}]}},
        {"notification": {"devices": [{"pushkey": "x"}, {}]}},
        {"notification": {"devices": [{"pushkey": str(n)} for n in range(101)]}},
    ],
)
def test_no_notification(body: object, homeserver: Homeserver) -> None:
    assert_trouble(homeserver.post(body), 400, "M_BAD_JSON")


def test_a_body_that_is_too_long(endpoint: str, phone: Phone, homeserver: Homeserver) -> None:
    answer = homeserver.notify(endpoint, content="x" * 100_000)
    assert_trouble(answer, 413, "M_TOO_LARGE")
    said = ask("POST", URL, b"", {"content-length": "100001"})
    assert_trouble(said, 413, "M_TOO_LARGE")
    assert phone.messages() == []
