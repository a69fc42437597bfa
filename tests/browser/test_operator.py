"""An operator finds out what is wrong, and ends what must end, without a manual."""

from __future__ import annotations

from tests.browser.chromium import PHONE, Visitor, visitor
from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider


async def find(person: Visitor, text: str) -> None:
    """Type into the dashboard's Find box."""
    await person.go("/admin/")
    await person.page.fill("#find", text)
    await person.follow(".find button")


@play
async def test_does_it_work(busy: Provider) -> None:
    async with visitor(busy) as person:
        await person.log_in("viewer")
        await person.follow("text=XMPP stream")
        text = await person.text()
        assert "connected as" in text
        assert "How to fix" in text  # this server's address is plain http
        await person.page.wait_for_selector("#proxy.ok")


@play
async def test_why_did_juliet_get_no_notification(busy: Provider, phone: Phone) -> None:
    async with phone, visitor(busy) as person:
        endpoint = (await phone.register()).endpoint
        await phone.logout()
        await busy.post(endpoint, b"hello")
        await person.log_in("viewer")
        await find(person, phone.bare_jid)
        await person.follow("section:has-text('Latest messages') tbody a")
        text = await person.text()
        assert "It waits for the phone" in text or "The XMPP server has it" in text
        assert "Accepted" in text


@play
async def test_who_sends_most_and_what_fails(busy: Provider) -> None:
    async with visitor(busy) as person:
        await person.log_in("viewer")
        senders = await person.page.inner_text("section:has-text('Who sends')")
        assert "Mastodon" in senders
        await person.follow("a.tile:has-text('Failed + expired')")
        states = await person.page.locator("td.field-status").all_inner_texts()
        assert set(states) <= {"expired", "evicted", "gone"}
        assert states


@play
async def test_an_operator_ends_one_endpoint(staffed: Provider, phone: Phone) -> None:
    async with phone, visitor(staffed) as person:
        endpoint = (await phone.register()).endpoint
        await person.log_in("operator")
        await find(person, endpoint)
        await person.follow(".verbs >> text=Send test push")
        push = await phone.next_push()
        assert b"test push" in push.payload
        await person.follow(".verbs >> text=Revoke")
        await person.page.fill("#reason", "stolen phone")
        await person.follow("button.danger")
        assert "Revoked: 1." in await person.text()
        assert (await staffed.post(endpoint, b"hello")).status_code == 410
        assert "stolen phone" in await person.text()
        await person.go("/admin/")
        assert endpoint not in await person.page.content()


@play
async def test_an_operator_blocks_and_unblocks_somebody(busy: Provider, phone: Phone) -> None:
    async with phone, visitor(busy, size=PHONE) as person:
        endpoint = (await phone.register()).endpoint
        await person.log_in("operator")
        await person.follow("#menu >> text=Users")
        await person.page.fill("#searchbar", phone.bare_jid)
        await person.follow("#changelist-search input[type=submit]")
        await person.page.check("input.action-select")
        await person.page.select_option("select[name=action]", "block")
        await person.follow("button[name=index]")
        await person.page.fill("#reason", "spam")
        await person.assert_accessible()
        await person.follow("button.danger")
        assert "Blocked: 1." in await person.text()
        assert (await busy.post(endpoint, b"hello")).status_code == 410
        await find(person, phone.bare_jid)
        await person.follow(".verbs >> text=Unblock")
        assert (await busy.post(endpoint, b"hello")).status_code == 201
        await phone.next_push()


@play
async def test_a_viewer_is_offered_nothing_to_end(busy: Provider) -> None:
    async with visitor(busy) as person:
        await person.log_in("viewer")
        for path in ("account/10", "registration/10"):
            await person.go(f"/admin/pushprovider/{path}/change/")
            assert await person.page.locator("main form").count() == 0
        await person.go("/admin/pushprovider/account/")
        assert await person.page.locator("select[name=action]").count() == 0
