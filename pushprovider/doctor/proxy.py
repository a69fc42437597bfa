"""What the reverse proxy does to requests and answers, seen in the mirror (http/mirror.py)."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from pushprovider.admin.checks import Check
from pushprovider.certificate import is_loopback
from pushprovider.doctor.address import stray
from pushprovider.doctor.findings import bad, doubtful, good
from pushprovider.doctor.wire import Answer, NoAnswer, Way
from pushprovider.http import answers, matrix, mirror
from pushprovider.http.handler import CORS, MAX_BODY
from pushprovider.http.websocket import PATH

NAME = "Reverse proxy"
#: Bytes that no sender sends: a proxy should stop them.
HUGE = 2 * 1024 * 1024
#: Sent, and looked for in the mirror.
HEADERS = {
    "TTL": "77",
    "Topic": "doctor_topic",
    "Urgency": "very-low",
    "Authorization": "vapid t=doctor, k=doctor",
    "Content-Encoding": "gzip",
    "Content-Type": "application/octet-stream",
}


def look(way: Way) -> list[Check]:
    """Return what the proxy does wrong, or that all is well."""
    try:
        found = _look(way)
    except NoAnswer as error:
        return [bad("Public address", error.code, f"{way.url}: {error}")]
    words = "headers, bodies, methods and websockets pass"
    return found or [good(NAME, "proxy.fine", words)]


def _look(way: Way) -> list[Check]:
    path = f"/push/{mirror.new_token()}"
    body = gzip.compress(os.urandom(1000))
    answer = way.ask("POST", path, HEADERS, body)
    seen = reflection(answer)
    if seen is None:
        return [not_a_mirror(way, answer)]
    return [
        *request_headers(seen),
        *whole(seen, body),
        *answer_headers(answer, seen),
        *cors(answer),
        *forwarded(way, seen),
        *small(way, path),
        *large(way, path),
        *errors(way),
        *options(way, path),
        *methods(way, path),
        *gateway(way),
        *websocket(way),
    ]


def reflection(answer: Answer) -> dict[str, Any] | None:
    """Return what the mirror saw, None if it was not the mirror that answered."""
    if answer.status != 201:
        return None
    try:
        seen = json.loads(answer.body)
    except ValueError:
        return None
    return seen if isinstance(seen, dict) and "sha256" in seen else None


def errno(answer: Answer) -> int:
    """Return the errno of one of our own errors, 0 of any other answer."""
    try:
        return int(json.loads(answer.body)["errno"])
    except (ValueError, KeyError, TypeError):
        return 0


def not_a_mirror(way: Way, answer: Answer) -> Check:
    """Return why a POST did not reach the mirror of this installation."""
    if errno(answer) == 102:
        return bad("Public address", "web.other-server", f"{way.url} does not know our key")
    if answer.status == 405 or errno(answer) == 999:
        return bad(NAME, "proxy.method", f"POST is answered {answer.status}")
    if answer.status == 413:
        return bad(NAME, "proxy.body-small", "refuses a body of 1,000 bytes")
    return stray(way, "POST /push/", answer)


def request_headers(seen: dict[str, Any]) -> list[Check]:
    """Compare the headers that arrived with those that were sent."""
    arrived = seen["headers"]
    lost = [name for name, value in HEADERS.items() if arrived.get(name.lower()) != value]
    if not lost:
        return []
    return [bad(NAME, "proxy.request-headers", f"does not pass on {', '.join(lost)}")]


def whole(seen: dict[str, Any], body: bytes) -> list[Check]:
    """Compare the body that arrived with the one that was sent."""
    if seen["sha256"] == hashlib.sha256(body).hexdigest():
        return []
    return [bad(NAME, "proxy.body-changed", f"made {seen['size']:,} bytes of {len(body):,}")]


def answer_headers(answer: Answer, seen: dict[str, Any]) -> list[Check]:
    """Compare the headers of the answer with those that the web process gave."""
    given = {**mirror.ANSWER_HEADERS, "Location": seen["location"]}
    lost = [name for name, value in given.items() if answer.header(name) != value]
    if not lost:
        return []
    words = f"does not pass on {', '.join(sorted(lost))} in answers"
    return [bad(NAME, "proxy.answer-headers", words)]


def cors(answer: Answer) -> list[Check]:
    """Browsers want each header once."""
    given = {name.decode(): value.decode() for name, value in CORS}
    wrong = [name for name, value in given.items() if answer.all(name) != [value]]
    if not wrong:
        return []
    times = len(answer.all(wrong[0]))
    how = "removes" if times == 0 else "doubles" if times > 1 else "changes"
    return [bad(NAME, "proxy.cors", f"{how} {', '.join(wrong)}")]


def forwarded(way: Way, seen: dict[str, Any]) -> list[Check]:
    """The pages for people need the scheme and the host."""
    found = []
    if way.is_https and seen["scheme"] != "https":
        found.append(doubtful(NAME, "proxy.scheme", "does not say that it was https"))
    host, _ = split_domain_port(seen["host"])
    if not validate_host(host, settings.ALLOWED_HOSTS):
        words = f"asks the web process for host {seen['host'][:60]!r}"
        found.append(doubtful(NAME, "proxy.host", words))
    return found


def small(way: Way, path: str) -> list[Check]:
    """RFC 8030 section 7.2: 4096 bytes must pass."""
    body = os.urandom(MAX_BODY)
    answer = way.ask("POST", path, {"TTL": "0"}, body)
    seen = reflection(answer)
    if seen is not None:
        return whole(seen, body)
    words = f"answers {answer.status} to a body of {MAX_BODY:,} bytes"
    return [bad(NAME, "proxy.body-small", words)]


def large(way: Way, path: str) -> list[Check]:
    """A body that no sender sends should end at the proxy; without a proxy there is none."""
    if not way.is_https and is_loopback(way.host):
        return []
    try:
        answer = way.ask("POST", path, {"TTL": "0"}, bytes(HUGE))
    except NoAnswer:
        return []  # it hung up, which will do
    if errno(answer) != 104:
        return []
    words = f"lets a body of {HUGE // 1024**2} MB through to the web process"
    return [doubtful(NAME, "proxy.body-unlimited", words)]


def errors(way: Way) -> list[Check]:
    """Senders read our errors, and the CORS headers on them."""
    answer = way.ask("POST", "/push/doctor", {"TTL": "0"}, b"")
    if answer.status == 404 and errno(answer) == 102:
        return []
    words = f"an error 404 of ours arrives as {answer.status}, or without its body"
    return [bad(NAME, "proxy.error-pages", words)]


def options(way: Way, path: str) -> list[Check]:
    """The question that a browser asks first (Fetch, CORS preflight)."""
    asked = {
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "ttl",
    }
    answer = way.ask("OPTIONS", path, asked)
    name = "Access-Control-Allow-Methods"
    if answer.status in (200, 204) and answer.header(name) == answers.PREFLIGHT[name]:
        return []
    return [bad(NAME, "proxy.options", f"OPTIONS is answered {answer.status}")]


def methods(way: Way, path: str) -> list[Check]:
    """PUT is what Telegram's servers send; DELETE takes a message back."""
    put = way.ask("PUT", path, {"TTL": "0"}, b"")
    delete = way.ask("DELETE", "/message/doctor")
    lost = [] if reflection(put) else [f"PUT is answered {put.status}"]
    if delete.status != 404:
        lost.append(f"DELETE is answered {delete.status}")
    return [bad(NAME, "proxy.method", ", ".join(lost))] if lost else []


def gateway(way: Way) -> list[Check]:
    """A homeserver on the same host name may have taken all of /_matrix/."""
    answer = way.ask("GET", matrix.PATH)
    if answer.status == 200 and b"gateway" in answer.body:
        return []
    words = f"{matrix.PATH} is answered {answer.status}"
    return [doubtful(NAME, "proxy.matrix", words)]


def websocket(way: Way) -> list[Check]:
    """RFC 6455 section 4.1. Nobody is logged in here: it is opened, and closed at once."""
    public = urlsplit(settings.PUBLIC_URL)
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Origin": f"{public.scheme}://{public.netloc}",
    }
    answer = way.ask("GET", PATH, headers)
    if answer.status == 101:
        return []
    return [bad(NAME, "proxy.websocket", f"{PATH} is answered {answer.status} instead of 101")]
