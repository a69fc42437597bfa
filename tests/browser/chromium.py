"""A real Chromium that notices what must not happen on any page."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright

from tests.real.provider import Provider

DEBIANS = "/usr/bin/chromium"
#: None: the one that `playwright install` brought.
PROGRAM = DEBIANS if Path(DEBIANS).exists() else None
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDE, PHONE = (1440, 900), (390, 844)
AXE = Path(__file__).parent / "node/node_modules/axe-core/axe.min.js"
AT_REST = """Promise.all(document.getAnimations()
    .filter(one => one instanceof CSSTransition).map(one => one.finished)).then(() => null)"""
#: What axe-core calls the findings that keep somebody from using a page.
GRAVE = {"serious", "critical"}


@dataclass
class Visitor:
    """One person with one window."""

    page: Page
    url: str
    size: tuple[int, int]
    #: Console errors (a violation of the policy is one), script errors, requests to elsewhere.
    wrong: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note everything that goes wrong from now on."""
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.wrong.append(f"script: {error}"))
        self.page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.wrong.append(f"console at {self.page.url}: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:")):
            self.wrong.append(f"a request to elsewhere: {request.url}")

    async def go(self, path: str) -> None:
        """Open a page that must be there."""
        answer = await self.page.goto(self.url + path)
        assert answer is not None
        assert answer.status == 200, path

    async def follow(self, selector: str) -> None:
        """Click on what leads to another page, and return when that is there."""
        async with self.page.expect_navigation():
            await self.page.click(selector)

    async def log_in(self, name: str) -> None:
        """Log in; the name is the password."""
        await self.go("/admin/login/?next=/admin/")
        await self.page.fill("#id_username", name)
        await self.page.fill("#id_password", name)
        await self.follow("input[type=submit]")
        assert await self.page.title() == f"Dashboard · {self.url.partition('://')[2]}"

    async def text(self) -> str:
        """Return what the page says."""
        return await self.page.inner_text("main")

    async def assert_fits(self) -> None:
        """Nothing sticks out at the side."""
        over = await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, f"{self.page.url} is {over} pixels too wide"

    async def assert_accessible(self) -> None:
        """axe-core finds nothing grave by day and by night; what it finds is told at the end, for
        all pages."""
        await self.page.evaluate(AXE.read_text(encoding="utf-8"))
        for theme in THEMES:
            await self.page.emulate_media(color_scheme=theme)
            await self.page.evaluate(AT_REST)  # a colour on its way to another has little contrast
            found: dict[str, Any] = await self.page.evaluate(
                "axe.run(document, {resultTypes: ['violations']})"
            )
            self.wrong += [
                f"{self.page.url}, {theme}: {one['id']}: "
                f"{[node['html'][:200] for node in one['nodes']][:3]}"
                for one in found["violations"]
                if one["impact"] in GRAVE
            ]


@contextlib.asynccontextmanager
async def visitor(
    provider: Provider, *, size: tuple[int, int] = WIDE, scripts: bool = True
) -> AsyncIterator[Visitor]:
    """Open a window; at the end nothing may have gone wrong in it."""
    async with async_playwright() as playwright:
        browser: Browser = await playwright.chromium.launch(executable_path=PROGRAM, args=ARGUMENTS)
        try:
            context = await browser.new_context(
                viewport={"width": size[0], "height": size[1]},
                color_scheme="light",
                java_script_enabled=scripts,
            )
            person = Visitor(await context.new_page(), provider.url, size)
            person.watch()
            yield person
        finally:
            await browser.close()
    assert not person.wrong, "\n".join(person.wrong)
