"""Ad-hoc commands, stanza in and stanza out. Times are real, the store is real."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from xml.etree.ElementTree import Element, fromstring
from xml.sax.saxutils import quoteattr

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from pytest_django import Settings

from pushprovider.database import DatabaseThread
from pushprovider.models import Account, Registration
from pushprovider.stats import Count
from pushprovider.store import owners
from pushprovider.xmpp.commandlist import COMMANDS
from pushprovider.xmpp.commands import (
    AT_ONCE,
    INFO,
    ITEMS,
    NAMESPACE,
    Commands,
    Request,
    read,
)
from pushprovider.xmpp.sessions import SESSION_TTL
from tests.cast import ApplicationServer, Phone, counted
from tests.test_docs import table
from tests.trouble import locked

ADMIN = "romeo@localhost/desk"
JULIET = "juliet@localhost/desk"
USERS_NODES = ("my-endpoints", "revoke", "test-push", "erase")
OPERATORS_NODES = ("statistics", "block", "unblock")
TYBALT = "tybalt@localhost/desk"
STATISTICS = f"<command xmlns='{NAMESPACE}' node='statistics'/>"
FORMS = "{jabber:x:data}"
STANZAS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"


class Client:
    """An XMPP client with ad-hoc commands, and the component's end of them."""

    def __init__(self) -> None:
        self.now = 0.0
        self.thread = DatabaseThread()
        self.commands = Commands(self.thread, lambda: self.now)

    def say(self, sender: str, inside: str, kind: str = "set") -> Element:
        request = heard(f"type={kind!r} id='c&amp;1' from={quoteattr(sender)}", inside)
        assert request is not None
        answer = fromstring(asyncio.run(self.commands.answer(request)))
        assert (answer.get("id"), answer.get("to")) == ("c&1", sender)
        assert answer.get("from") == "up.localhost"
        return answer

    def execute(self, node: str, sender: str = JULIET, **attributes: str) -> Element:
        """Send a command without a form and return the whole answer."""
        given = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
        return self.say(sender, f"<command xmlns='{NAMESPACE}' node={quoteattr(node)}{given}/>")

    def submit(
        self, node: str, session: str, fields: dict[str, str], sender: str = JULIET
    ) -> Element:
        """Send a filled-in form."""
        filled = "".join(
            f"<field var={quoteattr(var)}><value>{value}</value></field>"
            for var, value in fields.items()
        )
        form = f"<x xmlns='jabber:x:data' type='submit'>{filled}</x>"
        command = f"<command xmlns='{NAMESPACE}' node='{node}' sessionid={quoteattr(session)}"
        return self.say(sender, f"{command} action='complete'>{form}</command>")

    def both(self, node: str, sender: str = JULIET, **fields: str) -> Element:
        """Execute it, and fill in the form that comes."""
        return self.submit(node, session(self.execute(node, sender)), fields, sender)


@pytest.fixture
def client(store: None, settings: Settings) -> Iterator[Client]:
    settings.REGISTRATION_ACL = ["localhost"]
    settings.XMPP_ADMINS = ["Romeo@localhost/phone"]
    made = Client()
    yield made
    made.thread.close()
    User.objects.all().delete()


def heard(attributes: str, inside: str, to: str = "up.localhost") -> Request | None:
    iq = f"<iq xmlns='jabber:component:accept' to='{to}' {attributes}>{inside}</iq>"
    return read(fromstring(iq), "up.localhost")


def command(answer: Element) -> Element:
    found = answer.find(f"{{{NAMESPACE}}}command")
    assert found is not None, answer.find("error")
    return found


def session(answer: Element) -> str:
    assert command(answer).get("status") == "executing"
    return command(answer).get("sessionid", "")


def note(answer: Element) -> str:
    assert command(answer).get("status") == "completed"
    return command(answer).findtext(f"{{{NAMESPACE}}}note") or ""


def values(answer: Element) -> list[str]:
    return [value.text or "" for value in command(answer).iter(f"{FORMS}value")]


def error(answer: Element) -> tuple[str, str, str]:
    """Return type, condition and section 4.4's own condition of an error."""
    assert answer.get("type") == "error"
    [found] = answer.findall("error")
    names = [child.tag.rpartition("}")[2] for child in found if child.tag != f"{STANZAS}text"]
    return found.get("type", ""), names[0], "".join(names[1:])


# --- for users ----------------------------------------------------------------------------------


def test_my_endpoints(client: Client, phone: Phone, server: ApplicationServer) -> None:
    server.post(phone.register("chat"), ttl="60", user_agent="Mastodon/4 \x1b<b>")
    Phone(TYBALT).register("secret")
    shown = values(client.execute("my-endpoints"))
    assert shown[0] == phone.registration("chat").application[:8]
    assert shown[1] == "phone"
    assert "Mastodon" in shown[2]
    assert len(shown) == 5


