"""`/`: what this server is and which JID to type into the phone."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the JID, and whom to ask: the bare JIDs of XMPP_ADMINS."""
    context = {
        "jid": settings.XMPP_COMPONENT_JID,
        "contacts": [jid.partition("/")[0] for jid in settings.XMPP_ADMINS],
    }
    return render(request, "home.html", context)
