"""The request that push views get, beside the one that Django makes of the same scope."""

from __future__ import annotations

from io import BytesIO

import pytest
from django.core.handlers.asgi import ASGIRequest

from pushprovider.http.request import PushRequest, meta_name
from tests.cast import scope

URL = "https://push.example.org/push/token"
HEADERS = [
    ("TTL", "60"),
    ("Content-Type", "application/octet-stream"),
    ("Content-Length", "5"),
    ("Crypto-Key", "dh=a"),
    ("Crypto-Key", "p256ecdsa=b"),
    ("Con_tent-Encoding", "aesgcm"),
    ("User-Agent", "\xff\xe9"),
]


@pytest.mark.parametrize("method", ["POST", "PUT", "OPTIONS"])
def test_it_says_what_djangos_says(method: str) -> None:
    plain = ASGIRequest(scope(method, URL, HEADERS), BytesIO(b"hello"))
    ours = PushRequest(scope(method, URL, HEADERS), b"hello")
    assert dict(ours.headers) == dict(plain.headers)
    assert ours.headers["Crypto-Key"] == "dh=a,p256ecdsa=b"
    assert "Con_tent-Encoding" not in ours.headers
    for name in ("method", "path", "path_info", "body", "scheme"):
        assert getattr(ours, name) == getattr(plain, name)


def test_names_that_nobody_will_repeat_are_not_kept_for_ever() -> None:
    for number in range(1000):
        PushRequest(scope("POST", URL, {f"x-{number}": "1"}), b"")

    assert meta_name.cache_info().currsize <= 256
