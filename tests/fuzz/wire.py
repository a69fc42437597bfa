"""Raw bytes for the HTTP process: requests that are cut, glued, doubled and spoilt."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tests.fuzz.stanzas import NODES
from tests.real.daphne import chunked, request

_UPGRADE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
_ODD = (
    *(b"\0", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b":", b"\xff", b"%", b"%00", b"%ff"),
    *(b"A" * 20_000, b"../", b"\x16\x03\x01", b"HTTP/1.1", b"0\r\n\r\n", b"ffffffffffffffff\r\n"),
    *(b"Content-Length: 99999999999999999999\r\n", b"Content-Length: " + b"9" * 5000 + b"\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"Upgrade: websocket\r\n"),
)
_FRAMES = (b"\x81\xfe\xff\xff", b"\x88\x80\0\0\0\0", b"\xff" * 14, b"\x89\x7f" + b"\xff" * 8, b"\0")


def requests(path: str) -> list[bytes]:
    """Return good and nearly good requests to every part of the process."""
    form = b"&".join(f"{node}=%ff".encode() for node in NODES)
    own = "Origin: https://push.example.org"
    return [
        request(path, "TTL: 60", "Topic: a", body=b"hello", close=False),
        request(path, "Transfer-Encoding: chunked", body=chunked(b"he", b"llo"), close=False),
        request(path, "Expect: 100-continue", body=bytes(4097), close=False),
        request(path, method="DELETE", close=False),
        request("/push/" + "%ff" * 43, close=False),
        request("/message/" + "0" * 36, method="DELETE", close=False),
        request("/_matrix/push/v1/notify", body=b'{"notification":{"devices":[{}]}}', close=False),
        request("/_matrix/push/v1/notify", body=b"[" * 5000, close=False),
        request("/metrics", "Authorization: Bearer \xff", method="GET", close=False),
        request("/readyz", method="GET", close=False),
        request("/", method="GET", close=False).replace(b"push.example.org", b"localhost"),
        request("/admin/login/?next=/%0d%0a", body=form, close=False),
        request("/static/admin/css/base.css", "Range: bytes=5-1", method="GET", close=False),
        request("/ws/live/", *_UPGRADE, own, method="GET", close=False) + b"".join(_FRAMES),
        request("/ws/live/", *_UPGRADE, own, "Cookie: sessionid=a", method="GET", close=False),
        request("/ws/none/", *_UPGRADE, body=bytes(5000), method="GET", close=False),
    ]


def spoilt(dice: random.Random, good: Sequence[bytes]) -> list[bytes]:
    """Return the pieces of one connection."""
    octets = bytearray(b"".join(dice.choices(good, k=dice.randrange(1, 5))))
    for _ in range(dice.randrange(4)):
        at = dice.randrange(len(octets))
        match dice.randrange(4):
            case 0:
                octets[at] = dice.randrange(256)
            case 1:
                octets[at:at] = dice.choice(_ODD)
            case 2:
                del octets[at : at + dice.randrange(1, 200)]
            case _:
                octets += octets[at : at + dice.randrange(1, 2000)]
        octets = octets or bytearray(b"\r\n")
    cuts = sorted(dice.randrange(len(octets) + 1) for _ in range(dice.randrange(3)))
    return [bytes(octets[a:b]) for a, b in zip([0, *cuts], [*cuts, len(octets)], strict=True)]