def test_somebody_without_endpoints(client: Client) -> None:
    for node in ("my-endpoints", "revoke", "test-push"):
        assert note(client.execute(node)) == "You have no endpoints."


def test_revoke(client: Client, phone: Phone, server: ApplicationServer) -> None:
    endpoint, other = phone.register("chat"), phone.register("news")
    said = client.both("revoke", endpoint=str(phone.registration("chat").pk))
    assert note(said).startswith("Revoked")
    assert server.post(endpoint, ttl="60").status == 410
    assert server.post(other, ttl="60").status == 201
    assert counted(Count.REVOKED) == {"owner": 1}


def test_the_form_offers_every_endpoint(client: Client, phone: Phone) -> None:
    phone.register("chat")
    phone.register("news")
    form = command(client.execute("revoke"))
    options = [o.findtext(f"{FORMS}value") or "" for o in form.iter(f"{FORMS}option")]
    assert sorted(options) == sorted(str(phone.registration(a).pk) for a in ("chat", "news"))


def test_a_test_push(client: Client, phone: Phone) -> None:
    phone.register()
    said = client.both("test-push", endpoint=str(phone.registration().pk))
    assert phone.waiting() == [owners.TEST_BODY]
    assert phone.messages()[0].uid in note(said)


def test_a_test_push_into_a_full_queue(client: Client, phone: Phone, settings: Settings) -> None:
    settings.MAX_STORED_PER_ENDPOINT = 1
    phone.register()
    chosen = str(phone.registration().pk)
    client.both("test-push", endpoint=chosen)
    assert error(client.both("test-push", endpoint=chosen)) == ("wait", "resource-constraint", "")


def test_erase_my_data(client: Client, phone: Phone, server: ApplicationServer) -> None:
    endpoint = phone.register()
    server.post(endpoint, ttl="60")
    Phone(TYBALT).register()
    assert "erased" in note(client.both("erase", confirm="1"))
    assert [account.jid for account in Account.objects.all()] == ["tybalt@localhost"]
    assert server.post(endpoint, ttl="60").status == 404
    assert note(client.both("erase", confirm="true")) == "Nothing is stored about you."


@pytest.mark.parametrize("confirmed", ["0", "false", "", "yes"])
def test_nothing_is_erased_without_a_yes(client: Client, phone: Phone, confirmed: str) -> None:
    phone.register()
    assert "Nothing was erased" in note(client.both("erase", confirm=confirmed))
    assert Registration.objects.count() == 1


# --- for operators ------------------------------------------------------------------------------


def test_statistics(client: Client, phone: Phone, server: ApplicationServer) -> None:
    server.post(phone.register(), ttl="60")
    form = command(client.execute("statistics", ADMIN))
    said = {f.get("var"): f.findtext(f"{FORMS}value") for f in form.iter(f"{FORMS}field")}
    assert (said["accepted"], said["waiting"], said["active"]) == ("1", "1", "1")
    assert (said["delivered"], said["xmpp"]) == ("0", "down")


def test_block_and_unblock(client: Client, phone: Phone, server: ApplicationServer) -> None:
    endpoint = phone.register()
    said = client.both("block", ADMIN, jid="juliet@localhost/any", reason="spam")
    assert note(said) == "juliet@localhost is blocked."
    assert server.post(endpoint, ttl="60").status == 410
    assert error(client.execute("my-endpoints")) == ("auth", "forbidden", "")
    said = client.both("unblock", ADMIN, jid="juliet@localhost")
    assert note(said) == "juliet@localhost is let in again."
    assert server.post(endpoint, ttl="60").status == 201


def test_the_audit_log_tells_who_blocked(client: Client, phone: Phone) -> None:
    phone.register()
    client.both("block", ADMIN, jid="juliet@localhost", reason="spam")
    kind = ContentType.objects.get_for_model(Account)
    entry = LogEntry.objects.filter(content_type=kind).latest("pk")
    assert entry.user.get_username() == "xmpp:romeo@localhost"
    assert "spam" in entry.get_change_message()
    assert not entry.user.is_active
    assert not entry.user.has_usable_password()


def test_whom_nobody_knows_cannot_be_blocked(client: Client) -> None:
    said = client.both("block", ADMIN, jid="nobody@localhost")
    assert error(said) == ("cancel", "item-not-found", "")
    said = client.both("block", ADMIN, jid="")
    assert error(said) == ("modify", "bad-request", "bad-payload")


