"""What a broken or hostile server may send on the component's stream, by name."""

from __future__ import annotations

from collections.abc import Iterator

from pushprovider.xmpp.component import LONGEST_STANZA
from tests.fuzz.server import ACCEPT, HEADER
from tests.fuzz.stanzas import OWN, PUSH
from tests.real.stream import STREAMS

_LAUGHS = "".join(
    f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" if n else "<!ENTITY l0 'ha'>" for n in range(10)
)
_STREAM = HEADER.partition("?>")[2]
_CONDITIONS = "urn:ietf:params:xml:ns:xmpp-streams"


def _failure(inside: str) -> str:
    return f"<stream:error>{inside}</stream:error>"


#: Sent instead of a stream header.
BEFORE: dict[str, bytes] = {
    "nothing": b"",
    "noise": bytes(range(256)) * 40,
    "nulls": bytes(5000),
    "http": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "tls": b"\x16\x03\x03\x00\x02\x02\x28",
    "half a header": HEADER[:60].encode(),
    "another namespace": b"<stream xmlns='urn:x'>",
    "no namespace": b"<stream><handshake/>",
    "utf-7": HEADER.replace("?>", " encoding='utf-7'?>").encode(),
    "utf-16": HEADER.encode("utf-16"),
    "no such encoding": HEADER.replace("?>", " encoding='x-none'?>").encode(),
    "invalid utf-8": HEADER.encode() + b"<a>\xff\xfe</a>",
    "a long id": HEADER.replace("id='fuzz'", f"id='{'i' * 1_000_000}'").encode(),
    "a header without end": HEADER[:-1].encode() + b" a='" + b"x" * (LONGEST_STANZA + 1),
    "no id": HEADER.replace("id='fuzz'", "").encode(),
    "the end at once": (HEADER + "</stream:stream>").encode(),
    "an error at once": (HEADER + _failure(f"<conflict xmlns='{_CONDITIONS}'/>")).encode(),
    "a stanza before the handshake": f"{HEADER}<iq type='get' from='a@b/c' to='{OWN}'/>".encode(),
    "comments": (HEADER + "<!-- -->" * 10_000).encode(),
    "a billion laughs": f"<!DOCTYPE s [{_LAUGHS}]>{_STREAM}<a>&l9;</a>".encode(),
    "an external entity": (
        f"<!DOCTYPE s [<!ENTITY f SYSTEM 'file:///etc/passwd'>]>{_STREAM}<a>&f;</a>"
    ).encode(),
    "an external document": f"<!DOCTYPE s SYSTEM 'http://127.0.0.1:9/'>{_STREAM}<a/>".encode(),
}

#: Sent once the handshake is done.
AFTER: dict[str, bytes] = {
    "the end": b"</stream:stream>",
    "half a stanza": b"<iq type='get' id='a'><ping",
    "not well-formed": b"<iq></presence>",
    "an undefined entity": b"<message>&none;</message>",
    "an undefined prefix": b"<x:iq/>",
    "an attribute twice": b"<iq id='a' id='b'/>",
    "a second document": b"<?xml version='1.0'?><stream/>",
    "a document type": b"<!DOCTYPE s [<!ENTITY a 'b'>]>",
    "invalid utf-8": b"<message>\xc3\x28</message>",
    "a control character": b"<message>&#1;</message>",
    "a null": b"<message>\0</message>",
    "a stanza without end": b"<message>" + b"x" * (LONGEST_STANZA + 1),
    "elements without end": b"<message>" + b"<a/>" * (LONGEST_STANZA // 4 + 1),
    "a name without end": b"<" + b"n" * (LONGEST_STANZA + 1),
    "an error": _failure(f"<conflict xmlns='{_CONDITIONS}'/>").encode(),
    "an unknown error": _failure("<no-such xmlns='urn:x'/>").encode(),
    "an empty error": _failure("").encode(),
    "an error of words": _failure(f"<text xmlns='{_CONDITIONS}'>{'w' * 5000}</text>").encode(),
}

#: Sent once the handshake is done; the stream goes on.
HARMLESS: dict[str, bytes] = {
    "white space": b" \n" * 100_000,
    "deep": b"<message>" + b"<a>" * 20_000 + b"</a>" * 20_000 + b"</message>",
    "a deep question": (
        f"<iq type='get' id='deep' from='a@b/c' to='{OWN}'>".encode()
        + b"<a>" * 20_000
        + b"</a>" * 20_000
        + b"</iq>"
    ),
    "wide": b"<message>" + b"<a b='c'/>" * 50_000 + b"</message>",
    "attributes": b"<message " + b" ".join(b"a%d='b'" % n for n in range(20_000)) + b"/>",
    "another handshake": b"<handshake/><handshake>x</handshake>",
    "features": b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
    b"</stream:features>",
    "tls": b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    "sasl": b"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    "another stream": f"<stream:stream xmlns='{ACCEPT}' xmlns:s='{STREAMS}'/>".encode(),
    "other elements": b"<iq xmlns='urn:x'/><presence xmlns='urn:x' from='a@b/c'/><x/>",
    "results of nothing": b"".join(
        b"<iq type='result' id='%014x%s' from='a@localhost/x' to='up.localhost'/>" % (n, b"A" * 22)
        for n in range(2000)
    ),
    "errors of nothing": b"".join(
        b"<iq type='error' id='%014x%s' from='a@localhost/x' to='up.localhost'><error/></iq>"
        % (n, b"A" * 22)
        for n in range(2000)
    ),
    "strangers": b"".join(
        b"<presence from='stranger-%d@evil.example/x' to='up.localhost'%s/>" % (n, kind)
        for n in range(2000)
        for kind in (b"", b" type='subscribe'", b" type='probe'", b" type='unavailable'")
    ),
    "letters": b"".join(
        b"<message from='m-%d@evil.example/x' to='up.localhost'><body>x</body></message>" % n
        for n in range(5000)
    ),
}


def registers(count: int) -> Iterator[str]:
    """Yield so many registers of one phone that nobody waits for the answers of."""
    name = "A" * 43 + "="
    for number in range(count):
        yield (
            f"<iq type='set' id='flood-{number}' from='flood@localhost/x' to='{OWN}'>"
            f"<register xmlns='{PUSH}' application='{name}' instance='{name}'/></iq>"
        )
