"""The play: start everything, register, push, tell what happened; then keep it alive."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from pushprovider.demo import prosody, server
from pushprovider.demo.children import Children, DemoFailed, free_port, port_is_free
from pushprovider.demo.phone import Phone
from pushprovider.demo.sender import Posted, post
from pushprovider.demo.server import ADMIN, Server

#: While the demo serves, one push every so many seconds.
EVERY_SECONDS = 5.0
_TTL = 60


class Show:
    """One run of the demo. `say` prints a line."""

    def __init__(self, say: Callable[[str], None], http_port: int = 0) -> None:
        self._say = say
        if http_port and not port_is_free(http_port):
            raise DemoFailed(f"Port {http_port} is in use. Choose another one: --http-port N")
        self._http_port = http_port or free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="push-demo-", dir=_short_folder()))
        self._logs = self._folder / "log"
        self._logs.mkdir()
        self._children = Children(self._logs)
        self._pushed = 0

    async def run(self, *, once: bool) -> None:
        """Play until the delivery (`once`) or until a signal; clean up in any case."""
        phone: Phone | None = None
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel if task else lambda: None)
        try:
            instance, private = await self._start()
            phone = Phone(f"{private.jid}/demo", private.password)
            await phone.log_in("127.0.0.1", private.client_port)
            endpoint = await self._register(phone)
            await self._first_push(phone, endpoint)
            if not once:
                self._say_where(instance)
                await self._keep_alive(phone, endpoint)
        finally:
            try:
                if phone is not None:
                    await phone.disconnect(wait=1.0)
            finally:
                self._children.stop()
                shutil.rmtree(self._folder, ignore_errors=True)

    async def _start(self) -> tuple[Server, prosody.Prosody]:
        self._line("folder", f"{self._folder} (removed at the end)")
        place = self._folder / "prosody"
        place.mkdir()
        private = prosody.prepare(place, "demo-component-secret", "phone", "demo-phone-password")
        instance = server.prepare(self._folder, self._http_port, private)
        await prosody.start(self._children, private)
        ports = f"clients {private.client_port}, component {private.component_port}"
        self._line("prosody", f"on 127.0.0.1 ({ports})")
        await server.migrate(self._children, instance)
        self._line("database", "SQLite, migrated")
        await server.start_web(self._children, instance)
        self._line("web", f"daphne on {instance.url}")
        await server.start_component(self._children, instance)
        self._line("component", f"{prosody.COMPONENT} connected to Prosody")
        return instance, private

    async def _register(self, phone: Phone) -> str:
        began = time.perf_counter()
        endpoint = await phone.register(prosody.COMPONENT)
        self._say("")
        self._line("registered", f"{phone.boundjid} in {_ms(time.perf_counter() - began)}")
        self._line("endpoint", endpoint)
        return endpoint

    async def _first_push(self, phone: Phone, endpoint: str) -> None:
        payload = b"Hello from an application server. (A real one encrypts this.)"
        answer, seconds = await self._push(phone, endpoint, payload)
        self._line("POST", f"{answer.status_line}, Location: {answer.location}, TTL: {answer.ttl}")
        self._line("phone saw", f"{payload.decode()!r}, byte for byte")
        self._line("time", f"{_ms(seconds)} from POST to phone")

    async def _push(self, phone: Phone, endpoint: str, payload: bytes) -> tuple[Posted, float]:
        """Post, wait for the phone, compare; return the answer and the seconds between."""
        answer = await asyncio.to_thread(post, endpoint, payload, _TTL)
        if answer.status != 201:
            raise DemoFailed(f"The POST was answered {answer.status_line}, not 201.")
        push = await phone.next_push()
        if push.payload != payload:
            raise DemoFailed(f"The phone saw {push.payload!r}, not {payload!r}.")
        self._pushed += 1
        return answer, push.at - answer.began

    def _say_where(self, instance: Server) -> None:
        self._say("")
        self._line("admin", f"{instance.url}/admin/")
        self._line("login", f"{ADMIN} / {instance.password}")
        self._line("logs", str(self._logs))
        self._say(f"\nOne push every {EVERY_SECONDS:.0f} seconds keeps it alive. Ctrl-C ends it.")

    async def _keep_alive(self, phone: Phone, endpoint: str) -> None:
        """Push at intervals until the task is cancelled by a signal."""
        try:
            while True:
                await asyncio.sleep(EVERY_SECONDS)
                self._children.check()
                now = datetime.now().astimezone().isoformat(timespec="seconds")
                await self._push(phone, endpoint, f"It is {now}.".encode())
        except asyncio.CancelledError:
            self._say(f"\nStopping. Pushes delivered: {self._pushed}.")

    def _line(self, head: str, text: str) -> None:
        self._say(f"  {head:<11} {text}")


def _short_folder() -> str | None:
    """Return where the temporary folder goes: a Unix socket's path has at most 107 bytes."""
    return None if len(tempfile.gettempdir()) < 50 else "/tmp"  # noqa: S108


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
