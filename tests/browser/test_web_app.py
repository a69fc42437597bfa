"""A page of another origin pushes from a browser, as unifiedpush.org's test page does."""

from __future__ import annotations

import contextlib
import json
import threading
from base64 import b64encode
from collections.abc import AsyncIterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright
from py_vapid import Vapid02

from tests.browser.chromium import ARGUMENTS, PROGRAM
from tests.real.application_server import Subscription, VapidKey
from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider
from tests.senders import TEXT, encrypted

#: Fetches in the page; returns what a script can see of the answer, or why it sees nothing.
FETCH = """async ({url, method, headers, body}) => {
    try {
        const bytes = Uint8Array.from(atob(body), one => one.charCodeAt(0));
        const answer = await fetch(url, {method, headers, body: body ? bytes : undefined});
        const seen = Object.fromEntries(answer.headers.entries());
        return {status: answer.status, headers: seen, text: await answer.text()};
    } catch (error) {
        return {status: 0, headers: {}, text: String(error)};
    }
}"""


class WebApp:
    """A page that a browser has opened at another origin."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def fetch(
        self, method: str, url: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> dict[str, Any]:
        """Return status, headers and text as the page's script sees them; status 0: nothing."""
        asked = {
            "url": url,
            "method": method,
            "headers": headers or {},
            "body": b64encode(body).decode(),
        }
        seen: dict[str, Any] = await self._page.evaluate(FETCH, asked)
        return seen


class _Empty(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>A web app</title>")

    def log_message(self, *_args: object) -> None:
        pass


@contextlib.asynccontextmanager
async def web_app() -> AsyncIterator[WebApp]:
    """Serve a page on a port of its own and open it in Chromium."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Empty)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=PROGRAM, args=ARGUMENTS)
            try:
                page = await browser.new_page()
                await page.goto(f"http://127.0.0.1:{server.server_port}/")
                yield WebApp(page)
            finally:
                await browser.close()
    finally:
        server.shutdown()
        server.server_close()


def signed(provider: Provider, key: VapidKey) -> str:
    """Return what the app puts into the page's address as `vapid`."""
    signer = Vapid02.from_raw(key.private.encode())
    header: str = signer.sign({"aud": provider.url, "sub": "mailto:friar@example.org"})[
        "Authorization"
    ]
    return header


@play
async def test_it_pushes_and_reads_the_answer(provider: Provider, phone: Phone) -> None:
    key = VapidKey()
    async with phone, web_app() as app:
        for vapid, authorization in (
            (None, {}),
            (key.public, {"Authorization": signed(provider, key)}),
        ):
            subscription = Subscription((await phone.register(vapid=vapid)).endpoint)
            body, _ = encrypted(subscription)
            headers = {"Content-Encoding": "aes128gcm", "TTL": "15", **authorization}
            seen = await app.fetch("post", subscription.endpoint, headers, body)
            assert (seen["status"], seen["headers"]["ttl"]) == (201, "15"), seen
            assert seen["headers"]["location"].startswith(f"{provider.url}/message/")
            assert subscription.decrypt((await phone.next_push()).payload).decode() == TEXT


@play
async def test_it_may_send_every_header_and_take_a_message_back(
    provider: Provider, phone: Phone
) -> None:
    headers = {
        "TTL": "60",
        "Topic": "balcony",
        "Urgency": "high",
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aesgcm",
        "Encryption": "salt=x",
        "Crypto-Key": "dh=x",
        "Prefer": "respond-async",
        "Authorization": "Basic x",
    }
    async with web_app() as app:
        async with phone:
            endpoint = (await phone.register()).endpoint
        seen = await app.fetch("PUT", endpoint, headers, b"version=1")
        assert seen["status"] == 201, seen
        location = seen["headers"]["location"]
        assert (await app.fetch("DELETE", location))["status"] == 204
        assert (await app.fetch("DELETE", location))["status"] == 404


@pytest.mark.parametrize(
    ("body", "restricted", "status", "readable"),
    [(b"x" * 4097, False, 413, ""), (b"x", True, 401, "www-authenticate")],
)
def test_it_reads_why_it_was_refused(
    body: bytes,
    restricted: bool,
    status: int,
    readable: str,
    provider: Provider,
    phone: Phone,
) -> None:
    @play
    async def story() -> None:
        async with phone, web_app() as app:
            key = VapidKey().public if restricted else None
            endpoint = (await phone.register(vapid=key)).endpoint
            seen = await app.fetch("POST", endpoint, {"TTL": "15"}, body)
            assert (seen["status"], json.loads(seen["text"])["code"]) == (status, status)
            assert readable in [*seen["headers"], ""]
            assert phone.received == []

    story()


@play
async def test_it_finds_the_matrix_gateway(provider: Provider, phone: Phone) -> None:
    gateway = f"{provider.url}/_matrix/push/v1/notify"
    async with phone, web_app() as app:
        endpoint = (await phone.register()).endpoint
        seen = await app.fetch("GET", gateway)
        assert json.loads(seen["text"]) == {"unifiedpush": {"gateway": "matrix"}}
        device = {"app_id": "web", "pushkey": endpoint}
        notice = json.dumps({"notification": {"event_id": "$x", "devices": [device]}}).encode()
        seen = await app.fetch("POST", gateway, {"Content-Type": "application/json"}, notice)
        assert (seen["status"], json.loads(seen["text"])) == (200, {"rejected": []})
        assert json.loads((await phone.next_push()).payload) == {"notification": {"event_id": "$x"}}
