"""A phone asks for an endpoint it cannot have, and is told why."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from tests.real.phone import Phone, StanzaError, random_name
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.stanza import PUSH

FINE = random_name()
WRONG = {
    "empty": "",
    "not base64": "x" * 44,
    "31 bytes": base64.b64encode(bytes(31)).decode(),
    "33 bytes": base64.b64encode(bytes(33)).decode(),
    "url-safe alphabet": base64.urlsafe_b64encode(b"\xff" * 32).decode(),
    "white space": f" {FINE}",
    "kilobytes": base64.b64encode(bytes(3000)).decode(),
}


@play
async def test_it_explains_what_is_wrong_with_a_name(provider: Provider, phone: Phone) -> None:
    async with phone:
        for kind, wrong in WRONG.items():
            for names in ((wrong, FINE), (FINE, wrong)):
                with pytest.raises(StanzaError) as raised:
                    await phone.register(*names)
                error = raised.value
                assert (error.condition, error.type) == ("bad-request", "modify"), kind
                assert error.text, kind


@play
async def test_it_explains_what_is_missing(provider: Provider, phone: Phone) -> None:
    async with phone:
        with pytest.raises(StanzaError, match="bad-request"):
            await phone.iq(
                f"<iq type='set' id='x1' to='{phone.component}'><register xmlns='{PUSH}'/></iq>"
            )


@play
async def test_it_refuses_an_impossible_vapid_key(provider: Provider, phone: Phone) -> None:
    async with phone:
        with pytest.raises(StanzaError, match="bad-request"):
            await phone.register(vapid="AAAA")


@play
async def test_it_forbids_strangers(
    new_provider: Callable[..., Provider], phone: Phone, account: str
) -> None:
    new_provider(registration_acl="example.org")
    async with phone:
        with pytest.raises(StanzaError) as raised:
            await phone.register()
    assert (raised.value.condition, raised.value.type) == ("forbidden", "auth")


@play
async def test_it_serves_its_own_host_without_a_list(
    new_provider: Callable[..., Provider], phone: Phone
) -> None:
    new_provider(registration_acl=None)
    async with phone:
        assert (await phone.register()).endpoint
