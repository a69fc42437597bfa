"""`/push/TOKEN`: the push resource (RFC 8030 section 5). Token, size, headers, store, answer.

`/up/push/TOKEN` is the same: there ejabberd's module had its endpoints.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from pushprovider import vapid
from pushprovider.http import answers, headers, mirror
from pushprovider.http.answers import Answer
from pushprovider.http.intake import intake
from pushprovider.http.target import target
from pushprovider.store.post import Limited, Post, Refusal

ALLOWED = "POST, PUT, GET, HEAD, OPTIONS"
DISCOVERY = b'{"unifiedpush":{"version":1}}'

_REFUSALS = {
    Refusal.UNKNOWN: answers.unknown,
    Refusal.EXPIRED: answers.expired,
    Refusal.REVOKED: answers.revoked,
    Refusal.BLOCKED: answers.revoked,
    Refusal.UNAUTHORIZED: answers.unauthorized,
    Refusal.FORBIDDEN: answers.forbidden,
}


async def push(request: HttpRequest, token: str) -> Answer:
    """Answer a request to an endpoint. Never waits for the phone, never redirects."""
    match request.method:
        case "POST" | "PUT":  # PUT is what Telegram's Simple Push sends
            return await accept(request, token)
        case "GET" | "HEAD":
            return HttpResponse(DISCOVERY, content_type="application/json")
        case "OPTIONS":
            return answers.preflight(ALLOWED)
        case _:
            raise answers.method_not_allowed(ALLOWED)


async def accept(request: HttpRequest, token: str) -> Answer:
    """Store the message and answer 201 with its resource and the TTL granted."""
    found = target(token)
    if found is None:
        if mirror.is_open(token):
            return mirror.reflect(request)
        raise answers.unknown()
    meta = request.META
    authorization = meta.get("HTTP_AUTHORIZATION")
    post = Post(
        key=found.key,
        body=request.body,
        ttl=headers.ttl(meta.get("HTTP_TTL")),
        urgency=headers.urgency(meta.get("HTTP_URGENCY")),
        topic=headers.topic(meta.get("HTTP_TOPIC")),
        authorization=authorization,
        user_agent=headers.user_agent(meta.get("HTTP_USER_AGENT")),
        subject=vapid.claimed_subject(authorization),
        crypto_key=meta.get("HTTP_CRYPTO_KEY"),
        encoding=headers.encoding(meta.get("HTTP_CONTENT_ENCODING")),
        old=found.old,
    )
    stored = await intake().accept(post)
    if isinstance(stored, Limited):
        raise answers.too_many(stored.seconds)
    if isinstance(stored, Refusal):
        raise _REFUSALS[stored]()
    return answers.Created(stored.uid, stored.ttl)
