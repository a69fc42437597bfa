"""The live view: deliveries as they happen. The page only; the websocket brings the rows."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from pushprovider.admin import shell, store
from pushprovider.models import MessageState

#: Rows there are to begin with; live.js keeps up to its own limit.
ROWS = 20


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show the newest messages, and let live.js add to them."""
    shell.require(request, "view_message")
    return shell.render(
        request,
        "admin/live.html",
        title="Live",
        latest=store.latest(ROWS),
        states=[state.label for state in MessageState],
    )
