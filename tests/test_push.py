"""The push resource: each row of the contract, through the HTTP process's front door."""

from __future__ import annotations

import asyncio
import time

import pytest
from django.db import connection
from pytest_django import Settings

from pushprovider.fields import now_ms
from pushprovider.http.intake import intake
from pushprovider.models import Account, Message, RevocationReason, Urgency
from pushprovider.stats import Count
from pushprovider.store import registrations
from tests.cast import DAY, Answer, ApplicationServer, Phone, Stranger, ask, asking, counted
from tests.trouble import HASTY, READ_ONLY, in_thread, locked

CORS = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "location, ttl, retry-after, www-authenticate",
}
METHODS = "POST, PUT, GET, HEAD, DELETE, OPTIONS"
HEADERS = (
    "authorization, content-encoding, content-type, crypto-key, encryption, prefer, topic, ttl, "
    "urgency"
)


@pytest.fixture
def endpoint(phone: Phone) -> str:
    """The phone's endpoint."""
    return phone.register()


@pytest.fixture
def restricted(phone: Phone, server: ApplicationServer) -> str:
    """An endpoint to which only `server` may push."""
    return phone.register("bank", vapid=server.public_key)


def assert_refused(answer: Answer, status: int, errno: int) -> None:
    """An error has autopush's shape and CORS headers; it names no token and no JID."""
    assert (answer.status, answer.errno) == (status, errno)
    assert set(answer.json) == {"code", "errno", "error", "message"}
    assert answer.json["code"] == status
    assert answer.headers.items() >= CORS.items()
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-length"] == str(len(answer.body))
    text = f"{answer.headers}{answer.body!r}"
    assert "/push/" not in text
    assert "juliet" not in text


# --- accepted -------------------------------------------------------------------------------------


def test_it_works(endpoint: str, phone: Phone, server: ApplicationServer) -> None:
    answer = server.post(endpoint, b"hello", ttl="60")
    [message] = phone.messages()
    assert (answer.status, answer.body) == (201, b"")
    assert answer.headers == CORS | {
        "location": f"https://push.example.org/message/{message.uid}",
        "ttl": "60",
        "content-length": "0",
    }
    assert phone.waiting() == [b"hello"]


def test_it_stores_the_headers_that_matter(
    endpoint: str, phone: Phone, server: ApplicationServer
) -> None:
    server.post(endpoint, bytes(range(256)), ttl="60", topic="news", urgency="High")
    [message] = phone.messages()
    assert (message.ttl, message.topic, message.urgency) == (60, "news", Urgency.HIGH)
    assert (message.size, bytes(message.payload)) == (256, bytes(range(256)))
    assert (message.expires_at - message.accepted_at).total_seconds() == 60


def test_put_is_as_post(endpoint: str, phone: Phone) -> None:
    answer = ask("PUT", endpoint, b"version=1")
    assert (answer.status, answer.headers["ttl"]) == (201, "86400")
    assert phone.waiting() == [b"version=1"]


@pytest.mark.parametrize("size", [0, 1, 4095, 4096])
def test_a_body_of_up_to_4096_bytes_passes(
    size: int, endpoint: str, phone: Phone, server: ApplicationServer
) -> None:
    assert server.post(endpoint, b"\0" * size, content_length=str(size)).status == 201
    assert phone.waiting() == [b"\0" * size]


def test_4096_bytes_in_pieces_pass(endpoint: str, phone: Phone) -> None:
    assert ask("POST", endpoint, [b"ab"] * 2048).status == 201
    assert phone.waiting() == [b"ab" * 2048]


