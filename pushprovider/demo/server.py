"""Pushprovider itself: both processes, with settings and a database of the demo's own."""

from __future__ import annotations

import asyncio
import http.client
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from pushprovider.demo.children import Child, Children, base_environment, wait_for
from pushprovider.demo.prosody import COMPONENT, HOST, Prosody

ADMIN = "admin"
_MANAGE = (sys.executable, "manage.py")


@dataclass(frozen=True)
class Server:
    """One configured Pushprovider."""

    base: Path
    port: int
    env: dict[str, str]
    password: str

    @property
    def url(self) -> str:
        """Return what PUBLIC_URL is."""
        return self.env["PUBLIC_URL"]


def prepare(folder: Path, port: int, prosody: Prosody) -> Server:
    """Lay down the settings; no .env and no environment of the caller's shines through."""
    env = base_environment()
    password = secrets.token_urlsafe(9)
    (folder / "run").mkdir()
    env |= {
        "DOTENV": os.devnull,
        "DJANGO_SETTINGS_MODULE": "upconfig.settings",
        "DJANGO_SUPERUSER_PASSWORD": password,
        "PYTHONUNBUFFERED": "1",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "CSRF_TRUSTED_ORIGINS": f"http://127.0.0.1:{port},http://localhost:{port}",
        "DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite3'}",
        "RUN_DIR": str(folder / "run"),
        "XMPP_COMPONENT_JID": COMPONENT,
        "XMPP_COMPONENT_SECRET": prosody.component_secret,
        "XMPP_COMPONENT_HOST": "127.0.0.1",
        "XMPP_COMPONENT_PORT": str(prosody.component_port),
        "XMPP_ADMINS": prosody.jid,
        "REGISTRATION_ACL": HOST,
    }
    return Server(settings.BASE_DIR, port, env, password)


async def migrate(children: Children, server: Server) -> None:
    """Make the database and its administrator."""
    argv = [*_MANAGE, "migrate", "--noinput"]
    await children.run("migrate", argv, server.env, server.base, seconds=120)
    argv = [*_MANAGE, "createsuperuser", "--noinput", "--username", ADMIN]
    argv += ["--email", f"{ADMIN}@{HOST}"]
    await children.run("createsuperuser", argv, server.env, server.base, seconds=60)


async def start_web(children: Children, server: Server) -> Child:
    """Start daphne, and return when /healthz is 200."""
    argv = [sys.executable, "-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", str(server.port)]
    child = children.start("web", [*argv, "upconfig.asgi:application"], server.env, server.base)

    async def healthy() -> bool:
        return await asyncio.to_thread(_healthz, server.port)

    await wait_for(child, "The web process's start", healthy)
    return child


async def start_component(children: Children, server: Server) -> Child:
    """Start the XMPP process, and return when its log says that it is connected."""
    argv = [*_MANAGE, "runxmppcomponent"]
    child = children.start("component", argv, server.env, server.base)

    async def connected() -> bool:
        return f"XMPP component {COMPONENT} connected to" in child.output()

    await wait_for(child, "The component's start", connected)
    return child


def _healthz(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
