"""Raw bytes to a real daphne, started as by default: one clear answer to each.

The log must hold no traceback and no token, after every test.
"""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.cast import Phone, Stranger
from tests.real.daphne import Daphne, Got, chunked, everything, parsed, request
from tests.real.ports import LOOPBACK


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[Daphne]:
    """One daphne for this file, over the tests' store."""
    started = Daphne(tmp_path_factory.mktemp("daphne"))
    yield started
    assert started.process.terminate() == 0


@pytest.fixture
def daphne(process: Daphne, path: str) -> Iterator[Daphne]:
    """It; what it logged must be clean."""
    before = len(process.process.log_text())
    yield process
    log = process.process.log_text()[before:]
    assert "Traceback" not in log
    assert path[-40:] not in log


def assert_answer(got: Got, status: int) -> None:
    """A push path's answer says this, and has its CORS header."""
    assert got.status == status, got.body
    assert got.headers["Access-Control-Allow-Origin"] == "*"


def test_it_works(daphne: Daphne, path: str, phone: Phone) -> None:
    got = daphne.one(request(path, "TTL: 60", body=b"hello"))
    assert_answer(got, 201)
    assert (got.body, got.headers["Content-Length"], got.headers["TTL"]) == (b"", "0", "60")
    [message] = phone.messages()
    assert got.headers["Location"] == f"https://push.example.org/message/{message.uid}"
    assert phone.waiting() == [b"hello"]
    assert_answer(daphne.one(request(f"/message/{message.uid}", method="DELETE")), 204)
    assert phone.states() == ["cancelled"]
    assert "POST /push/… 201" in daphne.process.log_text().replace('"', "").replace("HTTP/1.1 ", "")


def test_the_log_names_no_message(daphne: Daphne, path: str) -> None:
    location = daphne.one(request(path)).headers["Location"].rpartition("/")[2]
    daphne.one(request(f"/message/{location}", method="DELETE"))
    assert location not in daphne.process.log_text()


# --- header smuggling and duplicates --------------------------------------------------------------

SMUGGLED = b"0\r\n\r\nPOST /push/smuggled HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Length: 5"],
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: 5, 6"],
        ["Content-Length: +5"],
        ["Content-Length: -5"],
        ["Content-Length: 5 5"],
        ["Content-Length: 0x5"],
        ["Content-Length: "],
        ["Content-Length: \xb2"],
        ["Transfer-Encoding: xchunked"],
        ["Transfer-Encoding: identity, chunked, identity"],
        ["Transfer-Encoding: chunked, chunked"],
        ["Transfer-Encoding:\x0bchunked"],
        ["Content-Length: 5", "Content-Length : 0"],
        ["Content-Length: 5", "X: a\0b"],
        ["Content-Length: 5", "X\0: a"],
        ["Content-Length: 5", "no colon at all"],
        ["Content-Length: 5", ": no name"],
        ["Content-Length: 5", "X Y: a"],
        ["Content-Length: 5", "X: a\rTTL: 5"],
    ],
)
def test_a_request_that_two_servers_read_differently(
    headers: list[str], daphne: Daphne, path: str, phone: Phone
) -> None:
    got = daphne.one(request(path, *headers, body=SMUGGLED))
    assert got.status == 400
    assert phone.messages() == []
    assert "smuggled" not in daphne.process.log_text()


@pytest.mark.parametrize(
    ("headers", "errno"),
    [
        (["TTL: 60", "TTL: 60"], 112),
        (["TTL: 60", "ttl: 0"], 112),
        (["TTL: 60\r\n 0"], 112),
        (["Topic: a", "Topic: b"], 113),
        (["Urgency: low", "Urgency: high"], 999),
        (["TTL:"], 112),
        (["Topic: \xe4"], 113),
    ],
)
def test_a_duplicate_or_broken_header(
    headers: list[str], errno: int, daphne: Daphne, path: str, phone: Phone
) -> None:
    got = daphne.one(request(path, *headers, body=b"hello"))
    assert_answer(got, 400)
    assert got.errno == errno
    assert phone.messages() == []


