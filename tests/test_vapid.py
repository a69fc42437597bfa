"""Who may push to a restricted endpoint (RFC 8292). The signatures are real."""

from __future__ import annotations

import json
import time
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from py_vapid import Vapid02
from pytest_django import Settings

from pushprovider import vapid
from tests.cast import DAY, ApplicationServer, base64url

ORIGIN = "https://push.example.org"


def accepts(server: ApplicationServer, authorization: str, now: int = 0) -> bool:
    return vapid.verify(authorization, server.public_key, now or int(time.time()))


def octets(key: str) -> bytes:
    return urlsafe_b64decode(key + "=" * (-len(key) % 4))


def test_it_works(server: ApplicationServer) -> None:
    assert accepts(server, server.signed())


def test_an_independent_library_is_understood() -> None:
    signer = Vapid02()
    signer.generate_keys()
    header = signer.sign({"aud": ORIGIN, "sub": "mailto:admin@example.org"})["Authorization"]
    key = header.rpartition("k=")[2]
    assert vapid.is_public_key(key)
    assert vapid.verify(header, key, int(time.time()))


def test_another_key_is_refused(server: ApplicationServer) -> None:
    other = ApplicationServer()
    assert not accepts(server, other.signed())
    forged = other.signed().replace(other.public_key, server.public_key)
    assert not accepts(server, forged)


@pytest.mark.parametrize(
    ("ahead", "good"),
    [(0, True), (DAY, True), (DAY + 300, True), (DAY + 301, False), (-300, True), (-301, False)],
)
def test_a_token_is_good_for_a_day_and_the_clocks_skew(
    ahead: int, good: bool, server: ApplicationServer
) -> None:
    now = 1_800_000_000
    assert accepts(server, server.signed(exp=now + ahead), now) is good
    assert accepts(server, server.signed(exp=float(now + ahead)), now) is good


@pytest.mark.parametrize(
    "exp", [None, "1800000000", "@", True, [], {}, 0, -1, 10**30, float("nan"), float("inf")]
)
def test_any_other_exp_is_refused(exp: object, server: ApplicationServer) -> None:
    assert not accepts(server, server.signed(exp=exp), 1_800_000_000)


@pytest.mark.parametrize(
    "aud",
    [ORIGIN, f"{ORIGIN}:443", f"{ORIGIN}/", "HTTPS://PUSH.Example.Org", [ORIGIN], [1, ORIGIN]],
)
def test_it_is_meant_for_us(aud: object, server: ApplicationServer) -> None:
    assert accepts(server, server.signed(aud=aud))


@pytest.mark.parametrize(
    "aud",
    [
        None,
        "",
        "push.example.org",
        "http://push.example.org",
        f"{ORIGIN}:8443",
        "https://[",
        1,
        {},
        [],
        [1, None],
        "https://push.example.org.evil.example",
        "https://example.org",
        "https://push.example.org@evil.example",
        {"x": ORIGIN},
        "https://push.example.org:99999",
    ],
)
def test_it_is_meant_for_somebody_else(aud: object, server: ApplicationServer) -> None:
    assert not accepts(server, server.signed(aud=aud))


def test_our_own_port_counts(server: ApplicationServer, settings: Settings) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:8000/base"
    assert accepts(server, server.signed(aud="http://127.0.0.1:8000"))
    assert not accepts(server, server.signed(aud="http://127.0.0.1"))


def test_a_subject_is_optional(server: ApplicationServer) -> None:
    assert accepts(server, server.signed(sub=None))


@pytest.mark.parametrize(
    "write",
    [
        lambda t, k: f"vapid t={t},k={k}",
        lambda t, k: f"vapid k={k}, t={t}",
        lambda t, k: f"VAPID t={t},   k={k}",
        lambda t, k: f"Vapid  t={t} , k={k}",
        lambda t, k: f'vapid t="{t}", k="{k}"',
        lambda t, k: f"vapid t={t}, k={k}=",
        lambda t, k: f"vapid t={t}, k={b64encode(octets(k)).decode()}",
        lambda t, k: f"vapid x=y, t={t}, k={k}, more=1",
        lambda t, k: f"vapid T={t}, K={k}",
        lambda t, k: f" vapid t={t};k={k} ",
    ],
)
def test_it_is_written_in_many_ways(
    write: Callable[[str, str], str], server: ApplicationServer
) -> None:
    token = server.signed().partition("t=")[2].partition(",")[0]
    assert accepts(server, write(token, server.public_key))


