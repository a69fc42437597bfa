"""The product as an operator runs it: daphne and runxmppcomponent over one store."""

from __future__ import annotations

import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import httpx

from tests.real.ports import LOOPBACK, answers, free_port
from tests.real.process import ManagedProcess, plain_environment
from tests.real.store import SqliteStore, Store
from tests.real.waiting import tail
from tests.real.xmpp_server import XmppServer

PROJECT = Path(__file__).resolve().parents[2]
MANAGE = [sys.executable, str(PROJECT / "manage.py")]


class Provider:
    """Both processes, their settings, and an application server's view of them.

    `settings` are the product's own, lower case will do, None unsets. `store` is a new SQLite
    file unless given, `port` a free one; `migrated` is a store to begin with a copy of (saves a
    second).
    """

    def __init__(
        self,
        folder: Path,
        server: XmppServer,
        *,
        store: Store | None = None,
        port: int = 0,
        migrated: Store | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        self.server = server
        self.port = port or free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.store = store or (migrated.copy(folder) if migrated else SqliteStore(folder))
        self.secret_key = secrets.token_urlsafe(48)
        self.run_dir = Path(tempfile.mkdtemp(prefix="pp-"))  # short: a socket's path has a limit
        self._tokens: set[str] = set()
        self.env = plain_environment() | {
            "SECRET_KEY": self.secret_key,
            "PUBLIC_URL": self.url,
            "DATABASE_URL": self.store.url,
            "RUN_DIR": str(self.run_dir),
            "XMPP_COMPONENT_JID": server.component_jid,
            "XMPP_COMPONENT_SECRET": server.component_secret,
            "XMPP_COMPONENT_HOST": LOOPBACK,
            "XMPP_COMPONENT_PORT": str(server.component_port),
            "REGISTRATION_ACL": "*",
            "PYTHONUNBUFFERED": "1",
        }
        for name, value in (settings or {}).items():
            self.env[name.upper()] = str(value)
            if value is None:
                del self.env[name.upper()]
        self._folder = folder
        self._others: list[ManagedProcess] = []
        self.http = self._new_http("daphne", self.port)
        self.component = self._new_component("component", self.env)

    def _new_http(self, name: str, port: int) -> ManagedProcess:
        command = [sys.executable, "-m", "daphne", "-v", "0", "-b", LOOPBACK, "-p", str(port)]
        command.append("upconfig.asgi:application")
        return ManagedProcess(name, command, self.env, PROJECT, self._folder / f"{name}.log")

    def _new_component(self, name: str, env: Mapping[str, str]) -> ManagedProcess:
        command = [*MANAGE, "runxmppcomponent"]
        return ManagedProcess(name, command, env, PROJECT, self._folder / f"{name}.log")

    # --- the processes ----------------------------------------------------------------------

    def start(self) -> None:
        """Prepare the database, start both processes, return when both are ready."""
        self.migrate()
        self.http.spawn()
        self.component.spawn()
        self.http.wait_ready(self.healthy, seconds=30)
        self.component.wait_ready(self.connected, seconds=30)

    def standby(self) -> ManagedProcess:
        """Start a second component and return when it waits.

        With PostgreSQL it might be on another machine: it has a run folder of its own.
        """
        env = self.env
        if self.store.kind == "postgresql":
            env = env | {"RUN_DIR": str(self.run_dir / "other")}
        other = self._new_component("standby", env)
        self._others.append(other)
        other.start(lambda: "standing by" in other.log_of_this_run(), seconds=30)
        return other

    def second_http(self) -> str:
        """Start another daphne over the same store; return where it listens."""
        port = free_port()
        other = self._new_http("daphne2", port)
        self._others.append(other)
        other.start(lambda: answers(port), seconds=30)
        return f"http://{LOOPBACK}:{port}"

    def close(self) -> None:
        """End what still runs and remove the run folder."""
        for other in self._others:
            other.kill()
        self.http.kill()  # it would drain for a second; test_http_down.py sees it do that
        try:
            self.stop_component()
        finally:
            self.component.kill()
            shutil.rmtree(self.run_dir, ignore_errors=True)

    def migrate(self) -> None:
        """Make the tables, once."""
        if not self.store.make():
            self.manage("migrate", "--noinput", "-v", "0")

    def manage(self, *arguments: str) -> str:
        """Run a management command with the same settings and return what it printed."""
        command = [*MANAGE, *arguments]
        done = subprocess.run(
            command,
            env=self.env,
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"manage.py {' '.join(arguments)}:\n{tail(done.stderr)}"
        return done.stdout

    def start_http(self) -> None:
        """Start daphne and return when it answers."""
        self.http.start(self.healthy, seconds=30)

    def stop_http(self) -> None:
        """Stop daphne (SIGTERM)."""
        self.http.terminate()

    def kill_http(self) -> None:
        """Kill daphne (SIGKILL)."""
        self.http.kill()

    def start_component(self) -> None:
        """Start runxmppcomponent and return when it is connected to the server."""
        self.component.start(self.connected, seconds=30)

    def stop_component(self) -> None:
        """Stop runxmppcomponent (SIGTERM)."""
        self.component.terminate()

    def kill_component(self) -> None:
        """Kill runxmppcomponent (SIGKILL)."""
        self.component.kill()

    def healthy(self) -> bool:
        """Return whether daphne answers /healthz."""
        try:
            return (
                httpx.get(f"{self.url}/healthz", trust_env=False, verify=False).status_code == 200
            )
        except httpx.TransportError:
            return False

    def connected(self) -> bool:
        """Return whether this run of the component has connected at least once."""
        return self.times_connected() > 0

    def times_connected(self) -> int:
        """Return how often this run of the component has connected to the server."""
        return self.component.log_of_this_run().count("connected to")

    # --- an application server --------------------------------------------------------------

    async def post(
        self, endpoint: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """POST a message, with TTL 3600 unless `headers` are given, and return the answer."""
        self._remember(endpoint)
        async with _client() as client:
            given = {"TTL": "3600"} if headers is None else dict(headers)
            return await client.post(endpoint, content=body, headers=given)

    async def delete(self, url: str) -> httpx.Response:
        """DELETE a message resource and return the answer."""
        async with _client() as client:
            return await client.delete(url)

    # --- the logs ---------------------------------------------------------------------------

    def log_text(self) -> str:
        """Return the end of both logs."""
        parts = (self.http, self.component, *self._others)
        return "\n".join(f"--- {part.name}\n{tail(part.log_text())}" for part in parts)

    def assert_clean_logs(self, *forbidden: str) -> None:
        """Fail if a log holds a traceback, a secret, a used token or one of `forbidden`."""
        secret = {self.secret_key, self.server.component_secret, *self._tokens, *forbidden}
        for process in (self.http, self.component):
            text = process.log_text()
            assert "Traceback" not in text, f"{process.name} logged a traceback:\n{tail(text, 80)}"
            for word in secret - {""}:
                assert word not in text, f"{process.name} logged {word[:8]}...:\n{tail(text)}"

    def _remember(self, endpoint: str) -> None:
        """Keep the token of an endpoint: no log may hold it."""
        if match := re.search(r"/push/([\w-]{20,})", endpoint):
            self._tokens.add(match[1])


def _client() -> httpx.AsyncClient:
    """Return a client for loopback: no proxy, no certificates (they take 20 ms to load)."""
    return httpx.AsyncClient(trust_env=False, verify=False)