@pytest.mark.parametrize(
    "header",
    [
        "Daphne-Root-Path: /push",
        "X-Forwarded-Host: evil.example",
        "Content_Length: 9999",
        "T_T_L: 1",
        "X-Original-URL: /admin/",
        "X-HTTP-Method-Override: DELETE",
        "Host: evil.example",
    ],
)
def test_a_header_that_changes_nothing(
    header: str, daphne: Daphne, path: str, phone: Phone
) -> None:
    got = daphne.one(request(path, header, body=b"hello"))
    assert_answer(got, 201)
    assert got.headers["Location"].startswith("https://push.example.org/message/")
    assert phone.waiting() == [b"hello"]


def test_too_many_headers(daphne: Daphne, path: str, phone: Phone) -> None:
    assert daphne.one(request(path, *(f"X-{n}: a" for n in range(2000)))).status == 400
    assert phone.messages() == []


def test_a_header_that_is_too_long(daphne: Daphne, path: str, phone: Phone) -> None:
    got = daphne.send(request(path, "X: " + "a" * 100_000))
    assert [answer.status for answer in got] in ([400], [])
    assert phone.messages() == []


# --- paths ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        "/push/" + "A" * 5000,
        "/push/" + "%41" * 5000,
        "/push/%",
        "/push/%zz",
        "/push/%ff%fe%80",
        "/push/%00",
        "/push/%0d%0aTTL:%200",
        "/push/%e2%98%83",
        "/push/../push/",
        "/push/%2e%2e",
        "/push",
        "/push/",
        "/push?" + "a" * 5000,
    ],
)
def test_an_odd_path(target: str, daphne: Daphne, phone: Phone) -> None:
    got = daphne.one(request(target, body=b"hello"))
    assert_answer(got, 404)
    assert got.errno == 102
    assert phone.messages() == []


@pytest.mark.parametrize(
    "target",
    ["/push/\xff\xfe", "/push/\xe9", "/push/a\tb", "/push/a b", "*", "", "push/a", "/push/?\xff"],
)
def test_a_path_that_is_none(target: str, daphne: Daphne, phone: Phone) -> None:
    assert daphne.one(request(target, body=b"hello")).status in (400, 404)
    assert phone.messages() == []


def test_a_path_without_end(daphne: Daphne, phone: Phone) -> None:
    got = daphne.send(request("/push/" + "A" * 100_000))
    assert [answer.status for answer in got] in ([400], [])


@pytest.mark.parametrize(
    "write",
    [
        "/push/{0}/",
        "/push/{0}/x",
        "/push/{0}%20",
        "/push/{0}%00",
        "/push/{0}%0a",
        "//push/{0}",
        "/PUSH/{0}",
        "/%50ush/{0}",
        "/push//{0}",
        "/push/'{0}",
        "/push/./{0}",
        "/?x=/push/{0}",
        "http://evil.example/push/{0}",
    ],
)
def test_a_token_at_the_wrong_place(write: str, daphne: Daphne, path: str, phone: Phone) -> None:
    got = daphne.one(request(write.format(path[-43:]), body=b"hello"))
    assert got.status in (403, 404, 405)
    assert "Location" not in got.headers
    assert path[-43:].encode() not in got.body
    assert phone.messages() == []


@pytest.mark.parametrize("write", ["/%70ush/{0}", "/push%2F{0}"])
def test_another_spelling_of_the_same_path(
    write: str, daphne: Daphne, path: str, phone: Phone
) -> None:
    assert_answer(daphne.one(request(write.format(path[-43:]), body=b"hello")), 201)
    assert phone.waiting() == [b"hello"]


def test_a_strangers_token(daphne: Daphne, path: str, phone: Phone, stranger: Stranger) -> None:
    endpoint = stranger.endpoint()
    assert_answer(daphne.one(request(endpoint.removeprefix("https://push.example.org"))), 404)
    assert_answer(daphne.one(request(stranger.tampered(path))), 404)
    assert endpoint[-43:] not in daphne.process.log_text()


