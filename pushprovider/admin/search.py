"""The Find box: a message id, a JID, an application or an endpoint."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from pushprovider.admin import shell
from pushprovider.admin.finding import best


@require_http_methods(["GET", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    """Go to what the text means.

    The box posts: an endpoint is a secret, which must not get into a log or a browser's history.
    """
    shell.require(request, "view_message")
    name, argument = best(request.POST.get("q", request.GET.get("q", "")))
    if name.endswith("_search"):
        url = reverse(f"admin:pushprovider_{name.removesuffix('_search')}_changelist")
        return redirect(f"{url}?{urlencode({'q': argument})}")
    if argument is None:
        return redirect(f"admin:pushprovider_{name}")
    return redirect(f"admin:pushprovider_{name}", argument)
