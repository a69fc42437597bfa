"""The register IQ: XML in, XML out."""

from __future__ import annotations

import asyncio
from xml.etree import ElementTree as ET

import pytest
from pytest_django import Settings

from pushprovider.database import DatabaseThread
from pushprovider.fields import now_ms
from pushprovider.http.intake import intake
from pushprovider.models import Account, Registration
from pushprovider.xmpp import register, stanzas
from tests.cast import ApplicationServer, Phone, hashed
from tests.trouble import READ_ONLY, in_thread

NS = f"{{{stanzas.PUSH}}}"
CHAT, FIRST = hashed("chat"), hashed("first")
USUAL = f"application='{CHAT}' instance='{FIRST}'"


def asks(attributes: str = USUAL, sender: str = "juliet@localhost/phone") -> ET.Element:
    """Return the answer to a register IQ."""
    xml = ET.fromstring(
        f"<iq xmlns='{stanzas.COMPONENT}' type='set' id='r1' to='up.localhost'>"
        f"<register xmlns='{stanzas.PUSH}' {attributes}/></iq>"
    )
    xml.set("from", sender)
    asked = stanzas.read(xml, "up.localhost")
    assert isinstance(asked, stanzas.Register)
    text, registered = asyncio.run(register.answer(asked, intake().thread))
    answer = ET.fromstring(text)
    assert (answer.get("id"), answer.get("from")) == ("r1", "up.localhost")
    assert answer.get("to") == sender
    assert registered == (answer.get("type") == "result")
    return answer


def assert_error(answer: ET.Element, kind: str, condition: str) -> None:
    """The answer is this stanza error, with a text, and nothing was registered."""
    assert answer.get("type") == "error"
    error = answer.find("error")
    assert error is not None
    assert (error.get("type"), stanzas.condition(answer)) == (kind, condition)
    assert error.findtext(f"{{{stanzas.STANZAS}}}text")


def test_it_works(store: None) -> None:
    answer = asks()
    assert answer.get("type") == "result"
    registered = answer.find(f"{NS}registered")
    assert registered is not None
    endpoint, expiration = registered.get("endpoint"), registered.get("expiration")
    assert endpoint == Phone("juliet@localhost/phone").register()
    assert expiration is not None
    assert len(expiration) == len("2026-12-22T10:15:30.123Z")
    assert expiration.endswith("Z")


def test_the_endpoint_works(server: ApplicationServer, store: None) -> None:
    registered = asks().find(f"{NS}registered")
    assert registered is not None
    assert server.post(registered.get("endpoint", "")).status == 201


@pytest.mark.parametrize(
    "attributes",
    [
        "",
        f"application='{CHAT}'",
        f"instance='{FIRST}'",
        f"application='' instance='{FIRST}'",
        f"application='{CHAT}' instance='{FIRST[:-4]}'",
        f"application='{CHAT}' instance='{FIRST}AAAA'",
        f"application='{CHAT[:-1]}' instance='{FIRST}'",
        f"application='{CHAT}' instance=' {FIRST}'",
        f"application='{CHAT}' instance='{'%' * 44}'",
        f"application='{CHAT}' instance='{'-_' * 21}A='",
        f"application='{CHAT}' instance='{FIRST[:-2]}B='",
        f"application='{CHAT}' instance='\N{SNOWMAN}'",
        f"{USUAL} vapid=''",
        f"{USUAL} vapid='junk'",
        f"{USUAL} vapid='{'A' * 87}'",
    ],
)
def test_a_bad_request(attributes: str, store: None) -> None:
    assert_error(asks(attributes), "modify", "bad-request")
    assert not Registration.objects.exists()


def test_foreign_attributes_are_ignored(store: None) -> None:
    assert asks(f"{USUAL} xmlns:x='urn:x' x:application='no' more='yes'").get("type") == "result"


@pytest.mark.parametrize("sender", ["juliet@localhost", "localhost", "localhost/phone"])
def test_only_a_full_jid_can_register(sender: str, store: None) -> None:
    assert_error(asks(sender=sender), "modify", "bad-request")


@pytest.mark.parametrize("sender", ["eve@evil.example/x", "eve@localhost.evil.example/x"])
def test_a_stranger_is_forbidden(sender: str, store: None) -> None:
    assert_error(asks(sender=sender), "auth", "forbidden")
    assert not Account.objects.exists()


def test_anyone_if_the_operator_says_so(settings: Settings, store: None) -> None:
    settings.REGISTRATION_ACL = ["*"]
    assert asks(sender="eve@evil.example/x").get("type") == "result"


def test_a_blocked_account_is_forbidden(phone: Phone) -> None:
    phone.register()
    Account.objects.update(blocked_at=now_ms())
    assert_error(asks(), "auth", "forbidden")


def test_too_many(settings: Settings, store: None) -> None:
    settings.MAX_ENDPOINTS_PER_ACCOUNT = 1
    asks(f"application='{FIRST}' instance='{FIRST}'")
    assert_error(asks(), "wait", "resource-constraint")


def test_a_key(server: ApplicationServer, store: None) -> None:
    assert asks(f"{USUAL} vapid='{server.public_key}'").get("type") == "result"
    assert Registration.objects.get().vapid == server.public_key


def test_a_store_that_may_not_be_written(store: None) -> None:
    in_thread(intake().thread, READ_ONLY)
    assert_error(asks(), "wait", "internal-server-error")
    assert asks().get("type") == "result"


@pytest.mark.parametrize("resource", ["'\"<&>", "\N{SNOWMAN} x", "a/b@c", "]]>", "&amp;"])
def test_it_answers_any_resource(resource: str, store: None) -> None:
    assert asks(sender=f"juliet@localhost/{resource}").get("type") == "result"
    assert_error(asks("", sender=f"juliet@localhost/{resource}"), "modify", "bad-request")


def test_no_thread_is_asked_for_a_bad_request() -> None:
    asked = stanzas.Register("r1", "juliet@localhost/phone", None, None, None)
    thread = DatabaseThread()
    thread.close()
    text, registered = asyncio.run(register.answer(asked, thread))
    assert ("bad-request" in text, registered) == (True, False)