@pytest.mark.parametrize(
    "pad",
    [
        lambda part: part + "=" * (-len(part) % 4),
        lambda part: part.translate(str.maketrans("-_", "+/")),
    ],
)
def test_the_token_may_be_padded_or_in_the_other_alphabet(
    pad: Callable[[str], str], server: ApplicationServer
) -> None:
    # The signature covers the text as it is written, so it must be made over the padded one.
    claims = {"aud": ORIGIN, "exp": int(time.time()) + DAY, "sub": "mailto:~~~???@example.org"}
    head, body = (pad(base64url(json.dumps(part).encode())) for part in ({"alg": "ES256"}, claims))
    token = f"{head}.{body}.{pad(server.signature(f'{head}.{body}'))}"
    assert accepts(server, f"vapid t={token}, k={pad(server.public_key)}")
    assert vapid.claimed_subject(f"vapid t={token}") == "mailto:~~~???@example.org"


# --- the drafts before RFC 8292 -------------------------------------------------------------------


def draft(server: ApplicationServer, scheme: str = "WebPush", **claims: object) -> str:
    """Return the Authorization of Mastodon before 4.4."""
    signed = server.signed(**claims)  # type: ignore[arg-type]  # never the algorithm
    return f"{scheme} {signed.removeprefix('vapid t=').partition(',')[0]}"


def opens(server: ApplicationServer, authorization: str, crypto_key: str | None) -> bool:
    return vapid.verify(authorization, server.public_key, int(time.time()), crypto_key)


@pytest.mark.parametrize("scheme", ["WebPush", "webpush", "Bearer", "WEBPUSH "])
@pytest.mark.parametrize(
    "write",
    [
        lambda k: f"p256ecdsa={k}",
        lambda k: f"dh=BNoRDbb84JGm8g5Z5CFxurSqsXWJ11ItfXEWYVLE85Y7;p256ecdsa={k}",
        lambda k: f"keyid=p256dh;dh=BNoRDbb84JGm8g==, p256ecdsa={k}=",
        lambda k: f'p256ecdsa="{k}"; dh="BNoRDbb84JGm8g"',
        lambda k: f"P256ECDSA={b64encode(octets(k)).decode()}",
    ],
)
def test_the_draft_has_the_key_in_another_header(
    scheme: str, write: Callable[[str], str], server: ApplicationServer
) -> None:
    assert opens(server, draft(server, scheme), write(server.public_key))


def test_the_draft_needs_the_right_key(server: ApplicationServer) -> None:
    other = ApplicationServer()
    for crypto_key in (None, "", "dh=BNoRDbb84JGm8g", f"p256ecdsa={other.public_key}", "x" * 5000):
        assert not opens(server, draft(server), crypto_key)
    assert not opens(server, draft(other), f"p256ecdsa={server.public_key}")


def test_the_drafts_token_is_checked_as_any(server: ApplicationServer) -> None:
    key = f"p256ecdsa={server.public_key}"
    assert not opens(server, draft(server, aud="https://elsewhere.example"), key)
    assert not opens(server, draft(server, exp=int(time.time()) - 301), key)
    assert not opens(server, "WebPush", key)
    assert not opens(server, "WebPush a.b.c", key)
    assert not opens(server, draft(server, "Basic"), key)


def test_the_key_of_the_rfc_is_not_in_that_header(server: ApplicationServer) -> None:
    alone = server.signed().partition(", k=")[0]
    assert not opens(server, alone, f"p256ecdsa={server.public_key}")


@pytest.mark.parametrize("scheme", ["vapid t=", "WebPush ", "Bearer "])
def test_the_operator_is_told_the_subject_of_each(scheme: str, server: ApplicationServer) -> None:
    assert vapid.claimed_subject(scheme + server.token()) == "mailto:admin@example.org"


