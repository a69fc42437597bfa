"""Somebody watches the live view while a real push goes through a real server to a real phone."""

from __future__ import annotations

from tests.browser.chromium import visitor
from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider

ROWS = "#live tbody tr"


@play
async def test_a_delivery_is_seen_as_it_happens(staffed: Provider, phone: Phone) -> None:
    async with phone, visitor(staffed) as person:
        endpoint = (await phone.register()).endpoint
        await person.log_in("viewer")
        await person.follow("#menu >> text=Live")
        await person.page.wait_for_selector("#live-state.good")
        await staffed.post(endpoint, b"hello")
        push = await phone.next_push()
        row = person.page.locator(ROWS, has_text=phone.bare_jid).first
        await row.wait_for()
        assert "delivered" in await row.inner_text()
        assert push.application[:8] in await row.inner_text()
        async with person.page.expect_navigation():
            await row.locator("a").click()
        assert "Answered by the phone" in await person.text()


@play
async def test_it_is_filtered_and_paused(staffed: Provider, phone: Phone) -> None:
    async with phone, visitor(staffed) as person:
        endpoint = (await phone.register()).endpoint
        await person.log_in("viewer")
        await person.go("/admin/live/")
        await person.page.wait_for_selector("#live-state.good")
        await person.page.fill("#live-by-jid", "nobody@nowhere")
        await staffed.post(endpoint, b"one")
        await phone.next_push()
        await person.page.locator(ROWS).first.wait_for(state="attached")
        assert not await person.page.locator(ROWS).first.is_visible()
        await person.page.fill("#live-by-jid", phone.bare_jid.upper())
        await person.page.locator(ROWS).first.wait_for(state="visible")
        await person.page.select_option("#live-by-state", "expired")
        assert not await person.page.locator(ROWS).first.is_visible()
        await person.page.select_option("#live-by-state", "")

        await person.page.click("#live-pause")
        await staffed.post(endpoint, b"two")
        await phone.next_push()
        await person.page.wait_for_selector("text=paused, 1 new")
        assert await person.page.locator(ROWS).count() == 1
        await person.page.click("#live-pause")
        assert await person.page.locator(ROWS).count() == 2


@play
async def test_what_waited_gets_its_end_in_place_of_its_row(
    staffed: Provider, phone: Phone
) -> None:
    async with phone, visitor(staffed) as person:
        endpoint = (await phone.register()).endpoint
        await phone.logout()
        await staffed.post(endpoint, b"hello")
        await person.log_in("viewer")
        await person.go("/admin/live/")
        await person.page.wait_for_selector("#live-state.good")
        assert await person.page.locator(ROWS, has_text="delivered").count() == 0
        await phone.connect()
        await person.page.locator(ROWS, has_text="delivered").wait_for()
        assert await person.page.locator(ROWS).count() == 1


@play
async def test_after_a_pause_it_says_that_the_server_is_away(staffed: Provider) -> None:
    async with visitor(staffed) as person:
        await person.log_in("viewer")
        await person.go("/admin/live/")
        await person.page.wait_for_selector("#live-state.good")
        await person.page.click("#live-pause")
        staffed.kill_http()
        await person.page.wait_for_selector("text=reconnecting")
        await person.page.click("#live-pause")
        assert await person.page.inner_text("#live-state") == "reconnecting"
        staffed.start_http()
        await person.page.wait_for_selector("#live-state.good")
        assert all("WebSocket connection" in one for one in person.wrong)
        person.wrong.clear()


@play
async def test_it_comes_back_by_itself(staffed: Provider, phone: Phone) -> None:
    async with phone, visitor(staffed) as person:
        endpoint = (await phone.register()).endpoint
        await person.log_in("viewer")
        await person.go("/admin/live/")
        await person.page.wait_for_selector("#live-state.good")
        staffed.kill_http()
        await person.page.wait_for_selector("text=reconnecting")
        staffed.start_http()
        await person.page.wait_for_selector("#live-state.good")
        await staffed.post(endpoint, b"again")
        await person.page.locator(ROWS, has_text=phone.bare_jid).first.wait_for()
        # The browser itself writes down that the server was away; nothing else may be there.
        assert all("WebSocket connection" in one for one in person.wrong)
        person.wrong.clear()
