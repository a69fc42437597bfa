"""The page before something ends: what, whose, and why. Django's convention: post=yes confirms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest
from django.template.response import TemplateResponse

if TYPE_CHECKING:
    from pushprovider.admin.readonly import ReadOnlyAdmin

#: Characters of a reason that are kept.
REASON = 200
#: Rows named on the page; the rest is only a number.
NAMED = 20


def reason(request: HttpRequest) -> str:
    """Return the reason as typed, on one line."""
    return " ".join(request.POST.get("reason", "").replace("\x00", "").split())[:REASON]


def is_confirmed(request: HttpRequest) -> bool:
    """True for the second POST."""
    return request.POST.get("post") == "yes"


def ask(
    request: HttpRequest,
    of: ReadOnlyAdmin,
    rows: Any,
    verb: str,
    consequence: str,
    *,
    keeps_reason: bool = True,
) -> TemplateResponse:
    """Return the page that asks for the second POST. `verb` reads like "Revoke 2 endpoints".

    Not `keeps_reason`: none is asked for.
    """
    chosen = list(rows)
    plural = of.opts.verbose_name_plural if len(chosen) != 1 else of.opts.verbose_name
    context = {
        **of.admin_site.each_context(request),
        "title": f"{verb} {len(chosen)} {plural}?",
        "opts": of.opts,
        "verb": verb,
        "consequence": consequence,
        "rows": chosen[:NAMED],
        "more": max(len(chosen) - NAMED, 0),
        "keys": [row.pk for row in chosen],
        "checkbox": ACTION_CHECKBOX_NAME,
        "action": request.POST.get("action", ""),
        "back": request.POST.get("back", ""),
        "keeps_reason": keeps_reason,
        "longest_reason": REASON,
    }
    return TemplateResponse(request, "admin/pushprovider/confirm.html", context)