@pytest.mark.parametrize(
    "headers",
    [
        {"content_encoding": "aes128gcm"},
        {"content_encoding": "gzip"},
        {"content_encoding": "no such thing"},
        {"content_type": "application/json"},
        {"content_type": "application/x-www-form-urlencoded"},
        {"content_type": "multipart/form-data; boundary=x"},
        {"content_type": "text/plain; charset=no-such-charset"},
        {"authorization": "Basic anVsaWV0OnNlY3JldA=="},
        {"authorization": "WebPush junk"},
        {"authorization": "vapid t=a.b.c, k=junk"},
        {"authorization": ""},
        {"encryption": "salt=junk", "crypto_key": "dh=junk"},
        {"prefer": "respond-async"},
    ],
)
def test_it_never_looks_at(
    headers: dict[str, str], endpoint: str, phone: Phone, server: ApplicationServer
) -> None:
    assert server.post(endpoint, b"\x1f\x8b{&=\xff", **headers).status == 201
    assert phone.waiting() == [b"\x1f\x8b{&=\xff"]


def test_the_host_header_is_ignored(endpoint: str, server: ApplicationServer) -> None:
    for host in ("evil.example", "", "localhost:99999", "[::", "a b"):
        answer = server.post(endpoint, host=host, x_forwarded_host="evil.example")
        assert answer.status == 201
        assert answer.headers["location"].startswith("https://push.example.org/message/")


def test_the_query_is_ignored(endpoint: str, server: ApplicationServer) -> None:
    assert server.post(f"{endpoint}?up=1&a=%ff").status == 201


def test_it_grants_no_more_than_the_maximum(endpoint: str, server: ApplicationServer) -> None:
    assert server.post(endpoint, ttl="9" * 40).headers["ttl"] == "2592000"
    assert server.post(endpoint).headers["ttl"] == "86400"


def test_a_phone_that_is_away_is_no_error(endpoint: str, server: ApplicationServer) -> None:
    assert [server.post(endpoint, ttl="0").status for _ in range(3)] == [201] * 3


def test_posts_at_the_same_time_are_all_stored(endpoint: str, phone: Phone) -> None:
    async def many() -> list[Answer]:
        return await asyncio.gather(
            *(asking("POST", endpoint, str(n).encode()) for n in range(100))
        )

    answers = asyncio.run(many())
    assert {answer.status for answer in answers} == {201}
    assert len({answer.headers["location"] for answer in answers}) == 100
    assert sorted(map(int, phone.waiting())) == list(range(100))


# --- asked about ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_discovery(method: str, endpoint: str, stranger: Stranger) -> None:
    for url in (endpoint, f"{endpoint}?up=1", stranger.endpoint()):
        answer = ask(method, url)
        assert answer.status == 200
        assert answer.body == (b"" if method == "HEAD" else b'{"unifiedpush":{"version":1}}')
        assert answer.headers == CORS | {"content-type": "application/json", "content-length": "29"}


def test_preflight(endpoint: str) -> None:
    answer = ask("OPTIONS", endpoint, headers={"origin": "https://web.example"})
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers.items() >= CORS.items()
    assert answer.headers["access-control-allow-methods"] == METHODS
    assert answer.headers["access-control-allow-headers"] == HEADERS
    assert "content-length" not in answer.headers


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND"])
def test_any_other_method(method: str, endpoint: str, phone: Phone) -> None:
    answer = ask(method, endpoint, b"hello")
    assert_refused(answer, 405, 999)
    assert answer.headers["allow"] == "POST, PUT, GET, HEAD, OPTIONS"
    assert phone.messages() == []


# --- refused --------------------------------------------------------------------------------------


def test_a_stranger(endpoint: str, server: ApplicationServer, stranger: Stranger) -> None:
    for url in (stranger.endpoint(), stranger.tampered(endpoint), endpoint[:-1], endpoint + "A"):
        assert_refused(server.post(url), 404, 102)


@pytest.mark.parametrize(
    "tail",
    [
        "",
        "/",
        "a",
        "%2F",
        "%00",
        "%ff%fe",
        "A" * 5000,
        "..",
        "%2e%2e/",
        "c3a9",
        "=" * 43,
        "-" * 43,
        "A" * 43,
        "%0d%0aTTL:0",
    ],
)
def test_a_malformed_token(tail: str, server: ApplicationServer, store: None) -> None:
    assert_refused(server.post(f"https://push.example.org/push/{tail}"), 404, 102)


