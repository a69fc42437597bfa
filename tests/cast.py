"""The cast: a phone, an application server, a stranger. They act on real parts."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import unquote, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pushprovider.fields import now_ms
from pushprovider.models import HourlyCount, Message, MessageState, Registration
from pushprovider.stats import Count
from pushprovider.store import registrations
from pushprovider.store.registrations import Request

Headers = Mapping[str, str] | Sequence[tuple[str, str]]
DAY = 86_400


def base64url(octets: bytes) -> str:
    """Return base64url without padding (RFC 7515 section 2)."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def hashed(name: str) -> str:
    """Return what a phone sends for an application or an instance: base64 of 32 bytes."""
    return b64encode(sha256(name.encode()).digest()).decode()


class Phone:
    """A device that registers; what waits for it, and what became of its messages."""

    def __init__(self, jid: str) -> None:
        self.jid = jid
        self.account, _, self.resource = jid.partition("/")

    def asks(self, app: str = "chat", instance: str = "first", vapid: str = "") -> Request:
        """Return the request that its register IQ comes to."""
        return Request(self.account, self.resource, hashed(app), hashed(instance), vapid)

    def register(self, app: str = "chat", *, vapid: str = "", now: int = 0) -> str:
        """Register and return the endpoint."""
        return registrations.register(self.asks(app, vapid=vapid), now or now_ms()).endpoint

    def registration(self, app: str = "chat") -> Registration:
        """Return the newest registration of an app."""
        rows = Registration.objects.filter(account__jid=self.account, application=hashed(app))
        return rows.latest("pk")

    def messages(self) -> list[Message]:
        """Return all its messages, in order of arrival."""
        return list(Message.objects.filter(account__jid=self.account).order_by("pk"))

    def waiting(self) -> list[bytes]:
        """Return the payloads that wait for it, in order of arrival."""
        rows = [message for message in self.messages() if message.state <= MessageState.SENT]
        return [bytes(message.payload) for message in rows]

    def states(self) -> list[str]:
        """Return what became of its messages, in order of arrival."""
        return [MessageState(message.state).label for message in self.messages()]


@dataclass(frozen=True)
class Answer:
    """An HTTP answer as it left the ASGI application."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def errno(self) -> int:
        return int(self.json["errno"])


class ApplicationServer:
    """Posts to endpoints, and signs if it has to (RFC 8292)."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.public_key = base64url(point)

    def post(self, endpoint: str, body: bytes = b"hello", **headers: str) -> Answer:
        """POST with these headers: `ttl="60", content_type="text/plain"`."""
        return ask("POST", endpoint, body, _dashed(headers))

    def signed(self, *, algorithm: str = "ES256", **claims: object) -> str:
        """Return an Authorization value; `claims` change or (None) leave out the usual ones."""
        return f"vapid t={self.token(algorithm=algorithm, **claims)}, k={self.public_key}"

    def token(self, *, algorithm: str = "ES256", **claims: object) -> str:
        """Return a signed token; `claims` as in signed()."""
        usual = {
            "aud": "https://push.example.org",
            "exp": int(time.time()) + DAY // 2,
            "sub": "mailto:admin@example.org",
        }
        said = {name: value for name, value in (usual | claims).items() if value is not None}
        return self.jwt(said, algorithm)

    def jwt(self, claims: object, algorithm: str = "ES256") -> str:
        """Return a token with a real signature."""
        parts = [{"typ": "JWT", "alg": algorithm}, claims]
        text = ".".join(base64url(json.dumps(part).encode()) for part in parts)
        return f"{text}.{self.signature(text)}"

    def signature(self, text: str) -> str:
        """Return the ES256 signature of a text (RFC 7518 section 3.4)."""
        r, s = decode_dss_signature(self.key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


class Stranger:
    """Makes up tokens."""

    def endpoint(self) -> str:
        """Return an endpoint that looks right and that nobody was given."""
        return f"https://push.example.org/push/{base64url(secrets.token_bytes(32))}"

    def tampered(self, endpoint: str) -> str:
        """Return an endpoint with one bit of its key changed."""
        start, token = endpoint[:-43], endpoint[-43:]
        return start + ("B" if token[0] == "A" else "A") + token[1:]


def ask(
    method: str, url: str, body: bytes | Iterable[bytes] = b"", headers: Headers = ()
) -> Answer:
    """Send one request through the HTTP process's front door; an iterable body comes in pieces."""
    return asyncio.run(asking(method, url, body, headers))


async def asking(
    method: str, url: str, body: bytes | Iterable[bytes] = b"", headers: Headers = ()
) -> Answer:
    """As ask(), for several at a time."""
    from upconfig.asgi import application  # it starts Django, which conftest.py must do first

    pieces = [body] if isinstance(body, bytes) else [*body, b""]
    events = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    events[-1]["more_body"] = False
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return events.pop(0)

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    await application(scope(method, url, headers), receive, send)
    return read(sent)


def scope(method: str, url: str, headers: Headers = ()) -> dict[str, Any]:
    """Return the ASGI scope that daphne makes of a request."""
    parts = urlsplit(url)
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(n.lower().encode(), v.encode("latin-1")) for n, v in pairs],
        "client": ["127.0.0.1", 50000],
        "server": ["127.0.0.1", 8000],
    }


def read(sent: list[dict[str, Any]]) -> Answer:
    """Return what an application sent: one start and the body."""
    start, *rest = sent
    names = [name.decode("latin-1").lower() for name, _ in start["headers"]]
    assert len(names) == len(set(names)), f"a header was sent twice: {names}"
    values = [value.decode("latin-1") for _, value in start["headers"]]
    body = b"".join(event.get("body", b"") for event in rest)
    return Answer(start["status"], dict(zip(names, values, strict=True)), body)


def counted(name: Count) -> dict[str, int]:
    """Return a counter's sums by label."""
    rows: dict[str, int] = {}
    for row in HourlyCount.objects.filter(name=name):
        rows[row.label] = rows.get(row.label, 0) + row.count
    return rows


def _dashed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
