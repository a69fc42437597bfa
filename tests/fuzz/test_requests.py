"""Requests through the front door, as daphne hands them on: always one clear answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cast import Answer, Phone, read
from tests.fuzz import ROUNDS

#: What HTTP and daphne let through in a header's value (RFC 9110 section 5.5).
values = st.one_of(
    st.binary(max_size=30).map(lambda v: v.translate(None, b"\0\r\n").strip(b" \t")),
    st.sampled_from([b"60", b"0", b"-1", b"9" * 40, b"high", b"a" * 33, b"vapid t=a.b.c, k=d"]),
    st.sampled_from([b"localhost", b"Bearer x", b"text/html", b"chunked", b"100-continue", b""]),
)
names = st.one_of(
    st.sampled_from(
        [
            *(b"ttl", b"topic", b"urgency", b"authorization", b"crypto-key", b"content-encoding"),
            *(b"content-type", b"content-length", b"host", b"origin", b"cookie", b"user-agent"),
            *(b"range", b"accept", b"accept-encoding", b"if-modified-since", b"if-none-match"),
            *(b"x-forwarded-proto", b"x-forwarded-for", b"transfer-encoding", b"expect"),
        ]
    ),
    st.from_regex(rb"[a-z0-9-]{1,20}", fullmatch=True),
)
paths = st.one_of(
    st.sampled_from(
        ["TOKEN", "TOKEN/", "TOKENx", "/push/", "/push", "/message/" + "0" * 36, "/message/x", "/"]
    ),
    st.sampled_from(["/metrics", "/readyz", "/healthz", "/_matrix/push/v1/notify", "/_matrix/"]),
    st.sampled_from(
        ["/admin/login/", "/static/../x", "/static/admin/css/base.css", "/favicon.ico"]
    ),
    st.text(max_size=60).map("/".__add__),
    st.text(max_size=60).map("/push/".__add__),
)
methods = st.one_of(
    st.sampled_from(["POST", "PUT", "GET", "HEAD", "DELETE", "OPTIONS", "PATCH", "TRACE", "get"]),
    st.from_regex(r"[A-Za-z!#$%&'*+.^_`|~-]{1,12}", fullmatch=True),
)
bodies = st.one_of(
    st.binary(max_size=200),
    st.sampled_from([b"", b"a" * 4096, b"a" * 4097, b"{", b"[" * 3000, b'{"notification":{}}']),
)


async def go(scope: dict[str, Any], pieces: list[bytes]) -> Answer:
    from upconfig.asgi import application

    events = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    events.append({"type": "http.request", "body": b"", "more_body": False})
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not events:
            await asyncio.Event().wait()
        return events.pop(0)

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    await application(scope, receive, send)
    return read(sent)


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")  # whitenoise's files
@settings(
    max_examples=150 * ROUNDS,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    method=methods,
    path=paths,
    query=st.binary(max_size=30),
    headers=st.lists(st.tuples(names, values), max_size=8),
    pieces=st.lists(bodies, max_size=3),
)
def test_every_request_has_a_clear_answer(
    phone: Phone,
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
    query: bytes,
    headers: list[tuple[bytes, bytes]],
    pieces: list[bytes],
) -> None:
    path = path.replace("TOKEN", phone.register().removeprefix("https://push.example.org"))
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "surrogatepass"),
        "query_string": query,
        "root_path": "",
        "headers": headers,
        "client": ["127.0.0.1", 50000],
        "server": ["127.0.0.1", 8000],
    }
    answer = asyncio.run(go(scope, pieces))
    if path == "/readyz" and answer.status == 503:
        return  # it is not: no component runs
    assert 200 <= answer.status < 500, (answer, caplog.text)
    assert caplog.text == ""
    if path.startswith(("/push/", "/message/")):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.status not in (301, 302, 307, 308)