@pytest.mark.parametrize("tail", ["/", "//", "/a", "%20", "%0A", "%00", "="])
def test_a_tail_is_never_a_redirect(tail: str, endpoint: str, server: ApplicationServer) -> None:
    assert_refused(server.post(endpoint + tail), 404, 102)


@pytest.mark.parametrize("path", ["/push", "/push/", "/push//", "/message", "/message/"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_bare_prefix_is_never_a_redirect(method: str, path: str) -> None:
    assert_refused(ask(method, path), 404, 102)


def test_an_expired_endpoint(phone: Phone, server: ApplicationServer) -> None:
    endpoint = phone.register(now=now_ms() - 2_592_001_000)
    assert_refused(server.post(endpoint), 404, 103)


def test_a_revoked_endpoint(endpoint: str, phone: Phone, server: ApplicationServer) -> None:
    registrations.revoke([phone.registration().pk], RevocationReason.DEVICE, now_ms())
    answer = server.post(endpoint)
    assert_refused(answer, 410, 106)
    assert answer.headers["cache-control"] == "max-age=86400"


def test_a_revoked_endpoint_that_would_have_expired(
    phone: Phone, server: ApplicationServer
) -> None:
    endpoint = phone.register(now=now_ms() - 2_592_001_000)
    registrations.revoke([phone.registration().pk], RevocationReason.OWNER, now_ms())
    assert_refused(server.post(endpoint), 404, 103)


def test_a_blocked_account(endpoint: str, phone: Phone, server: ApplicationServer) -> None:
    Account.objects.update(blocked_at=now_ms())
    answer = server.post(endpoint)
    assert_refused(answer, 410, 106)
    assert answer.headers["cache-control"] == "max-age=86400"
    Account.objects.update(blocked_at=None)
    assert server.post(endpoint).status == 201


@pytest.mark.parametrize("size", [4097, 100_000, 10**30])
def test_a_body_that_says_it_is_too_large(
    size: int, endpoint: str, phone: Phone, server: ApplicationServer
) -> None:
    assert_refused(server.post(endpoint, b"", content_length=str(size)), 413, 104)
    assert phone.messages() == []


@pytest.mark.parametrize("pieces", [[b"a" * 4097], [b"a" * 4096, b"a"], [b"a"] * 4097])
def test_a_body_that_turns_out_too_large(pieces: list[bytes], endpoint: str, phone: Phone) -> None:
    assert_refused(ask("POST", endpoint, pieces), 413, 104)
    assert_refused(ask("POST", endpoint, pieces, {"content-length": "10"}), 413, 104)
    assert phone.messages() == []


@pytest.mark.parametrize(
    ("name", "values", "errno"),
    [
        ("ttl", ["-1"], 112),
        ("ttl", ["1.5"], 112),
        ("ttl", [""], 112),
        ("ttl", ["60", "60"], 112),
        ("ttl", ["60", "0"], 112),
        ("topic", [""], 113),
        ("topic", ["a b"], 113),
        ("topic", ["x" * 33], 113),
        ("topic", ["a", "b"], 113),
        ("urgency", ["urgent"], 999),
        ("urgency", ["low", "low"], 999),
        ("urgency", ["\xe4"], 999),
    ],
)
def test_a_wrong_header(
    name: str, values: list[str], errno: int, endpoint: str, phone: Phone
) -> None:
    answer = ask("POST", endpoint, b"hello", [(name, value) for value in values])
    assert_refused(answer, 400, errno)
    assert phone.messages() == []


def test_a_missing_ttl_if_one_is_required(
    endpoint: str, server: ApplicationServer, settings: Settings
) -> None:
    settings.REQUIRE_TTL = True
    assert_refused(server.post(endpoint), 400, 111)
    assert server.post(endpoint, ttl="0").status == 201


def test_a_strangers_wrong_headers_say_nothing_about_them(
    server: ApplicationServer, stranger: Stranger
) -> None:
    assert_refused(server.post(stranger.endpoint(), ttl="-1", topic=""), 404, 102)


# --- a restricted endpoint ------------------------------------------------------------------------


def test_its_own_server_may_push(restricted: str, phone: Phone, server: ApplicationServer) -> None:
    assert server.post(restricted, authorization=server.signed()).status == 201
    assert phone.waiting() == [b"hello"]


def test_a_server_of_the_draft_may_push(
    restricted: str, phone: Phone, server: ApplicationServer
) -> None:
    crypto_key = f"dh=BNoRDbb84JGm8g;p256ecdsa={server.public_key}"
    signed = f"WebPush {server.token()}"
    assert server.post(restricted, authorization=signed, crypto_key=crypto_key).status == 201
    assert_refused(server.post(restricted, authorization=signed), 403, 109)
    assert phone.waiting() == [b"hello"]


def test_nobody_may_push_without_credentials(
    restricted: str, phone: Phone, server: ApplicationServer
) -> None:
    answer = server.post(restricted)
    assert_refused(answer, 401, 109)
    assert answer.headers["www-authenticate"] == "vapid"
    assert phone.messages() == []


def test_another_server_may_not_push(restricted: str, phone: Phone) -> None:
    other = ApplicationServer()
    assert_refused(other.post(restricted, authorization=other.signed()), 403, 109)
    assert phone.messages() == []


@pytest.mark.parametrize(
    ("ahead", "status"),
    [(DAY + 290, 201), (DAY + 310, 403), (-290, 201), (-310, 403), (DAY, 201), (0, 201)],
)
def test_a_signature_is_good_for_a_day_and_the_clocks_skew(
    ahead: int, status: int, restricted: str, server: ApplicationServer
) -> None:
    signed = server.signed(exp=int(time.time()) + ahead)
    assert server.post(restricted, authorization=signed).status == status


@pytest.mark.parametrize("value", ["", "Basic anVsaWV0OnNlY3JldA==", "vapid", "Bearer x", "\xe4"])
def test_junk_is_no_credential(value: str, restricted: str, server: ApplicationServer) -> None:
    assert_refused(server.post(restricted, authorization=value), 403, 109)


# --- the store cannot be written ------------------------------------------------------------------


def assert_unavailable(answer: Answer) -> None:
    assert_refused(answer, 503, 201)
    assert int(answer.headers["retry-after"]) > 0


def test_a_locked_store(endpoint: str, phone: Phone, server: ApplicationServer) -> None:
    in_thread(intake().thread, HASTY)
    with locked():
        assert_unavailable(server.post(endpoint))
    assert phone.messages() == []
    assert server.post(endpoint).status == 201


def test_a_store_that_may_not_be_written(
    endpoint: str, phone: Phone, server: ApplicationServer
) -> None:
    in_thread(intake().thread, READ_ONLY)
    assert_unavailable(server.post(endpoint, b"lost"))
    assert server.post(endpoint, b"kept").status == 201
    assert phone.waiting() == [b"kept"]


@pytest.mark.sqlite("a pragma makes the disk full")
def test_a_full_disk_keeps_nothing_of_a_group(endpoint: str, phone: Phone) -> None:
    async def many() -> list[Answer]:
        return await asyncio.gather(*(asking("POST", endpoint, b"x" * 4096) for _ in range(50)))

    in_thread(intake().thread, "VACUUM")  # pages that other tests have freed would do
    in_thread(intake().thread, "PRAGMA max_page_count=1")  # SQLite takes what it has already
    answers = asyncio.run(many())
    refused = [answer for answer in answers if answer.status != 201]
    assert refused
    for answer in refused:
        assert_unavailable(answer)
    kept = 50 - len(refused)
    assert (len(phone.messages()), counted(Count.ACCEPTED)) == (
        kept,
        {"normal": kept} if kept else {},
    )


def test_a_missing_table(endpoint: str, phone: Phone, server: ApplicationServer) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE pushprovider_message RENAME TO away")
    try:
        assert_unavailable(server.post(endpoint))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO pushprovider_message")
    assert server.post(endpoint).status == 201
    assert Message.objects.count() == 1
