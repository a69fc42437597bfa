"""The HTTP process's front door: who gets which request."""

from __future__ import annotations

import os
import sys
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "upconfig.settings")

from channels.routing import ProtocolTypeRouter  # Django's settings come first
from django.core.asgi import get_asgi_application

pages = get_asgi_application()

from pushprovider.garbage import collect_less  # noqa: E402
from pushprovider.http.bounds import bound_daphne  # noqa: E402
from pushprovider.http.drain import drain_on_sigterm  # noqa: E402
from pushprovider.http.handler import PushHandler, Receive, Scope, Send  # noqa: E402
from pushprovider.http.matrix import is_matrix, matrix  # noqa: E402
from pushprovider.http.monitor import is_monitoring, monitor  # noqa: E402
from pushprovider.http.redact import redact_daphne  # noqa: E402
from pushprovider.http.routes import is_ours  # noqa: E402
from pushprovider.http.storewatch import watch_the_store  # noqa: E402
from pushprovider.http.twistedfix import (  # noqa: E402
    leave_bodies_alone,
    write_no_log,
    write_without_asking,
)
from pushprovider.http.websocket import websocket  # noqa: E402
from pushprovider.postgresql.patience import be_quick  # noqa: E402

be_quick()
redact_daphne()
if "daphne.server" in sys.modules:  # another server, as uvicorn, has its own ways
    leave_bodies_alone()
    write_no_log()
    write_without_asking()
    bound_daphne()
    watch_the_store()
    drain_on_sigterm()
push = PushHandler()


async def http(scope: Scope, receive: Receive, send: Send) -> Any:
    """Push paths go to the thin handler, Matrix and monitoring to theirs, all else to Django's."""
    if is_ours(scope["path"]):
        return await push(scope, receive, send)
    if is_matrix(scope["path"]):
        return await matrix(scope, receive, send)
    if is_monitoring(scope["path"]):
        return await monitor(scope, receive, send)
    return await pages(scope, receive, send)  # type: ignore[arg-type]


application = ProtocolTypeRouter({"http": http, "websocket": websocket})
collect_less()
