"""The parser of the stream: a stanza that is there is read, however it came."""

from __future__ import annotations

from typing import cast
from xml.etree.ElementTree import Element, ParseError

import pytest

from pushprovider.xmpp.prompt import PromptParser

HEADER = b"<?xml version='1.0'?><stream:stream xmlns:stream='s' xmlns='jabber:component:accept'>"
ANSWER = b"<iq id='" + b"x" * 60 + b"' type='result' from='juliet@localhost/p' to='up.localhost'/>"
ERROR = (
    b"<iq id='1' type='error'><error type='cancel'><gone xmlns='e'/><text>a &quot;word&quot; "
    b"\xc3\xa4 ]]&gt;</text></error></iq>"
)


def ended(parser: PromptParser) -> list[Element]:
    """Return the elements that have ended since the last look."""
    events = cast("list[tuple[str, Element]]", list(parser.read_events()))
    return [element for event, element in events if event == "end"]


def tags(parser: PromptParser, octets: bytes) -> list[str]:
    """Return what has ended after these bytes."""
    parser.feed(octets)
    return [element.tag.rpartition("}")[2] for element in ended(parser)]


@pytest.fixture
def parser() -> PromptParser:
    made = PromptParser()
    assert tags(made, HEADER) == []
    return made


@pytest.mark.parametrize("at", range(1, len(ANSWER)))
def test_an_answer_in_two_pieces_is_read_at_once(parser: PromptParser, at: int) -> None:
    assert tags(parser, ANSWER[:at]) == []
    assert tags(parser, ANSWER[at:]) == ["iq"]


@pytest.mark.parametrize("at", range(1, len(ERROR)))
def test_an_error_in_two_pieces_is_read_at_once(parser: PromptParser, at: int) -> None:
    read = tags(parser, ERROR[:at]) + tags(parser, ERROR[at:])
    assert read == ["gone", "text", "error", "iq"]


@pytest.mark.parametrize("at", range(1, len(HEADER)))
def test_a_header_in_two_pieces_is_read_at_once(at: int) -> None:
    parser = PromptParser()
    parser.feed(HEADER[:at])
    parser.feed(HEADER[at:])
    assert len(list(parser.read_events())) == 1


def test_one_byte_at_a_time(parser: PromptParser) -> None:
    octets = ANSWER + b" \n" + ERROR + ANSWER
    read = [tag for at in range(len(octets)) for tag in tags(parser, octets[at : at + 1])]
    assert read == ["iq", "gone", "text", "error", "iq", "iq"]


def test_many_at_once_and_a_half_one(parser: PromptParser) -> None:
    assert tags(parser, ANSWER * 3 + ANSWER[:20]) == ["iq"] * 3
    assert tags(parser, ANSWER[20:] + ANSWER[:-1]) == ["iq"]
    assert tags(parser, ANSWER[-1:]) == ["iq"]


def test_text_is_what_was_sent(parser: PromptParser) -> None:
    parser.feed(b"<iq><text>one ")
    parser.feed(b"two &am")
    parser.feed(b"p; three</te")
    parser.feed(b"xt></iq>")
    assert ended(parser)[0].text == "one two & three"


@pytest.mark.parametrize("said", [b"\x00\x00", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_what_is_no_xml_is_refused_at_once(said: bytes) -> None:
    with pytest.raises(ParseError):
        tags(PromptParser(), said)


def test_the_stream_can_end(parser: PromptParser) -> None:
    assert tags(parser, ANSWER + b"</stream:") == ["iq"]
    assert tags(parser, b"stream>") == ["stream"]


def test_a_long_stanza_in_small_pieces_is_read_when_it_is_there(parser: PromptParser) -> None:
    long = b"<iq><push>" + b"A" * 200_000 + b"</push></iq>"
    pieces = [long[at : at + 1000] for at in range(0, len(long), 1000)]
    assert [tags(parser, piece) for piece in pieces][-1] == ["push", "iq"]
