"""Tokens that a peer never issued: each is one 404, whoever signed it, and nothing is stored."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from pushprovider.fields import now_ms
from pushprovider.http.answers import unknown
from pushprovider.legacy import reading, strict
from pushprovider.legacy.kinds import Claims
from pushprovider.models import Account, Message
from tests.cast import ask, hashed
from tests.legacy import tokens
from tests.legacy.tokens import (
    EJABBERD_KEY,
    JWT_SECRET,
    PASETO_KEY,
    PUSH,
    UP_KEY,
    base64url,
    ejabberd,
    exp,
    jwt,
    paseto,
    said,
    said_ejabberd,
    said_up,
    up,
)

Make = Callable[[object], str]
Say = Callable[..., dict[str, object]]

KINDS: dict[str, tuple[Make, Say, str, int]] = {
    "up": (up, said_up, "exp", 1000),
    "paseto": (paseto, said, "exp", 1),
    "jwt": (jwt, said, "exp", 1),
    "ejabberd": (ejabberd, said_ejabberd, "e", 1),
}
#: What a format calls the claims.
CALLED = {
    "up": ("sub", "application", "instance"),
    "paseto": ("sub", "application", "instance"),
    "jwt": ("sub", "application", "instance"),
    "ejabberd": ("o", "a", "i"),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def status(token: str) -> int:
    """POST to the token and return the status; a refusal is always the same."""
    answer = ask("POST", PUSH + quote(token), b"hello")
    if answer.status != 201:
        assert answer.body == unknown().response().content
        assert answer.status == 404
        assert not Message.objects.exists()
        assert not Account.objects.exists()
    return answer.status


@every_kind
def test_it_works(kind: str, moved: Settings) -> None:
    make, say, _, _ = KINDS[kind]
    assert status(make(say())) == 201


def test_a_prosody_that_does_paseto_right_is_understood(moved: Settings) -> None:
    assert status(paseto(said(), standard=True)) == 201


# --- claims ---------------------------------------------------------------------------------------

BAD_EXPIRY: dict[str, Callable[[int], object]] = {
    "past": lambda unit: exp(-10) * unit,
    "now": lambda unit: exp(0) * unit,
    "zero": lambda unit: 0,
    "negative": lambda unit: -exp() * unit,
    "true": lambda unit: True,
    "text": lambda unit: str(exp() * unit),
    "iso": lambda unit: "2099-01-01T00:00:00Z",
    "list": lambda unit: [exp() * unit],
    "object": lambda unit: {"exp": exp() * unit},
    "huge": lambda unit: 10**400,
    "huge float": lambda unit: 1e300,
    "beyond 9999": lambda unit: 253_402_300_800 * unit,
    "nan": lambda unit: float("nan"),
    "infinity": lambda unit: float("inf"),
    "missing": lambda unit: None,
}


@every_kind
@pytest.mark.parametrize("bad", BAD_EXPIRY)
def test_an_expiry_must_be_a_moment_to_come(kind: str, bad: str, moved: Settings) -> None:
    make, say, name, unit = KINDS[kind]
    assert status(make(say(**{name: BAD_EXPIRY[bad](unit)}))) == 404


@every_kind
def test_an_expiry_of_null_is_none(kind: str, moved: Settings) -> None:
    make, say, name, _ = KINDS[kind]
    assert status(make({**say(), name: None})) == 404


@every_kind
def test_more_digits_than_python_reads_are_refused(kind: str, moved: Settings) -> None:
    make, say, name, _ = KINDS[kind]
    text = json.dumps(say(**{name: 77777})).replace("77777", "1" * 4400)
    assert status(make(text.encode())) == 404


@every_kind
def test_an_expiry_in_the_other_unit_is_wrong(kind: str, moved: Settings) -> None:
    """Seconds for up are 1970; milliseconds for the others lie beyond the year 9999."""
    make, say, name, unit = KINDS[kind]
    assert status(make(say(**{name: exp() if unit == 1000 else exp() * 1000}))) == 404


@every_kind
def test_a_float_is_a_number(kind: str, moved: Settings) -> None:
    make, say, name, unit = KINDS[kind]
    assert status(make(say(**{name: exp() * unit + 0.5}))) == 201


BAD_JIDS = [
    "juliet@localhost",
    "juliet@localhost/",
    "localhost/phone",
    "@localhost/phone",
    "juliet@/phone",
    "a@b@localhost/phone",
    "juliet@local host/phone",
    "juliet@localhost./phone",
    "juliet@.localhost/phone",
    "juliet@localhost!/phone",
    "juliet@localhost:5222/phone",
    "jul iet@localhost/phone",
    "jul'iet@localhost/phone",
    "juliet@localhost/ph\x00one",
    "juliet@localhost/ph\none",
    "juliet@localhost/ph\tone",
    "juliet@localhost/\x85",
    "juliet@localhost/\ud800",
    "juliet@localhost/\ufffe",
    "juliet\n@localhost/phone",
    "x" * 1024 + "@localhost/phone",
    "juliet@localhost/" + "ü" * 512,
    "",
    7,
    True,
    ["juliet@localhost/phone"],
    {"jid": "juliet@localhost/phone"},
]


@every_kind
@pytest.mark.parametrize("jid", BAD_JIDS, ids=repr)
def test_a_subject_must_be_a_full_jid(kind: str, jid: object, moved: Settings) -> None:
    moved.REGISTRATION_ACL = ["*"]
    make, say, _, _ = KINDS[kind]
    assert status(make(say(jid))) == 404


@every_kind
@pytest.mark.parametrize("jid", ["d\\27artagnan@localhost/a/b@c", 'jürgen@localhost/"1" & <ü>'])
def test_a_subject_is_taken_to_the_letter(kind: str, jid: str, moved: Settings) -> None:
    make, say, _, _ = KINDS[kind]
    assert status(make(say(jid))) == 201
    [message] = Message.objects.select_related("registration__account")
    assert message.registration.device == jid


BAD_NAMES = [
    "",
    "short",
    hashed("chat").rstrip("="),
    hashed("chat")[:-2] + "V=",
    hashed("chat") + "\n",
    " " + hashed("chat"),
    "-_" * 21 + "8=",
    hashed("chat") * 2,
    7,
    None,
    [],
]


@every_kind
@pytest.mark.parametrize("which", [1, 2])
@pytest.mark.parametrize("name", BAD_NAMES, ids=repr)
def test_application_and_instance_must_be_32_bytes(
    kind: str, which: int, name: object, moved: Settings
) -> None:
    make, say, _, _ = KINDS[kind]
    assert status(make({**say(), CALLED[kind][which]: name})) == 404


@every_kind
@pytest.mark.parametrize("which", [0, 1, 2])
def test_no_claim_may_be_missing(kind: str, which: int, moved: Settings) -> None:
    make, say, _, _ = KINDS[kind]
    claims = say()
    del claims[CALLED[kind][which]]
    assert status(make(claims)) == 404


@every_kind
@pytest.mark.parametrize("more", ["nbf", "iat", "aud", "a", "application", "\x00"])
def test_no_claim_may_be_there_that_was_never_issued(kind: str, more: str, moved: Settings) -> None:
    make, say, _, _ = KINDS[kind]
    claims = say()
    claims.setdefault(more, hashed("chat"))
    expected = 201 if len(claims) == 4 else 404
    assert status(make(claims)) == expected


@every_kind
def test_no_claim_may_be_there_twice(kind: str, moved: Settings) -> None:
    make, say, name, unit = KINDS[kind]
    text = json.dumps(say())
    assert status(make((text[:-1] + f', "{name}": {exp(9000) * unit}}}').encode())) == 404


@every_kind
@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"7",
        b"{",
        b"{}",
        b"[" * 4000,
        b'{"a":' * 800 + b"1" + b"}" * 800,
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b"{} {}",
        b'{"exp": 9999999999,}',
        b'{"sub": "caf\xe9"}',
    ],
    ids=lambda payload: repr(payload[:20]),
)
def test_a_payload_must_be_an_object_of_claims(kind: str, payload: bytes, moved: Settings) -> None:
    assert status(KINDS[kind][0](payload)) == 404


@every_kind
def test_one_set_of_claims_within_another_counts_for_nothing(kind: str, moved: Settings) -> None:
    make, say, _, _ = KINDS[kind]
    assert status(make([say()])) == 404
    assert status(make({"claims": say()})) == 404
    assert status(make(make(say()))) == 404


@every_kind
def test_a_foreign_encoding_of_the_payload_is_refused(kind: str, moved: Settings) -> None:
    make, say, _, _ = KINDS[kind]
    for encoding in ("utf-16", "utf-16-le", "utf-32", "utf-8-sig"):
        assert status(make(json.dumps(say()).encode(encoding))) == 404


# --- the token's spelling -------------------------------------------------------------------------


def bent(token: str) -> dict[str, str]:
    """Return ways to spell a good token wrongly."""
    start, _, body = token.rpartition(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return {
        "padded": token + "=",
        "padded twice": token + "==",
        "cut": token[:-1],
        "trailing dot": token + ".",
        "leading dot": "." + token,
        "a footer": token + "." + base64url(b"footer"),
        "blank": token + " ",
        "newline": token + "\n",
        "nul": token + "\0",
        "in the middle": f"{start}.{body[:9]}!!!!{body[9:]}",
        "standard alphabet": f"{start}.{body[:8]}+/{body[10:]}",
        "wide letter": f"{start}.{body[:-1]}\uff21",
        "upper case": token.upper(),
        "empty body": f"{start}.",
        "changed": f"{start}.{alphabet[alphabet.index(body[0]) ^ 1]}{body[1:]}",
        "slash": token[:50] + "/" + token[50:],
    }


@every_kind
@pytest.mark.parametrize("how", bent("a.b"))
def test_a_token_has_one_spelling(kind: str, how: str, moved: Settings) -> None:
    make, say, _, _ = KINDS[kind]
    assert status(bent(make(say()))[how]) == 404


@every_kind
def test_stray_bits_at_the_end_are_refused(kind: str, moved: Settings) -> None:
    make, say, _, _ = KINDS[kind]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    found = 0
    for length in range(6):  # until the last character holds unused bits
        token = make(say("juliet@localhost/" + "p" * (length + 1)))
        unused = {2: 4, 3: 2}.get(len(token.rpartition(".")[2]) % 4, 0)
        if unused:
            found += 1
            twin = token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]
            assert status(twin) == 404
    assert found


@every_kind
def test_a_token_of_6_kib_is_not_even_read(
    kind: str, moved: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, say, _, _ = KINDS[kind]
    long = make({**say(), "more": "x" * 4400})
    assert len(long) >= 6000
    assert status(long) == 404
    longer = make({**say(), "more": "x" * 4700})
    assert len(longer) > strict.LONGEST
    monkeypatch.setattr(strict, "octets", None)  # nothing may try
    assert status(longer) == 404


@every_kind
def test_the_longest_jid_passes(kind: str, moved: Settings) -> None:
    moved.REGISTRATION_ACL = ["*"]
    make, say, _, _ = KINDS[kind]
    jid = "l" * 1023 + "@" + "d" * 250 + ".tld"[:3] + "/" + "r" * 1023
    assert status(make(say(jid))) == 201


@every_kind
def test_a_long_foreign_token_is_refused_quickly(kind: str, moved: Settings) -> None:
    """Twenty keys to try, which is as many as the settings take."""
    make, say, _, _ = KINDS[kind]
    token = make({**say(), "more": "x" * 4400})
    for name, entries in tokens.SETTINGS.items():
        setattr(moved, name, [_other(entry, number) for number in range(20) for entry in entries])
    reading.read(token, now_ms())
    began = time.process_time()
    for _ in range(10):
        assert reading.read(token, now_ms()) is None
    assert (time.process_time() - began) / 10 < 0.025


def _other(entry: str, number: int) -> str:
    """Return another key of the same form."""
    return entry[:-6] + f"{number:04x}" + entry[-2:]


@given(st.text(max_size=80) | st.binary(max_size=80).map(base64url))
def test_nothing_made_up_is_read(text: str) -> None:
    for start in ("v2.local.", "v3.local.", "", "a.b."):
        assert not isinstance(reading.read(start + text, now_ms()), Claims)


# --- whose key ------------------------------------------------------------------------------------

KEY = {"up": UP_KEY, "paseto": PASETO_KEY, "jwt": JWT_SECRET.encode(), "ejabberd": EJABBERD_KEY}


@every_kind
@pytest.mark.parametrize("other", KEY)
def test_each_kind_has_keys_of_its_own(kind: str, other: str, moved: Settings) -> None:
    maker: Any = {"up": up, "paseto": paseto, "jwt": jwt, "ejabberd": jwt}[kind]
    key = KEY[other][:32] if kind in ("up", "paseto") else KEY[other]
    expected = 201 if kind == other else 404
    assert status(maker(KINDS[kind][1](), key)) == expected


@pytest.mark.parametrize("kind", ["up", "paseto"])
def test_one_peers_claims_under_anothers_key_are_refused(kind: str, moved: Settings) -> None:
    make = KINDS[kind][0]
    assert status(make(said_ejabberd())) == 404


def test_the_jwts_claims_must_be_those_of_the_key(moved: Settings) -> None:
    assert status(jwt(said_ejabberd(), JWT_SECRET)) == 404
    assert status(jwt(said(), EJABBERD_KEY)) == 404


def test_the_same_secret_at_two_peers_does_not_mix_their_claims(moved: Settings) -> None:
    moved.LEGACY_PROSODY_JWT_SECRETS = [EJABBERD_KEY.decode()]
    assert status(jwt({**said(), **said_ejabberd()}, EJABBERD_KEY)) == 404
    assert status(jwt({**said_ejabberd(), "exp": exp()}, EJABBERD_KEY)) == 404


def test_a_secret_is_not_its_base64(moved: Settings) -> None:
    [k] = moved.LEGACY_EJABBERD_KEYS
    assert status(jwt(said_ejabberd(), k.encode())) == 404
    text = base64url(b"z" * 40)
    moved.LEGACY_PROSODY_JWT_SECRETS = [text]
    assert status(jwt(said(), b"z" * 40)) == 404
    assert status(jwt(said(), text)) == 201


# --- the header of a JWT --------------------------------------------------------------------------

HEADERS: list[object] = [
    {"alg": "none", "typ": "JWT"},
    {"alg": "None", "typ": "JWT"},
    {"alg": "nOnE", "typ": "JWT"},
    {"alg": "hs256", "typ": "JWT"},
    {"alg": "HS384", "typ": "JWT"},
    {"alg": "HS512", "typ": "JWT"},
    {"alg": "RS256", "typ": "JWT"},
    {"alg": "", "typ": "JWT"},
    {"alg": None, "typ": "JWT"},
    {"alg": ["HS256"], "typ": "JWT"},
    {"typ": "JWT"},
    {"alg": "HS256"},
    {"alg": "HS256", "typ": "jwt"},
    {"alg": "HS256", "typ": "JWE"},
    {"alg": "HS256", "typ": "at+jwt"},
    {"alg": "HS256", "typ": "JWT", "kid": "1"},
    {"alg": "HS256", "typ": "JWT", "crit": ["b64"], "b64": False},
    {"alg": "HS256", "typ": "JWT", "zip": "DEF"},
    {"alg": "HS256", "typ": "JWT", "jwk": {"kty": "oct", "k": "AAAA"}},
    b'{"alg":"none","alg":"HS256","typ":"JWT"}',
    b'{"alg":"HS256","typ":"JWT"} ',
    b"HS256",
    b"",
    [],
    7,
]


@pytest.mark.parametrize("kind", ["jwt", "ejabberd"])
@pytest.mark.parametrize("header", HEADERS, ids=repr)
def test_the_algorithm_is_pinned(kind: str, header: object, moved: Settings) -> None:
    key = JWT_SECRET.encode() if kind == "jwt" else EJABBERD_KEY
    claims = said() if kind == "jwt" else said_ejabberd()
    # White space after the object is JSON all the same.
    expected = 201 if header == b'{"alg":"HS256","typ":"JWT"} ' else 404
    digest = "sha512" if b"HS512" in tokens.octets_of(header) else "sha256"
    digest = "sha384" if b"HS384" in tokens.octets_of(header) else digest
    token = jwt(claims, key, header, digest)
    assert status(token) == expected
    unsigned = token.rpartition(".")[0]
    if expected == 404:
        assert status(unsigned + ".") == 404
        assert status(unsigned) == 404


@pytest.mark.parametrize("kind", ["jwt", "ejabberd"])
def test_a_signature_is_whole(kind: str, moved: Settings) -> None:
    make, say, _, _ = KINDS[kind]
    token = make(say())
    signed, _, signature = token.rpartition(".")
    for wrong in (signature[:22], signature * 2, base64url(b"\0" * 32), "AA"):
        assert status(f"{signed}.{wrong}") == 404
    assert status(token + "." + signature) == 404


@pytest.mark.parametrize("kind", ["up", "paseto"])
def test_an_authenticated_footer_was_never_issued(kind: str, moved: Settings) -> None:
    maker: Any = {"up": up, "paseto": paseto}[kind]
    assert status(maker(KINDS[kind][1](), footer=b'{"kid":"1"}')) == 404


@pytest.mark.parametrize(
    "header", ["v1.local.", "v4.local.", "v2.public.", "v3.public.", "V2.local."]
)
def test_only_the_versions_that_were_issued(header: str, moved: Settings) -> None:
    for token in (up(said_up()), paseto(said())):
        assert status(header + token[len(header) :]) == 404