# --- who may ------------------------------------------------------------------------------------


@pytest.mark.parametrize("node", OPERATORS_NODES)
@pytest.mark.parametrize("sender", [JULIET, "romeo@evil.example/desk", "localhost"])
def test_operators_commands_are_for_operators(client: Client, node: str, sender: str) -> None:
    assert error(client.execute(node, sender)) == ("auth", "forbidden", "")


@pytest.mark.parametrize("node", USERS_NODES)
@pytest.mark.parametrize("sender", ["juliet@evil.example/desk", "localhost", "up.localhost"])
def test_users_commands_are_for_users(client: Client, node: str, sender: str) -> None:
    assert error(client.execute(node, sender)) == ("auth", "forbidden", "")


@pytest.mark.parametrize("node", ["revoke", "test-push"])
def test_somebody_elses_endpoint(
    client: Client, phone: Phone, server: ApplicationServer, node: str
) -> None:
    endpoint = phone.register()
    Phone(TYBALT).register()
    said = client.submit(
        node,
        session(client.execute(node, TYBALT)),
        {"endpoint": str(phone.registration().pk)},
        TYBALT,
    )
    assert error(said) == ("cancel", "item-not-found", "")
    assert phone.waiting() == []
    assert server.post(endpoint, ttl="60").status == 201


@pytest.mark.parametrize("value", ["", "0", "-1", "9" * 30, "1 OR 1=1", "\u0661", "x" * 9000])
def test_an_endpoint_that_is_none(client: Client, phone: Phone, value: str) -> None:
    phone.register()
    assert error(client.both("revoke", endpoint=value)) == ("cancel", "item-not-found", "")


# --- sessions -----------------------------------------------------------------------------------


def test_an_unknown_command(client: Client) -> None:
    for node in ("", "config", "MY-ENDPOINTS", "<x>", "\u202e"):
        assert error(client.execute(node)) == ("cancel", "item-not-found", "")


@pytest.mark.parametrize("made_up", ["", "0", "a" * 5000, "<&'\""])
def test_a_made_up_session(client: Client, phone: Phone, made_up: str) -> None:
    phone.register()
    for action in ("execute", "complete", "cancel", "prev"):
        said = client.execute("erase", action=action, sessionid=made_up)
        assert error(said) == ("modify", "bad-request", "bad-sessionid")


def test_the_session_of_somebody_else(client: Client, phone: Phone) -> None:
    phone.register()
    opened = session(client.execute("erase"))
    for thief in (TYBALT, "juliet@localhost/other"):
        said = client.submit("erase", opened, {"confirm": "1"}, thief)
        assert error(said) == ("modify", "bad-request", "bad-sessionid")
    assert Registration.objects.count() == 1


def test_the_session_of_another_command(client: Client, phone: Phone) -> None:
    phone.register()
    opened = session(client.execute("test-push"))
    said = client.submit("erase", opened, {"confirm": "1"})
    assert error(said) == ("modify", "bad-request", "bad-sessionid")


def test_a_session_that_is_too_old(client: Client, phone: Phone) -> None:
    phone.register()
    opened = session(client.execute("erase"))
    client.now += SESSION_TTL + 1
    said = client.submit("erase", opened, {"confirm": "1"})
    assert error(said) == ("cancel", "not-allowed", "session-expired")
    assert Registration.objects.count() == 1


def test_a_session_that_is_over(client: Client, phone: Phone) -> None:
    phone.register()
    opened = session(client.execute("test-push"))
    chosen = {"endpoint": str(phone.registration().pk)}
    assert note(client.submit("test-push", opened, chosen))
    said = client.submit("test-push", opened, chosen)
    assert error(said) == ("cancel", "not-allowed", "session-expired")
    assert len(phone.waiting()) == 1


def test_a_command_of_one_page_is_over_at_once(client: Client) -> None:
    opened = command(client.execute("statistics", ADMIN)).get("sessionid", "")
    for action in ("execute", "complete", "cancel"):
        said = client.execute("statistics", ADMIN, action=action, sessionid=opened)
        assert error(said) == ("cancel", "not-allowed", "session-expired")


def test_cancel(client: Client, phone: Phone) -> None:
    phone.register()
    opened = session(client.execute("erase"))
    said = client.execute("erase", action="cancel", sessionid=opened)
    assert command(said).get("status") == "canceled"
    said = client.submit("erase", opened, {"confirm": "1"})
    assert error(said) == ("cancel", "not-allowed", "session-expired")


