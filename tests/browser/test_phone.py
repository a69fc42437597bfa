"""On a phone: forms keep to their card, and lists are of use without scripts, too."""

from __future__ import annotations

from tests.browser.chromium import PHONE, visitor
from tests.real.play import play
from tests.real.provider import Provider

FORMS = (
    "/admin/auth/user/",
    "/admin/auth/user/add/",
    "/admin/auth/user/1/change/",
    "/admin/auth/user/1/password/",
    "/admin/auth/group/add/",
    "/admin/password_change/",
)
#: What is wider than the card that it is in.
TOO_WIDE = """[...document.querySelectorAll(".form-row input, .form-row select, .form-row .help")]
    .filter(one => one.getClientRects().length)
    .filter(one => one.getBoundingClientRect().right
        > one.closest("fieldset, .module").getBoundingClientRect().right - 8)
    .map(one => one.id)"""


@play
async def test_a_field_is_no_wider_than_its_card(staffed: Provider) -> None:
    async with visitor(staffed, size=PHONE) as person:
        await person.log_in("ops")
        for path in FORMS:
            await person.go(path)
            await person.assert_fits()
            assert await person.page.evaluate(TOO_WIDE) == [], path


@play
async def test_a_filter_in_force_is_seen_while_folded(busy: Provider) -> None:
    async with visitor(busy, size=PHONE) as person:
        await person.log_in("viewer")
        await person.go("/admin/pushprovider/message/?registration=10")
        head = person.page.locator("#changelist-filter-header")
        assert await head.inner_text() == "▶ Filter (in force)"
        await head.locator("button").click()
        await person.follow("text=Clear all filters")
        assert await head.inner_text() == "▶ Filter"


@play
async def test_lists_are_of_use_without_scripts(busy: Provider) -> None:
    async with visitor(busy, size=PHONE, scripts=False) as person:
        await person.log_in("viewer")
        await person.go("/admin/pushprovider/account/")
        jid = await person.page.locator("th.field-jid_").first.bounding_box()
        assert jid is not None
        assert jid["width"] > 100
        await person.follow("#changelist-filter >> text=Not blocked")
        assert person.page.url.endswith("?access=open")
