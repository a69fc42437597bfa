"""The HTTP process without a proxy in front: what a client can make it hold has an end."""

from __future__ import annotations

import contextlib
import json
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pushprovider.http.bounds import HOPELESS, MAX_BODY
from tests.cast import Phone, Stranger
from tests.real import gauge
from tests.real.daphne import APPLICATION, Daphne, chunked, everything, parsed, request
from tests.real.gauge import MIB
from tests.real.waiting import wait_until

PATIENCE = 1.5
#: Descriptors of the process with few: half of them are not for connections that wait.
FEW = 128


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[Daphne]:
    """A daphne of little patience and few file descriptors."""
    folder = tmp_path_factory.mktemp("bounds")
    started = Daphne(
        folder,
        "tests.fuzz.hasty:application",
        ("prlimit", f"--nofile={FEW}:{FEW}"),
        FUZZ_RECEIVE_WITHIN=str(PATIENCE),
    )
    yield started
    assert started.process.terminate() == 0


@pytest.fixture
def daphne(process: Daphne, path: str) -> Iterator[Daphne]:
    """It: at the end it serves, its log is clean, and it holds no descriptor more than before."""
    process.one(request(path, body=b"first"))
    before = len(process.process.log_text())
    open_before = gauge.descriptors(process.process.pid)
    yield process
    assert process.one(request(path, body=b"after")).status == 201
    log = process.process.log_text()[before:]
    assert "Traceback" not in log
    pid = process.process.pid
    wait_until(lambda: gauge.descriptors(pid) <= open_before, 10, "descriptors are closed")


def serves(daphne: Daphne, path: str) -> bool:
    """Return whether it takes a message."""
    try:
        return daphne.one(request(path, body=b"after")).status == 201
    except (ConnectionError, ValueError):  # hung up at once; no answer
        return False


def dripping(wire: socket.socket, start: bytes, drip: bytes) -> float:
    """Send `start`, then one drip after the other; return the seconds until daphne hung up."""
    began = time.monotonic()
    wire.sendall(start)
    wire.settimeout(PATIENCE / 5)
    while time.monotonic() - began < PATIENCE * 5:
        with contextlib.suppress(TimeoutError):
            if not wire.recv(100):
                break
        try:
            wire.sendall(drip)
        except ConnectionError:
            break
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("start", "drip"),
    [
        (b"P", b"O"),
        (b"POST /push/x HTTP/1.1\r\n", b"X"),
        (b"POST /push/x HTTP/1.1\r\n", b"X: y\r\n"),
        (b"POST /push/x HTTP/1.1\r\nContent-Length: 4000\r\n\r\n", b"a"),
        (b"POST /push/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        (request("/push/x", body=b"whole", close=False), b"P"),
    ],
    ids=["method", "name", "header", "body", "chunk", "second"],
)
def test_a_request_that_comes_drop_by_drop_is_not_waited_for(
    start: bytes, drip: bytes, daphne: Daphne
) -> None:
    with daphne.connect() as wire:
        assert dripping(wire, start, drip) < PATIENCE * 3


def test_a_connection_without_a_request_is_not_kept(daphne: Daphne) -> None:
    with daphne.connect() as wire:
        assert wire.recv(1) == b""


def test_a_request_may_follow_long_after_another(daphne: Daphne, path: str) -> None:
    with daphne.connect() as wire:
        for _ in range(3):
            wire.sendall(request(path, body=b"hello", close=False))
            assert wire.recv(4096).startswith(b"HTTP/1.1 201")
            time.sleep(PATIENCE * 0.6)  # together longer than one may take


@pytest.mark.parametrize("target", ["{0}", "/admin/login/", "/", "/metrics", "/nowhere"])
def test_a_body_that_is_too_long_is_read_dropped_and_refused(
    target: str, daphne: Daphne, path: str
) -> None:
    target = target.format(path)
    body = bytes(MAX_BODY + 1)
    assert daphne.one(request(target, body=body)).status == 413
    pieces = chunked(*[bytes(65536)] * 3)
    assert daphne.one(request(target, "Transfer-Encoding: chunked", body=pieces)).status == 413


def test_a_gigabyte_that_is_announced_is_refused_before_it_comes(daphne: Daphne, path: str) -> None:
    with daphne.connect() as wire:
        wire.sendall(request(path, "Content-Length: 1000000000", "Expect: 100-continue"))
        [got] = parsed(everything(wire))
    assert got.status == 413


def test_each_413_says_so_in_its_own_words(daphne: Daphne, path: str) -> None:
    too_long, hopeless = bytes(MAX_BODY + 1), f"Content-Length: {HOPELESS + 1}"
    for raw in (request(path, body=too_long), request(path, hopeless)):
        got = daphne.one(raw)
        assert (got.status, json.loads(got.body)["errno"]) == (413, 104)
        assert got.headers["Access-Control-Allow-Origin"] == "*"
    matrix = daphne.one(request("/_matrix/push/v1/notify", body=too_long))
    assert (matrix.status, json.loads(matrix.body)["errcode"]) == (413, "M_TOO_LARGE")


@pytest.mark.parametrize("value", ["\xe9", "/x", "%ff"])
def test_nobody_tells_daphne_where_its_root_is(value: str, daphne: Daphne, path: str) -> None:
    header = f"Daphne-Root-Path: {value}"
    assert daphne.one(request(path, header, body=b"hello")).status == 201
    assert daphne.one(request("/", header, method="GET"), "GET").status == 200