def test_a_mistake_can_be_corrected(client: Client, phone: Phone) -> None:
    phone.register()
    opened = session(client.execute("revoke"))
    assert error(client.submit("revoke", opened, {}))[1] == "item-not-found"
    said = client.submit("revoke", opened, {"endpoint": str(phone.registration().pk)})
    assert note(said).startswith("Revoked")


def test_what_makes_no_sense(client: Client) -> None:
    assert error(client.execute("erase", action="shred"))[2] == "malformed-action"
    for action in ("complete", "next", "prev", "cancel"):
        assert error(client.execute("erase", action=action))[2] == "bad-action"
    opened = session(client.execute("erase"))
    assert error(client.execute("erase", action="prev", sessionid=opened))[2] == "bad-action"
    assert error(client.execute("erase", action="complete", sessionid=opened))[2] == "bad-payload"


def test_sessions_have_a_limit(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pushprovider.xmpp.sessions.SESSIONS", 3)
    first, *_, last = [session(client.execute("erase")) for _ in range(4)]
    assert error(client.submit("erase", first, {"confirm": "0"}))[2] == "bad-sessionid"
    assert note(client.submit("erase", last, {"confirm": "0"}))


# --- trouble ------------------------------------------------------------------------------------


def test_while_the_store_is_locked_nothing_is_done(client: Client, phone: Phone) -> None:
    phone.register()
    opened = session(client.execute("erase"))
    with locked():
        said = client.submit("erase", opened, {"confirm": "1"})
    assert error(said) == ("wait", "internal-server-error", "")
    assert "erased" in note(client.submit("erase", opened, {"confirm": "1"}))


def test_too_many_at_once(client: Client) -> None:
    request = heard(f"type='set' id='1' from='{ADMIN}'", STATISTICS)
    assert request is not None

    async def crowd() -> list[str]:
        return await asyncio.gather(*(client.commands.answer(request) for _ in range(100)))

    refused = ["resource-constraint" in answer for answer in asyncio.run(crowd())]
    assert refused.count(False) == AT_ONCE
    assert command(client.execute("statistics", ADMIN)).get("status") == "completed"


def test_a_mistake_of_ours_is_answered(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(owners, "endpoints", None)
    assert error(client.execute("my-endpoints")) == ("cancel", "internal-server-error", "")
    assert "an ad-hoc command failed" in caplog.text


# --- discovery ----------------------------------------------------------------------------------


def browse(client: Client, sender: str, query: str, node: str) -> Element:
    return client.say(sender, f"<query xmlns='{query}' node='{node}'/>", kind="get")


def test_each_sees_the_commands_they_may_use(client: Client) -> None:
    def nodes(sender: str) -> set[str | None]:
        answer = browse(client, sender, ITEMS, NAMESPACE)
        return {item.get("node") for item in answer.iter(f"{{{ITEMS}}}item")}

    assert nodes(JULIET) == set(USERS_NODES)
    assert nodes(ADMIN) == {*USERS_NODES, *OPERATORS_NODES}
    assert nodes("juliet@evil.example/desk") == set()


def test_what_a_command_is(client: Client) -> None:
    answer = browse(client, JULIET, INFO, "revoke")
    [identity] = answer.iter(f"{{{INFO}}}identity")
    assert (identity.get("category"), identity.get("type")) == ("automation", "command-node")
    assert {f.get("var") for f in answer.iter(f"{{{INFO}}}feature")} >= {NAMESPACE, "jabber:x:data"}
    [identity] = browse(client, JULIET, INFO, NAMESPACE).iter(f"{{{INFO}}}identity")
    assert identity.get("type") == "command-list"
    assert error(browse(client, JULIET, INFO, "block")) == ("auth", "forbidden", "")


def test_what_is_for_somebody_else_to_answer() -> None:
    here = "id='1' from='juliet@localhost/desk'"
    execute = f"<command xmlns='{NAMESPACE}' node='erase'/>"
    assert heard(f"type='get' {here}", execute) is None
    assert heard(f"type='result' {here}", execute) is None
    assert heard("type='set' id='1'", execute) is None
    assert heard(f"type='set' {here}", execute, to="somebody@up.localhost") is None
    assert heard(f"type='get' {here}", f"<query xmlns='{INFO}'/>") is None
    assert heard(f"type='get' {here}", f"<query xmlns='{ITEMS}' node='other'/>") is None
    assert heard(f"type='get' {here}", "<ping xmlns='urn:xmpp:ping'/>") is None


def test_the_manual_lists_every_command() -> None:
    rows = table("docs/operators.md", "node")
    stated = {node.strip(" `"): cells[1] for cells in rows for node in cells[0].split(",")}
    assert stated == {
        node: "XMPP_ADMINS" if known.for_operators else "users" for node, known in COMMANDS.items()
    }
