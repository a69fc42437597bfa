"""Spoilt bytes to a real daphne: it serves on, logs no traceback, and keeps nothing."""

from __future__ import annotations

import contextlib
import random
import re
import socket
from collections.abc import Iterator

import pytest

from tests.fuzz import ROUNDS, SEED
from tests.fuzz.wire import requests, spoilt
from tests.real import gauge
from tests.real.daphne import Daphne, request
from tests.real.gauge import MIB
from tests.real.waiting import tail, wait_until

PER_ROUND = 400
GROWTH = 64 * MIB
#: Seconds for which a test waits for what daphne has to say to a half request.
LISTEN = 0.05


@pytest.fixture(scope="module")
def daphne(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[Daphne]:
    started = Daphne(
        tmp_path_factory.mktemp("wire"),
        "tests.fuzz.hasty:application",
        (),
        ("-v", "0"),
        FUZZ_RECEIVE_WITHIN="2",
    )
    yield started
    assert started.process.terminate() == 0


def play(daphne: Daphne, pieces: list[bytes]) -> bytes:
    """Send the pieces and return what comes, for as long as this is worth waiting for."""
    heard = b""
    with daphne.connect() as wire, contextlib.suppress(ConnectionError, TimeoutError):
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            wire.sendall(piece)
        wire.settimeout(LISTEN)
        while octets := wire.recv(65536):
            heard += octets
    return heard


def test_it_survives_spoilt_requests(daphne: Daphne, path: str) -> None:
    good, dice = requests(path), random.Random(SEED)
    for one in good:  # what is opened once
        play(daphne, [one])
    pid = daphne.process.pid
    before = gauge.memory(pid)
    for number in range(PER_ROUND * ROUNDS):
        heard = play(daphne, spoilt(dice, good))
        assert heard == b"" or heard.startswith((b"HTTP/1.0 ", b"HTTP/1.1 ")), heard[:200]
        assert not re.search(rb"HTTP/1\.[01] 500", heard), daphne.process.log_text()
        if number % 50 == 0:
            assert daphne.one(request(path, body=b"hello")).status == 201
    log = daphne.process.log_text()
    assert "Traceback" not in log, tail(log)
    assert path[-43:] not in log
    wait_until(lambda: gauge.descriptors(pid) < 40, 20, "descriptors are closed")
    assert gauge.memory(pid) - before < GROWTH
