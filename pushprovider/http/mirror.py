"""The doctor's mirror: tells it what reached this process of what it sent.

`/push/mirror...` is a path below /push/, so that a reverse proxy treats it as it treats endpoints.
Its token is signed with SECRET_KEY and good for some minutes: nobody else can look into it, and
nothing is stored.
"""

from __future__ import annotations

import hashlib
import json

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse

PREFIX = "mirror."
#: Seconds for which a token is good.
LIFETIME = 300
#: What the mirror shows of a request.
REQUEST_HEADERS = ("ttl", "topic", "urgency", "authorization", "content-encoding", "content-type")
#: What it answers with, so that the doctor sees what is taken out of answers.
ANSWER_HEADERS = {"TTL": "60", "Retry-After": "1", "WWW-Authenticate": "vapid"}


def new_token() -> str:
    """Return a token that opens the mirror."""
    return _signer().sign(PREFIX[:-1])


def is_open(token: str) -> bool:
    """True for what new_token() returned in the last LIFETIME seconds."""
    if not token.startswith(PREFIX):
        return False
    try:
        _signer().unsign(token, max_age=LIFETIME)
    except BadSignature:
        return False
    return True


def reflect(request: HttpRequest) -> HttpResponse:
    """Answer 201, as a push would, and say what came in."""
    location = f"{settings.PUBLIC_URL}/message/mirror"
    seen = {
        "headers": {name: request.headers.get(name) for name in REQUEST_HEADERS},
        "size": len(request.body),
        "sha256": hashlib.sha256(request.body).hexdigest(),
        "scheme": request.scheme,
        "host": request.headers.get("host", ""),
        "location": location,
    }
    return HttpResponse(
        json.dumps(seen),
        status=201,
        content_type="application/json",
        headers={**ANSWER_HEADERS, "Location": location},
    )


def _signer() -> TimestampSigner:
    return TimestampSigner(sep=".", salt="pushprovider.mirror")
