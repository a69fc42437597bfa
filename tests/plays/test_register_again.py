"""A phone renews an endpoint: the URL stays, so no application has to subscribe again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.real.phone import Phone, random_name
from tests.real.play import play
from tests.real.provider import Provider

pytestmark = pytest.mark.servers("prosody", "ejabberd")


@play
async def test_it_keeps_its_url_and_lives_longer(provider: Provider, phone: Phone) -> None:
    names = random_name(), random_name()
    async with phone:
        first = await phone.register(*names)
        second = await phone.register(*names)
    assert second.endpoint == first.endpoint
    assert second.expiration > first.expiration


@play
async def test_it_keeps_its_url_over_a_restart(provider: Provider, phone: Phone) -> None:
    names = random_name(), random_name()
    async with phone:
        first = await phone.register(*names)
        provider.kill_component()
        provider.start_component()
        assert (await phone.register(*names)).endpoint == first.endpoint


@play
async def test_it_follows_the_account_to_a_new_resource(
    provider: Provider, new_phone: Callable[..., Phone]
) -> None:
    names = random_name(), random_name()
    old, new = new_phone(resource="Conversations.old"), new_phone(resource="Conversations.new")
    async with old:
        first = await old.register(*names)
    assert (await provider.post(first.endpoint, b"to wherever you are")).status_code == 201
    async with new:
        assert (await new.register(*names)).endpoint == first.endpoint
        assert (await new.next_push()).payload == b"to wherever you are"
        await provider.post(first.endpoint, b"and again")
        assert (await new.next_push()).payload == b"and again"


@play
async def test_every_name_has_its_own_url(provider: Provider, phone: Phone) -> None:
    application, instance = random_name(), random_name()
    async with phone:
        endpoints = {
            (await phone.register(*names)).endpoint
            for names in (
                (application, instance),
                (application, random_name()),
                (random_name(), instance),
            )
        }
    assert len(endpoints) == 3