# --- bodies ---------------------------------------------------------------------------------------


def test_a_chunked_body(daphne: Daphne, path: str, phone: Phone) -> None:
    body = chunked(b"he", b"l", b"lo")
    assert_answer(daphne.one(request(path, "Transfer-Encoding: chunked", body=body)), 201)
    assert phone.waiting() == [b"hello"]


@pytest.mark.parametrize(("size", "status"), [(0, 201), (4096, 201), (4097, 413), (1_000_000, 413)])
def test_a_body_of_this_size(
    size: int, status: int, daphne: Daphne, path: str, phone: Phone
) -> None:
    body = bytes(size)
    assert_answer(daphne.one(request(path, body=body)), status)
    pieces = chunked(*(body[n : n + 1000] for n in range(0, size, 1000)))
    assert_answer(daphne.one(request(path, "Transfer-Encoding: chunked", body=pieces)), status)
    assert phone.waiting() == [body] * (2 if status == 201 else 0)


@pytest.mark.parametrize("body", [b"zz\r\nhello\r\n0\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n"])
def test_a_chunk_that_is_none(body: bytes, daphne: Daphne, path: str, phone: Phone) -> None:
    got = daphne.send(request(path, "Transfer-Encoding: chunked", body=body))
    assert [answer.status for answer in got] in ([400], [])
    assert phone.messages() == []


@pytest.mark.parametrize(
    "half",
    [
        request("{}", "Content-Length: 10", body=b"half"),
        request("{}", "Transfer-Encoding: chunked", body=b"10\r\nhalf"),
        request("{}", "Transfer-Encoding: chunked", body=b"4\r\nhalf\r\n"),
        request("{}", "Content-Length: 10")[:-4],
        b"POST {} HT",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
    ],
)
def test_a_client_that_stops_half_way(half: bytes, daphne: Daphne, path: str, phone: Phone) -> None:
    with daphne.connect() as wire:
        wire.sendall(half.replace(b"{}", path.encode()))
    assert_answer(daphne.one(request(path, body=b"whole")), 201)
    assert phone.waiting() == [b"whole"]


def test_a_client_that_does_not_wait(daphne: Daphne, path: str, phone: Phone) -> None:
    for n in range(10):
        with daphne.connect() as wire:
            wire.sendall(request(path, body=str(n).encode()))
    daphne.one(request(path, body=b"last"))
    assert phone.waiting()[-1] == b"last"


def test_expect_100_continue(daphne: Daphne, path: str, phone: Phone) -> None:
    with daphne.connect() as wire:
        wire.sendall(request(path, "Expect: 100-continue", "Content-Length: 5"))
        assert wire.recv(100).startswith(b"HTTP/1.1 100 ")
        wire.sendall(b"hello")
        [got] = parsed(everything(wire))
    assert_answer(got, 201)
    assert phone.waiting() == [b"hello"]


# --- connections ----------------------------------------------------------------------------------


def test_pipelined_requests_are_answered_in_order(daphne: Daphne, path: str, phone: Phone) -> None:
    first = request(path, "TTL: 1000", body=b"one", close=False)
    wrong = request("/push/nowhere", body=b"lost", close=False)
    got = daphne.send(first + wrong + request(path, "TTL: 3000", body=b"three"))
    assert [answer.status for answer in got] == [201, 404, 201]
    assert [got[0].headers["TTL"], got[2].headers["TTL"]] == ["1000", "3000"]
    assert phone.waiting() == [b"one", b"three"]


def test_a_connection_is_kept(daphne: Daphne, path: str, phone: Phone) -> None:
    keeping = http.client.HTTPConnection(LOOPBACK, daphne.port, timeout=20)
    for status, body in [(201, b"a"), (413, bytes(5000)), (201, b""), (201, b"b")]:
        keeping.request("POST", path, body)
        answer = keeping.getresponse()
        answer.read()
        assert answer.status == status
    keeping.close()
    assert phone.waiting() == [b"a", b"", b"b"]


