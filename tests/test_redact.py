"""A token is a capability: it stays out of every log."""

from __future__ import annotations

import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushprovider import tokens
from pushprovider.http.redact import RedactTokens, redact

TOKEN = tokens.make(bytes(16))
UID = "0123456789abcdAAAAAAAAAAAAAAAAAAAAAA"


def logged(message: object, *args: object) -> str:
    """Return what the log says of this."""
    logger, stream = logging.getLogger("tests.redact"), io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactTokens())
    logger.addHandler(handler)
    logger.propagate = False
    logger.warning(message, *args)
    logger.removeHandler(handler)
    return stream.getvalue()


def test_it_works() -> None:
    assert redact(f"POST /push/{TOKEN} 201") == "POST /push/… 201"
    assert redact(f"DELETE /message/{UID}") == "DELETE /message/…"


@pytest.mark.parametrize(
    "text",
    [
        f"/push/{TOKEN}",
        f"https://push.example.org/push/{TOKEN}?up=1",
        f"'/push/{TOKEN}'",
        f"//push//{TOKEN}",
        f"/push/{TOKEN}/push/{TOKEN}",
        f"/push/%{TOKEN}",
        f"/%70ush/{TOKEN}",
        f"/push%2F{TOKEN}",
        f"/PUSH/{TOKEN}",
        f"/up/push/{TOKEN}",
        f"/?endpoint=https%3A%2F%2Fpush.example.org%2Fpush%2F{TOKEN}",
        f"/push/'{TOKEN}",
    ],
)
def test_no_way_of_writing_it_gets_through(text: str) -> None:
    assert TOKEN not in redact(text)
    assert TOKEN not in logged("%s", text)


def test_arguments_are_redacted() -> None:
    assert TOKEN not in logged("Not Found: %s %d", f"/push/{TOKEN}", 404)
    assert TOKEN not in logged(f"Not Found: /push/{TOKEN}")
    assert TOKEN not in logged("%(path)s", {"path": f"/push/{TOKEN}"})


def test_what_is_no_string_is_logged_as_it_is() -> None:
    assert (
        logged(
            ValueError("no"),
        )
        == "no\n"
    )
    assert logged("%d of %s", 1, None) == "1 of None\n"


@pytest.mark.parametrize(
    "text", ["", "/pushy", "/healthz", "a push/message", "XMPP is up", "/push"]
)
def test_the_rest_stays(text: str) -> None:
    assert redact(text) == text


@given(st.text(st.characters(exclude_characters="\"'? "), max_size=20))
def test_nothing_that_follows_is_left(before: str) -> None:
    assert TOKEN not in redact(f"{before}/push/{TOKEN}")
