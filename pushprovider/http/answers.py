"""Every answer of the push paths, each once. docs/http.md is the table for senders.

Errors have autopush's JSON shape and errno numbers; they never hold a token or a JID.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar, Protocol

from django.conf import settings
from django.http import HttpResponse

METHODS = "POST, PUT, GET, HEAD, DELETE, OPTIONS"
PREFLIGHT = {
    "Access-Control-Allow-Methods": METHODS,
    "Access-Control-Allow-Headers": (
        "authorization, content-encoding, content-type, crypto-key, encryption, prefer, topic, "
        "ttl, urgency"
    ),
    "Access-Control-Max-Age": "86400",
}
#: Seconds to wait after 503.
RETRY_AFTER = 30


class Answer(Protocol):
    """What is sent back: an HttpResponse, or what looks like one to handler.events()."""

    @property
    def status_code(self) -> int: ...

    @property
    def content(self) -> bytes: ...

    def items(self) -> Iterable[tuple[str, str]]:
        """Return the headers."""


@dataclass(frozen=True, slots=True)
class Created:
    """201: the message is stored (RFC 8030 section 5).

    No HttpResponse: to make one takes as long as to check a token, and this is the usual answer.
    """

    uid: str
    ttl: int  # seconds, as granted

    status_code: ClassVar[int] = int(HTTPStatus.CREATED)
    content: ClassVar[bytes] = b""

    def items(self) -> Iterable[tuple[str, str]]:
        return (
            ("Location", f"{settings.PUBLIC_URL}/message/{self.uid}"),
            ("TTL", str(self.ttl)),
        )


class Refused(Exception):
    """The request gets this error answer. Raised where the mistake is seen."""

    def __init__(
        self,
        status: HTTPStatus,
        errno: int,
        reason: str,
        message: str,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason  # for the counter of rejections
        self.status = status
        self.errno = errno
        self.message = message
        self.headers = headers or {}

    def response(self) -> HttpResponse:
        body = {
            "code": int(self.status),
            "errno": self.errno,
            "error": self.status.phrase,
            "message": self.message,
        }
        return HttpResponse(
            json.dumps(body),
            status=int(self.status),
            content_type="application/json",
            headers=self.headers,
        )


def unknown() -> Refused:
    return Refused(HTTPStatus.NOT_FOUND, 102, "unknown_token", "This endpoint does not exist.")


def expired() -> Refused:
    return Refused(HTTPStatus.NOT_FOUND, 103, "expired", "This endpoint has expired.")


def no_message() -> Refused:
    return Refused(HTTPStatus.NOT_FOUND, 102, "no_message", "No such message is waiting.")


def revoked() -> Refused:
    headers = {"Cache-Control": "max-age=86400"}
    return Refused(HTTPStatus.GONE, 106, "revoked", "This endpoint has been revoked.", headers)


def too_large() -> Refused:
    return Refused(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        104,
        "too_large",
        "The body may have 4096 bytes at most.",
    )


def unauthorized() -> Refused:
    headers = {"WWW-Authenticate": "vapid"}
    message = "This endpoint wants a signature by its application server (RFC 8292)."
    return Refused(HTTPStatus.UNAUTHORIZED, 109, "unauthorized", message, headers)


def forbidden() -> Refused:
    return Refused(
        HTTPStatus.FORBIDDEN, 109, "forbidden", "The signature does not fit this endpoint."
    )


def ttl_missing() -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, 111, "ttl", "The TTL header is missing.")


def ttl_wrong() -> Refused:
    return Refused(
        HTTPStatus.BAD_REQUEST, 112, "ttl", "TTL must be one number of seconds, digits only."
    )


def topic_wrong() -> Refused:
    message = "Topic must be 1 to 32 characters of A-Z a-z 0-9 _ -."
    return Refused(HTTPStatus.BAD_REQUEST, 113, "topic", message)


def urgency_wrong() -> Refused:
    message = "Urgency must be one of very-low, low, normal, high."
    return Refused(HTTPStatus.BAD_REQUEST, 999, "urgency", message)


def body_incomplete() -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, 999, "malformed", "The request cannot be understood.")


def too_many(seconds: int) -> Refused:
    headers = {"Retry-After": str(seconds)}
    return Refused(
        HTTPStatus.TOO_MANY_REQUESTS, 201, "rate_limited", "Too many messages. Slow down.", headers
    )


def unavailable() -> Refused:
    headers = {"Retry-After": str(RETRY_AFTER)}
    return Refused(
        HTTPStatus.SERVICE_UNAVAILABLE,
        201,
        "unavailable",
        "The message could not be stored now.",
        headers,
    )


def method_not_allowed(allowed: str) -> Refused:
    headers = {"Allow": allowed}
    return Refused(
        HTTPStatus.METHOD_NOT_ALLOWED, 999, "method", f"Allowed here: {allowed}.", headers
    )


def broken() -> Refused:
    return Refused(HTTPStatus.INTERNAL_SERVER_ERROR, 999, "internal", "Something went wrong here.")


def preflight(allowed: str) -> HttpResponse:
    return HttpResponse(status=204, headers=PREFLIGHT | {"Allow": allowed})