@pytest.mark.parametrize(
    "change",
    [
        lambda a: "",
        lambda a: "vapid",
        lambda a: a.replace("vapid ", ""),
        lambda a: a.replace("vapid ", "Bearer "),
        lambda a: a.replace("t=", "token="),
        lambda a: a.partition(", k=")[0],
        lambda a: a.replace("t=", "t=A"),
        lambda a: a.replace("k=", "k=A"),
        lambda a: a.replace(".", "..", 1),
        lambda a: a + "x" * 5000,
        lambda a: "vapid t=a.b.c, k=" + a.rpartition("k=")[2],
        lambda a: "vapid t=" + "." * 500 + ", k=" + a.rpartition("k=")[2],
    ],
)
def test_junk_is_refused(change: Callable[[str], str], server: ApplicationServer) -> None:
    assert not accepts(server, change(server.signed()))


def test_every_changed_character_is_noticed(server: ApplicationServer) -> None:
    good = server.signed()
    token = good.partition("t=")[2].partition(",")[0]
    for position in range(0, len(token) - 2, 7):
        other = "A" if token[position] != "A" else "B"
        changed = token[:position] + other + token[position + 1 :]
        assert not accepts(server, good.replace(token, changed))


@pytest.mark.parametrize("algorithm", ["none", "HS256", "es256", "RS256", ""])
def test_only_es256(algorithm: str, server: ApplicationServer) -> None:
    assert not accepts(server, server.signed(algorithm=algorithm))


@pytest.mark.parametrize("claims", [[], "text", 1, None, [[[[]]]]])
def test_claims_are_an_object(claims: object, server: ApplicationServer) -> None:
    assert not accepts(server, f"vapid t={server.jwt(claims)}, k={server.public_key}")


@given(st.text(max_size=60), st.binary(max_size=60))
def test_it_never_fails(text: str, raw: bytes) -> None:
    key = "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs"
    parts = ".".join(base64url(raw[n : n + 20]) for n in (0, 20, 40))
    for value in (text, f"vapid {text}", f"vapid t={text}, k={key}", f"vapid t={parts}, k={key}"):
        assert not vapid.verify(value, key, 1_800_000_000)


# --- an endpoint's key ----------------------------------------------------------------------------


def test_a_public_key(server: ApplicationServer) -> None:
    assert vapid.is_public_key(server.public_key)


@pytest.mark.parametrize(
    "change",
    [
        lambda k: "",
        lambda k: k[:-1],
        lambda k: k + "=",
        lambda k: k + "A",
        lambda k: "A" + k[1:],
        lambda k: base64url(b"\x04" + b"\xff" * 64),
        lambda k: base64url(b"\x04" + b"\0" * 64),
        lambda k: base64url(b"\x02" + octets(k)[1:33]),
        lambda k: k[:40] + "\n" + k[41:],
        lambda k: k[:40] + "é" + k[41:],
    ],
)
def test_not_a_public_key(change: Callable[[str], str], server: ApplicationServer) -> None:
    assert not vapid.is_public_key(change(server.public_key))


def test_a_point_on_another_curve_is_none() -> None:
    point = ec.generate_private_key(ec.SECP256K1()).public_key().public_numbers()
    raw = b"\x04" + point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
    assert not vapid.is_public_key(base64url(raw))


LONG = 4096


@pytest.mark.parametrize(
    "header",
    [
        "vapid " + "a" * LONG,
        "vapid " + "a" * (LONG // 2) + "." + "a" * (LONG // 2),
        "vapid " + "a." * (LONG // 2),
        "vapid " + "=" * LONG,
        "vapid a" + " " * LONG,
        "vapid " + "a = " * (LONG // 4),
        "WebPush " + "a" * LONG,
    ],
)
def test_no_header_takes_long_to_read(header: str, server: ApplicationServer) -> None:
    """A pattern that looks at it again and again took up to 190 ms; this takes 0.1."""
    header = header[:LONG]

    def seconds() -> float:
        began = time.perf_counter()
        vapid.claimed_subject.__wrapped__(header)
        assert not vapid.verify(header, server.public_key, 0)
        assert not vapid.verify("WebPush a.b.c", server.public_key, 0, header)
        return time.perf_counter() - began

    assert min(seconds() for _ in range(5)) < 0.01
