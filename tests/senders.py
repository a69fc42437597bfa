"""Application servers as they are: each one's request, header by header, with real signatures.

What they send was read in their sources. Those written in Python are their own libraries here.
"""

from __future__ import annotations

import json
import os
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2s

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02
from pywebpush import webpush

from tests.cast import DAY, Answer, ApplicationServer, ask, base64url
from tests.real.application_server import Subscription

TEXT = '{"title":"Wherefore art thou?"}'
GATEWAY = "https://push.example.org/_matrix/push/v1/notify"


@dataclass(frozen=True)
class Request:
    """One request as it leaves a sender."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def send(self) -> Answer:
        """Send it through the HTTP process's front door."""
        return ask(self.method, self.url, self.body, self.headers)

    def header(self, name: str) -> str:
        """Return a header's value, or "" without it."""
        values = {key.lower(): value for key, value in self.headers.items()}
        return values.get(name.lower(), "")


#: Makes the request of a sender with this key for an app's subscription.
Sender = Callable[[ApplicationServer, Subscription], Request]


def encrypted(
    subscription: Subscription, text: str = TEXT, *, pad: int = 0, version: str = "aes128gcm"
) -> tuple[bytes, dict[str, str]]:
    """Return a body and, in the old encoding, the headers without which nobody can read it.

    `pad` is the length that the padding (RFC 8188 section 2) brings the whole body to.
    """
    keys = subscription.info()["keys"]
    assert isinstance(keys, dict)
    salt, own = os.urandom(16), ec.generate_private_key(ec.SECP256R1())
    options = {
        "salt": salt,
        "private_key": own,
        "dh": _octets(keys["p256dh"]),
        "auth_secret": _octets(keys["auth"]),
        "version": version,
    }
    body: bytes = http_ece.encrypt(text.encode(), **options)
    if pad:
        # http_ece pads nothing itself: zeros after the text stand for it, of the same length.
        body = http_ece.encrypt((text + " " * (pad - len(body))).encode(), **options)
    point = own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    old = {"Encryption": f"salt={base64url(salt)}", "Crypto-Key": f"dh={base64url(point)}"}
    return body, old if version == "aesgcm" else {}


def mastodon_old(server: ApplicationServer, to: Subscription) -> Request:
    """Web::PushNotificationWorker before 4.4, and since then for subscriptions made before."""
    body, old = encrypted(to, version="aesgcm")
    old["Crypto-Key"] += f";p256ecdsa={server.public_key}"
    token = server.token(exp=int(time.time()) + DAY, sub="mailto:admin@mastodon.example")
    sent = _mastodon() | old | {"Content-Encoding": "aesgcm", "Authorization": f"WebPush {token}"}
    return Request("POST", to.endpoint, sent, body)


def mastodon_new(server: ApplicationServer, to: Subscription) -> Request:
    """The same since 4.4, for subscriptions with `standard`."""
    body, _ = encrypted(to)
    token = server.token(exp=int(time.time()) + DAY, sub="mailto:admin@mastodon.example")
    signed = f"vapid t={token},k={server.public_key}"
    sent = _mastodon() | {"Content-Encoding": "aes128gcm", "Authorization": signed}
    return Request("POST", to.endpoint, sent, body)


def _mastodon() -> dict[str, str]:
    return {
        "User-Agent": "Mastodon/4.4.0 (http.rb/5.2.0; +https://mastodon.example/)",
        "Date": "Sun, 22 Nov 2026 12:00:00 GMT",
        "Accept-Encoding": "gzip",
        "Digest": "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "Content-Type": "application/octet-stream",
        "Ttl": "172800",
        "Urgency": "normal",
        "Unsubscribe-URL": "https://mastodon.example/api/web/push_subscriptions/token",
    }


def gotosocial(server: ApplicationServer, to: Subscription) -> Request:
    """webpush-go, records of 2048 bytes."""
    return _webpush_go(server, to, 2048, TTL="172800", user_agent="gotosocial/0.19.0")


def webpush_go(server: ApplicationServer, to: Subscription) -> Request:
    """The library as it is: padded to the whole 4096 bytes."""
    return _webpush_go(server, to, 4096, TTL="43200", Topic="news", Urgency="high")