def test_a_length_of_very_many_digits_is_refused(daphne: Daphne, path: str) -> None:
    """Also behind another request, whose answer must not suffer."""
    endless = request(path, "Content-Length: " + "9" * 5000)
    assert daphne.one(endless).status == 400
    both = daphne.send(request(path, body=b"first", close=False) + endless)
    assert [got.status for got in both] == [201, 400]


@pytest.mark.parametrize("header", ["Content-Length: 1000000000", "Transfer-Encoding: chunked"])
def test_a_gigabyte_that_comes_is_not_taken(header: str, daphne: Daphne, path: str) -> None:
    pid = daphne.process.pid
    memory, cpu = gauge.peak(pid), gauge.cpu(pid)
    piece = chunked(bytes(MIB))[:-5] if "chunked" in header else bytes(MIB)
    sent = 0
    with daphne.connect() as wire, contextlib.suppress(ConnectionError):
        wire.sendall(request(path, header))
        while sent < 1000:
            wire.sendall(piece)
            sent += 1
    # What the kernel's buffers took is not what the process read.
    assert sent * MIB < 4 * HOPELESS
    assert gauge.peak(pid) - memory < 16 * MIB
    assert gauge.cpu(pid) - cpu < 2


def test_many_that_send_nothing_keep_nobody_out(daphne: Daphne, path: str) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(3 * FEW):
            stack.enter_context(daphne.connect()).sendall(b"POST /push/x HT")
            if _ % 40 == 0:
                assert daphne.one(request(path, body=b"in between")).status == 201
        assert gauge.descriptors(daphne.process.pid) < FEW


def test_many_that_read_no_answer_are_dropped(daphne: Daphne, path: str) -> None:
    ask = b"GET /static/admin/js/vendor/jquery/jquery.js HTTP/1.1\r\nHost: localhost\r\n"
    before = gauge.memory(daphne.process.pid)
    pid = daphne.process.pid
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(socket.socket()) for _ in range(30)]
        for number, wire in enumerate(wires):
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            wire.settimeout(20)
            wire.connect(("127.0.0.1", daphne.port))
            wire.sendall(ask + (b"Connection: close\r\n\r\n" if number % 2 else b"\r\n"))
        assert daphne.one(request(path, body=b"meanwhile")).status == 201
        # Twisted asks them to go, and cuts them off 15 seconds later.
        wait_until(lambda: gauge.descriptors(pid) < 30, 40, "those that do not read are dropped")
        assert gauge.memory(pid) - before < 64 * MIB


def test_without_a_descriptor_left_it_waits_and_recovers(
    tmp_path: Path, phone: Phone, path: str
) -> None:
    """The bound on waiting connections does not help against requests that are at work."""
    with Daphne(tmp_path, "tests.fuzz.hasty:application", FUZZ_RECEIVE_WITHIN="60") as daphne:
        daphne.one(request(path, body=b"first"))
        pid = daphne.process.pid
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        now = gauge.descriptors(pid)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (now + 10, limits[1]))
        with contextlib.ExitStack() as stack:
            for _ in range(40):
                wire = stack.enter_context(daphne.connect())
                with contextlib.suppress(ConnectionError):
                    wire.sendall(b"POST /push/x HT")
        wait_until(lambda: serves(daphne, path), 10, "it serves again")
        assert phone.waiting()[-1] == b"after"
        # SQLite closes a connection's file later, while another of the process has it locked: that
        # of the process's first look at its tables may be among `now`, or not yet.
        wait_until(lambda: gauge.descriptors(pid) <= now + 2, 10, "descriptors are closed")
        assert "Traceback" not in daphne.process.log_text()
        assert daphne.process.terminate() == 0


def test_a_refusal_writes_no_line_into_the_log(
    tmp_path: Path, phone: Phone, path: str, stranger: Stranger
) -> None:
    """With `-v 0`, as deploy/ and the Procfile have it: nobody fills the disk by asking."""
    with Daphne(tmp_path, APPLICATION, (), ("-v", "0")) as daphne:
        assert daphne.one(request(path, body=b"hello")).status == 201
        before = daphne.process.log_text()
        foreign = stranger.endpoint().removeprefix("https://push.example.org")
        socket_key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
        upgrade = [
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            socket_key,
        ]
        for raw in (
            request(foreign, body=b"hello"),
            request(path, body=bytes(5000)),
            request(path, body=bytes(MAX_BODY + 1)),
            request(path, "TTL: never"),
            request(path, method="BREW"),
            request(path, "Content-Length: 5", "Content-Length: 6"),
            request("/nowhere"),
            request("/nowhere", method="GET"),
            request("/", method="GET").replace(b"push.example.org", b"evil.example"),
            request("/admin/login/", method="POST", body=b"username=a&password=b"),
            request("/metrics", method="GET"),
            request("/_matrix/push/v1/notify", body=b"{"),
            request(
                "/ws/live/", *upgrade, "Origin: https://evil.example", method="GET", close=False
            ),
            request("/ws/else/", *upgrade, method="GET", close=False),
            b"\x16\x03\x01\x02\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 600 + b"\r\n",
        ):
            assert all(got.status >= 400 for got in daphne.send(raw, "GET")), raw[:60]
        assert daphne.process.log_text() == before
        assert daphne.process.terminate() == 0