def test_many_connections_at_once(daphne: Daphne, path: str, phone: Phone) -> None:
    async def post(n: int) -> bytes:
        reader, writer = await asyncio.open_connection(LOOPBACK, daphne.port)
        writer.write(request(path, body=str(n).encode()))
        answer = await reader.read()
        writer.close()
        return answer

    async def many() -> list[bytes]:
        return await asyncio.gather(*(post(n) for n in range(60)))

    assert {answer.split()[1] for answer in asyncio.run(many())} == {b"201"}
    assert sorted(map(int, phone.waiting())) == list(range(60))


def test_http_1_0_without_a_host(daphne: Daphne, path: str, phone: Phone) -> None:
    raw = f"POST {path} HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello".encode()
    assert_answer(daphne.one(raw), 201)
    assert phone.waiting() == [b"hello"]


@pytest.mark.parametrize("version", ["HTTP/9.9", "HTTP/", "HTTQ/1.1", "", "HTTP/2.0"])
def test_another_protocol(version: str, daphne: Daphne, path: str) -> None:
    got = daphne.send(request(path).replace(b"HTTP/1.1", version.encode(), 1))
    assert len(got) <= 1


def test_head_has_no_body(daphne: Daphne, path: str) -> None:
    assert_answer(daphne.one(request(path, method="HEAD"), "HEAD"), 200)
    assert_answer(daphne.one(request("/message/a", method="HEAD"), "HEAD"), 405)


@pytest.mark.parametrize("target", ["{}", "/message/a", "/", "/ws/live/", "/nowhere"])
def test_a_websocket_where_none_is(target: str, daphne: Daphne, path: str) -> None:
    upgrade = ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Origin: https://evil.example"]
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    lines = [f"GET {target.format(path)} HTTP/1.1", "Host: push.example.org", *upgrade, key]
    got = daphne.send("\r\n".join([*lines, "Connection: Upgrade", "", ""]).encode(), "GET")
    assert len(got) == 1
    assert 400 <= got[0].status < 500


@pytest.mark.parametrize("method", ["BREW", "\xff", "GET\0", "A" * 500, "post"])
def test_an_odd_method(method: str, daphne: Daphne, path: str, phone: Phone) -> None:
    got = daphne.send(request(path, method=method))
    assert len(got) <= 1
    assert all(answer.status in (400, 405, 201) for answer in got)


def test_a_foreign_host_on_a_page_is_no_traceback(daphne: Daphne) -> None:
    raw = request("/", method="GET").replace(b"Host: push.example.org", b"Host: evil.example")
    assert daphne.one(raw, "GET").status == 400


def test_a_store_in_trouble_recovers_without_a_restart(
    daphne: Daphne, path: str, phone: Phone
) -> None:
    assert_answer(daphne.one(request(path, body=b"before")), 201)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE pushprovider_message RENAME TO away")
        try:
            got = daphne.one(request(path, body=b"lost"))
        finally:
            cursor.execute("ALTER TABLE away RENAME TO pushprovider_message")
    assert_answer(got, 503)
    assert int(got.headers["Retry-After"]) > 0
    assert_answer(daphne.one(request(path, body=b"after")), 201)
    assert phone.waiting() == [b"before", b"after"]


def test_it_ends_when_asked_even_if_the_store_is_broken(tmp_path: Path, phone: Phone) -> None:
    daphne = Daphne(tmp_path)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE pushprovider_hourlycount RENAME TO away")
        try:
            assert_answer(daphne.one(request("/push/nowhere")), 404)  # to be counted, later
            assert daphne.process.terminate() == 0
        finally:
            cursor.execute("ALTER TABLE away RENAME TO pushprovider_hourlycount")
    assert "Traceback" not in daphne.process.log_text()