def _webpush_go(
    server: ApplicationServer,
    to: Subscription,
    pad: int,
    *,
    user_agent: str = "Go-http-client/2.0",
    **headers: str,
) -> Request:
    body, _ = encrypted(to, pad=pad)
    sent = headers | {
        "User-Agent": user_agent,
        "Accept-Encoding": "gzip",
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "Authorization": server.signed(exp=int(time.time()) + DAY // 2),
    }
    return Request("POST", to.endpoint, sent, body)


def pleroma(server: ApplicationServer, to: Subscription) -> Request:
    """web_push_encryption 0.3: aesgcm only, and a TTL of 0."""
    body, old = encrypted(to, version="aesgcm")
    old["Crypto-Key"] += f";p256ecdsa={server.public_key}"
    sent = old | {
        "User-Agent": "hackney/1.20.1",
        "TTL": "0",
        "Content-Encoding": "aesgcm",
        "Authorization": f"WebPush {server.token()}",
    }
    return Request("POST", to.endpoint, sent, body)


def web_push_npm(server: ApplicationServer, to: Subscription) -> Request:
    """Version 3.6 without options."""
    body, _ = encrypted(to)
    sent = {
        "TTL": "2419200",
        "Content-Length": str(len(body)),
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
        "Authorization": server.signed(exp=int(time.time()) + DAY // 2),
        "Urgency": "normal",
    }
    return Request("POST", to.endpoint, sent, body)


def misskey(server: ApplicationServer, to: Subscription) -> Request:
    """PushNotificationService: web-push with a proxy option and nothing else."""
    return web_push_npm(server, to)


def pywebpush(server: ApplicationServer, to: Subscription) -> Request:
    """The library itself, without options."""
    return _pywebpush(server, to)


def sygnal(server: ApplicationServer, to: Subscription) -> Request:
    """pywebpush, of whose headers Sygnal keeps three; Topic with `only_last_per_room`."""
    made = _pywebpush(server, to, ttl=900)
    topic = urlsafe_b64encode(blake2s(b"!room:example.org", digest_size=22).digest()).decode()
    sent = {
        "User-Agent": "sygnal",
        "Content-Encoding": made.header("content-encoding"),
        "Authorization": made.header("authorization"),
        "TTL": made.header("ttl"),
        "Urgency": "normal",
        "Topic": topic,
    }
    return Request("POST", to.endpoint, sent, made.body)


class _Session:
    """What pywebpush takes for a requests.Session: keeps the request."""

    status_code = 201
    text = ""
    headers: Mapping[str, str] = {}
    made: Request

    def post(self, url: str, data: bytes, headers: dict[str, str], timeout: object) -> _Session:
        self.made = Request("POST", url, {"User-Agent": "python-requests/2.34"} | {**headers}, data)
        return self


def _pywebpush(server: ApplicationServer, to: Subscription, **options: int) -> Request:
    session = _Session()
    key = Vapid02()
    key.private_key = server.key
    claims: dict[str, str | int] = {"sub": "mailto:admin@example.org"}
    webpush(
        to.info(),
        TEXT,
        vapid_private_key=key,
        vapid_claims=claims,
        requests_session=session,
        **options,
    )
    return session.made


def web_push_php(server: ApplicationServer, to: Subscription) -> Request:
    """Minishlink's library, version 9, over Guzzle."""
    body, _ = encrypted(to)
    sent = {
        "User-Agent": "GuzzleHttp/7",
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
        "Content-Length": str(len(body)),
        "TTL": "2419200",
        "Authorization": server.signed(exp=int(time.time()) + DAY // 2),
    }
    return Request("POST", to.endpoint, sent, body)


def mollysocket(server: ApplicationServer, to: Subscription) -> Request:
    """Version 1.7: no payload to speak of, and an encoding in name only."""
    claims = {"exp": int(time.time()) + DAY, "sub": "https://github.com/mollyim/mollysocket"}
    token = server.token(**claims)  # type: ignore[arg-type]  # never the algorithm
    sent = {
        "TTL": "2592000",
        "Content-Encoding": "aes128gcm",
        "Urgency": "high",
        "Topic": "mollysocket",
        "Authorization": f"vapid t={token},k={server.public_key}",
        "Content-Type": "application/json",
    }
    return Request("POST", to.endpoint, sent, b'{"urgent":true}')


def telegram(_server: ApplicationServer, to: Subscription) -> Request:
    """Simple Push (token type 4), as Mercurygram and Forkgram register it."""
    return Request("PUT", to.endpoint, {"User-Agent": "Telegram"}, b"version=7")


def common_proxies(_server: ApplicationServer, to: Subscription) -> Request:
    """UnifiedPush's own Matrix gateway, posting to an endpoint."""
    body = json.dumps({"notification": _matrix_event()}, separators=(",", ":")).encode()
    sent = {
        "User-Agent": "Go-http-client/2.0",
        "Accept-Encoding": "gzip",
        "TTL": "86400",
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/json",
    }
    return Request("POST", to.endpoint, sent, body)


def synapse(_server: ApplicationServer, to: Subscription) -> Request:
    """A homeserver's HTTP pusher: the endpoint is the pushkey, and this is the gateway."""
    device = {
        "app_id": "im.vector.app.android",
        "pushkey": to.endpoint,
        "pushkey_ts": 1763812800,
        "data": {"format": "event_id_only"},
    }
    body = json.dumps({"notification": _matrix_event() | {"devices": [device]}})
    sent = {"User-Agent": "Synapse/1.120.0", "Content-Type": "application/json"}
    return Request("POST", GATEWAY, sent, body.encode())


def _matrix_event() -> dict[str, object]:
    return {
        "event_id": "$eventid",
        "room_id": "!room:example.org",
        "counts": {"unread": 1},
        "prio": "high",
    }


def _octets(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


#: By the names of docs/senders.md.
SENDERS: dict[str, Sender] = {
    "Mastodon before 4.4": mastodon_old,
    "Mastodon since 4.4": mastodon_new,
    "GoToSocial": gotosocial,
    "Pleroma, Akkoma": pleroma,
    "Misskey": misskey,
    "web-push (npm)": web_push_npm,
    "pywebpush": pywebpush,
    "web-push-php (Nextcloud)": web_push_php,
    "webpush-go": webpush_go,
    "Sygnal": sygnal,
    "common-proxies": common_proxies,
    "Synapse": synapse,
    "MollySocket": mollysocket,
    "Telegram": telegram,
}
