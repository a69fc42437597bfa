"""A user looks after their endpoints from an XMPP client with ad-hoc commands, such as Gajim."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

import pytest

from tests.real.phone import Phone, StanzaError
from tests.real.play import play
from tests.real.provider import Provider

COMMANDS = "http://jabber.org/protocol/commands"
ITEMS = "http://jabber.org/protocol/disco#items"
INFO = "http://jabber.org/protocol/disco#info"
FORM = "{jabber:x:data}"


async def ask(phone: Phone, kind: str, inside: str) -> Element:
    """Send an IQ to the component; return what is in the answer."""
    to = quoteattr(phone.component)
    answer = await phone.iq(f"<iq type='{kind}' id='{phone.new_id()}' to={to}>{inside}</iq>")
    return answer[0]


async def execute(phone: Phone, node: str, **fields: str) -> Element:
    """Execute a command; fill in its form if there are fields."""
    command = await ask(phone, "set", f"<command xmlns='{COMMANDS}' node='{node}'/>")
    if not fields:
        return command
    filled = "".join(
        f"<field var='{v}'><value>{text}</value></field>" for v, text in fields.items()
    )
    session = quoteattr(command.get("sessionid", ""))
    return await ask(
        phone,
        "set",
        f"<command xmlns='{COMMANDS}' node='{node}' sessionid={session} action='complete'>"
        f"<x xmlns='jabber:x:data' type='submit'>{filled}</x></command>",
    )


def options(command: Element) -> list[str]:
    found = [option.findtext(f"{FORM}value") for option in command.iter(f"{FORM}option")]
    return [value for value in found if value]


@pytest.mark.servers("prosody", "ejabberd")
@play
async def test_a_client_finds_the_commands(provider: Provider, phone: Phone) -> None:
    async with phone:
        info = await ask(phone, "get", f"<query xmlns='{INFO}'/>")
        assert COMMANDS in {f.get("var") for f in info.iter(f"{{{INFO}}}feature")}
        items = await ask(phone, "get", f"<query xmlns='{ITEMS}' node='{COMMANDS}'/>")
    assert [i.get("node") for i in items] == ["my-endpoints", "revoke", "test-push", "erase"]
    assert {i.get("jid") for i in items} == {phone.component}


@pytest.mark.on_both
@play
async def test_a_user_tests_revokes_and_erases(provider: Provider, phone: Phone) -> None:
    async with phone:
        endpoint = (await phone.register()).endpoint
        [chosen] = options(await execute(phone, "test-push"))
        await execute(phone, "test-push", endpoint=chosen)
        assert b"test push" in (await phone.next_push()).payload
        await execute(phone, "revoke", endpoint=chosen)
        assert (await provider.post(endpoint, b"hello")).status_code == 410
        again = (await phone.register()).endpoint
        said = await execute(phone, "erase", confirm="1")
        assert said.get("status") == "completed"
        assert (await provider.post(again, b"hello")).status_code == 404
        said = await execute(phone, "my-endpoints")
        assert said.findtext(f"{{{COMMANDS}}}note") == "You have no endpoints."


@play
async def test_nobody_touches_the_endpoints_of_another(
    provider: Provider, phone: Phone, account: str
) -> None:
    phone.server.add_user("tybalt", "secret")
    async with phone, Phone(phone.server, "tybalt") as tybalt:
        endpoint = (await phone.register()).endpoint
        await tybalt.register()
        [chosen] = options(await execute(phone, "revoke"))
        for node in ("revoke", "test-push"):
            with pytest.raises(StanzaError, match="item-not-found"):
                await execute(tybalt, node, endpoint=chosen)
        with pytest.raises(StanzaError, match="forbidden"):
            await execute(tybalt, "block")
        assert (await provider.post(endpoint, b"hello")).status_code == 201


@play
async def test_every_mistake_is_answered(provider: Provider, phone: Phone) -> None:
    async with phone:
        for attributes, condition in {
            "node='nothing'": "item-not-found",
            "": "item-not-found",
            "node='erase' sessionid='made-up'": "bad-request",
            "node='erase' action='shred'": "bad-request",
        }.items():
            with pytest.raises(StanzaError, match=condition):
                await ask(phone, "set", f"<command xmlns='{COMMANDS}' {attributes}/>")
        with pytest.raises(StanzaError):
            await ask(phone, "get", f"<command xmlns='{COMMANDS}' node='erase'/>")


@pytest.mark.on_both
@play
async def test_an_operator_blocks_a_user(
    new_provider: Callable[..., Provider], phone: Phone, account: str
) -> None:
    phone.server.add_user("escalus", "secret")
    provider = new_provider(xmpp_admins=f"escalus@{phone.server.host}")
    async with phone, Phone(phone.server, "escalus") as operator:
        endpoint = (await phone.register()).endpoint
        said = await execute(operator, "statistics")
        figures = {f.get("var"): f.findtext(f"{FORM}value") for f in said.iter(f"{FORM}field")}
        assert (figures["xmpp"], figures["active"]) == ("up", "1")
        await execute(operator, "block", jid=phone.bare_jid, reason="spam")
        assert (await provider.post(endpoint, b"hello")).status_code == 410
        with pytest.raises(StanzaError, match="forbidden"):
            await execute(phone, "my-endpoints")
        await execute(operator, "unblock", jid=phone.bare_jid)
        assert (await provider.post(endpoint, b"hello")).status_code == 201
        assert (await phone.next_push()).payload == b"hello"
