"""TTL, Topic and Urgency (RFC 8030 section 5)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pytest_django import Settings

from pushprovider.http import headers
from pushprovider.http.answers import Refused
from pushprovider.models import Urgency

LATIN = st.characters(max_codepoint=255)


def errno(parse: Callable[[str | None], object], value: str | None) -> int:
    """Return the errno of a refusal; it is always 400."""
    with pytest.raises(Refused) as caught:
        parse(value)
    assert caught.value.status == 400
    return caught.value.errno


def test_it_works() -> None:
    assert (headers.ttl("60"), headers.topic("a"), headers.urgency("low")) == (60, "a", 1)


# --- TTL ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "granted"),
    [
        ("0", 0),
        ("00", 0),
        ("2592000", 2_592_000),
        ("2592001", 2_592_000),
        ("0000000000000060", 60),
        (" 60\t", 60),
        ("2147483648", 2_592_000),
        ("9999999999", 2_592_000),
        ("10000000000", 2_592_000),
        ("9" * 5000, 2_592_000),
        ("0" * 5000, 0),
    ],
)
def test_a_ttl_is_digits_and_is_capped(value: str, granted: int) -> None:
    assert headers.ttl(value) == granted


def test_a_ttl_above_2_to_the_31_is_2_to_the_31(settings: Settings) -> None:
    settings.MAX_TTL = 2**40
    assert headers.ttl(str(2**31 - 1)) == 2**31 - 1
    assert headers.ttl(str(2**31 + 1)) == headers.ttl("9" * 30) == 2**31


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "-1",
        "+1",
        "1.5",
        "1e3",
        "0x10",
        "abc",
        "60s",
        "60,60",
        "60, 120",
        "6 0",
        "60;a=b",
        "\N{ARABIC-INDIC DIGIT SIX}",
        "\N{SUPERSCRIPT TWO}",
        "60\n",
        "\N{NO-BREAK SPACE}60",
        "1_000",
    ],
)
def test_any_other_ttl_is_refused(value: str) -> None:
    assert errno(headers.ttl, value) == 112


def test_a_missing_ttl_is_the_default(settings: Settings) -> None:
    assert headers.ttl(None) == 86_400
    settings.DEFAULT_TTL, settings.MAX_TTL = 500, 60
    assert headers.ttl(None) == 60


def test_a_missing_ttl_is_refused_if_one_is_required(settings: Settings) -> None:
    settings.REQUIRE_TTL = True
    assert errno(headers.ttl, None) == 111
    assert headers.ttl("0") == 0


@given(st.integers(min_value=0), st.integers(min_value=0, max_value=40))
@example(2**31, 0)
def test_any_number_is_granted_or_capped(seconds: int, zeros: int) -> None:
    assert headers.ttl("0" * zeros + str(seconds)) == min(seconds, 2_592_000)


@given(st.text(LATIN, max_size=12))
def test_no_ttl_does_anything_else(value: str) -> None:
    if re.fullmatch(r"[ \t]*[0-9]+[ \t]*", value):
        assert 0 <= headers.ttl(value) <= 2_592_000
    else:
        assert errno(headers.ttl, value) == 112


# --- Topic ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", ["a", "A-Z_09", "-", "x" * 32, "x" * 31 + "=", "x" * 30 + "==", "a="]
)
def test_a_topic_is_kept_as_it_is(value: str) -> None:
    assert headers.topic(value) == value


def test_no_topic_is_none() -> None:
    assert headers.topic(None) == ""


@pytest.mark.parametrize(
    "value",
    [
        "",
        "=",
        "==",
        "x" * 33,
        "x" * 32 + "=",
        "a b",
        " a",
        "a,b",
        "a=b",
        "ä",
        "a.b",
        "a/b",
        "a+b",
        "a\n",
        '"a"',
        "\N{FULLWIDTH LATIN SMALL LETTER A}",
        "a,a",
    ],
)
def test_any_other_topic_is_refused(value: str) -> None:
    assert errno(headers.topic, value) == 113


@given(st.text(LATIN, max_size=40))
def test_no_topic_does_anything_else(value: str) -> None:
    if len(value) <= 32 and re.fullmatch(r"[A-Za-z0-9_-]+=*", value):
        assert headers.topic(value) == value
    else:
        assert errno(headers.topic, value) == 113


# --- Urgency --------------------------------------------------------------------------------------


@pytest.mark.parametrize("urgency", list(Urgency))
def test_an_urgency_is_known_in_any_case(urgency: Urgency) -> None:
    for value in (urgency.label, urgency.label.upper(), f" {urgency.label.title()}\t"):
        assert headers.urgency(value) == urgency


def test_no_urgency_is_normal() -> None:
    assert headers.urgency(None) == Urgency.NORMAL


@pytest.mark.parametrize(
    "value",
    ["", "urgent", "very low", "low,high", "high, high", "2", "\N{KELVIN SIGN}", "high;q=1"],
)
def test_any_other_urgency_is_refused(value: str) -> None:
    assert errno(headers.urgency, value) == 999


# --- Content-Encoding -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (None, "none"),
        ("", "none"),
        ("aes128gcm", "aes128gcm"),
        (" AES128GCM\t", "aes128gcm"),
        ("aesgcm", "aesgcm"),
        ("aesgcm128", "aesgcm"),
        ("gzip", "other"),
        ("aesgcm, gzip", "other"),
        ("x" * 9000, "other"),
    ],
)
def test_an_encoding_is_counted_under_few_names(value: str | None, label: str) -> None:
    assert headers.encoding(value) == label
    assert label in headers.ENCODINGS
