"""Every page, wide and on a phone, light and dark: it fits, and everybody can use it."""

from __future__ import annotations

import pytest

from tests.browser.chromium import PHONE, WIDE, visitor
from tests.real.play import play
from tests.real.provider import Provider

PAGES = (
    "/admin/",
    "/admin/?range=24h",
    "/admin/pushprovider/account/",
    "/admin/pushprovider/account/?access=blocked",
    "/admin/pushprovider/registration/",
    "/admin/pushprovider/registration/?state=revoked",
    "/admin/pushprovider/message/",
    "/admin/pushprovider/message/?state=failed",
    "/admin/pushprovider/account/10/change/",
    "/admin/pushprovider/registration/10/change/",
    "/admin/pushprovider/message/10/change/",
    "/admin/statistics/?range=30d",
    "/admin/live/",
    "/admin/health/",
    "/admin/admin/logentry/",
    "/admin/more/",
    "/",
)


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@play
async def test_every_page_is_right(busy: Provider, size: tuple[int, int]) -> None:
    async with visitor(busy, size=size) as person:
        await person.go("/admin/login/")
        await person.assert_fits()
        await person.assert_accessible()
        await person.log_in("ops")
        for path in PAGES:
            await person.go(path)
            await person.assert_fits()
            await person.assert_accessible()


@play
async def test_every_page_is_right_without_data(staffed: Provider) -> None:
    async with visitor(staffed, size=PHONE) as person:
        await person.log_in("ops")
        for path in PAGES:
            if "/change/" not in path:
                await person.go(path)
                await person.assert_fits()
                await person.assert_accessible()


@play
async def test_the_theme_is_switched_and_kept(busy: Provider) -> None:
    async with visitor(busy) as person:
        await person.log_in("ops")
        paper = "getComputedStyle(document.body).backgroundColor"
        light = await person.page.evaluate(paper)
        for _ in range(3):
            await person.page.click(".theme-toggle")
            if await person.page.evaluate(paper) != light:
                break
        dark = await person.page.evaluate(paper)
        assert dark != light
        await person.go("/admin/statistics/")
        assert await person.page.evaluate(paper) == dark
        assert await person.page.locator(".chart canvas").count() == 2


@play
async def test_the_chart_can_be_read_as_a_table(busy: Provider) -> None:
    async with visitor(busy) as person:
        await person.log_in("ops")
        await person.follow("text=Show as table")
        await person.page.wait_for_selector("#table tbody tr")
        assert await person.page.locator("#table tbody tr").count() == 168
