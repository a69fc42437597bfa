"""Old endpoints over the wire, at a real daphne with keys of every peer: long paths, clean logs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from pushprovider.models import Message
from tests.legacy import tokens
from tests.legacy.tokens import ejabberd, jwt, paseto, said, said_ejabberd, said_up, up, vectors
from tests.real.daphne import Daphne, request
from tests.settings import ENVIRONMENT

LONGEST = next(vector for vector in vectors() if vector["id"] == "up-jpaseto-long")
USED = {
    "up": up(said_up()),
    "paseto": paseto(said()),
    "jwt": jwt(said()),
    "ejabberd": ejabberd(said_ejabberd()),
    "the longest JID": str(LONGEST["token"]),
}


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[Daphne]:
    """One daphne for this file, configured by its environment."""
    Path(ENVIRONMENT["RUN_DIR"]).mkdir(exist_ok=True)
    settings = {name: ",".join(entries) for name, entries in tokens.SETTINGS.items()}
    settings["LEGACY_UP_SECRETS"] += "," + LONGEST["key"]
    started = Daphne(
        tmp_path_factory.mktemp("daphne"),
        REGISTRATION_ACL="*",
        LEGACY_UNTIL="2999-12-31",
        **settings,
    )
    yield started
    log = started.process.log_text()
    assert started.process.terminate() == 0
    assert "Traceback" not in log
    for token in USED.values():
        assert token[:20] not in log
        assert token[-20:] not in log


@pytest.fixture
def daphne(process: Daphne, store: None) -> Daphne:
    return process


@pytest.mark.parametrize("path", ["/push/", "/up/push/"])
@pytest.mark.parametrize("whose", USED)
def test_it_works(whose: str, path: str, daphne: Daphne) -> None:
    got = daphne.one(request(path + USED[whose], body=b"hello"))
    assert got.status == 201
    assert bytes(Message.objects.get().payload) == b"hello"


@pytest.mark.parametrize("whose", USED)
def test_the_path_is_decoded_once(whose: str, daphne: Daphne) -> None:
    odd = "".join(f"%{ord(c):02x}" if c in "-_." else c for c in USED[whose])
    assert daphne.one(request("/push/" + odd)).status == 201
    assert daphne.one(request("/push/" + quote(odd))).status == 404


@pytest.mark.parametrize("length", [6144, 6145, 12_000])
def test_an_endless_token_is_not_found(length: int, daphne: Daphne) -> None:
    for start in ("v2.local.", "v3.local.", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJl.", ""):
        got = daphne.one(request("/push/" + (start + "A" * length)[:length]))
        assert (got.status, got.errno) == (404, 102)
