"""`/message/ID`: the message resource (RFC 8030 section 6.2). The sender may take it back."""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse

from pushprovider.http import answers
from pushprovider.http.intake import intake

ALLOWED = "DELETE, OPTIONS"
_UID = re.compile(r"[0-9a-f]{14}[A-Za-z0-9_-]{22}", re.ASCII)


async def message(request: HttpRequest, uid: str) -> HttpResponse:
    """DELETE: 204 if the message was still waiting, 404 otherwise."""
    if request.method == "OPTIONS":
        return answers.preflight(ALLOWED)
    if request.method != "DELETE":
        raise answers.method_not_allowed(ALLOWED)
    if not _UID.fullmatch(uid) or not await intake().cancel(uid):
        raise answers.no_message()
    return HttpResponse(status=204)
