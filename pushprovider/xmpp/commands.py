"""Ad-hoc commands (XEP-0050): read a request, keep its session, answer it. Never silence.

The list of commands is commandlist.py; here is the protocol, and who may do what:
REGISTRATION_ACL decides who is a user, XMPP_ADMINS who is an operator.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from django.conf import settings

from pushprovider.database import DatabaseThread, StoreTrouble
from pushprovider.fields import now_ms
from pushprovider.xmpp import acl, forms, stanzas
from pushprovider.xmpp.commandlist import COMMANDS
from pushprovider.xmpp.pages import Command, Fields, Page, Wrong
from pushprovider.xmpp.sessions import Refused, Sessions

log = logging.getLogger(__name__)

NAMESPACE = "http://jabber.org/protocol/commands"
ITEMS = "http://jabber.org/protocol/disco#items"
INFO = "http://jabber.org/protocol/disco#info"
ACTIONS = frozenset({"execute", "next", "complete", "prev", "cancel"})
#: Commands that may wait for the database.
AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Asked:
    """A command is to be executed (section 2.3). Attributes as they came."""

    id: str
    sender: str
    node: str
    action: str
    session: str | None
    fields: Fields | None


@dataclass(frozen=True, slots=True)
class Browsed:
    """Service discovery of the commands, or of one (sections 2.1 and 2.2)."""

    id: str
    sender: str
    query: str  # ITEMS or INFO
    node: str


Request = Asked | Browsed


def read(xml: Element, own_jid: str) -> Request | None:
    """Return what an IQ to the component asks of its commands, or None if nothing."""
    sender, kind = xml.get("from"), xml.get("type")
    if xml.tag != f"{{{stanzas.COMPONENT}}}iq" or not sender or xml.get("to") != own_jid:
        return None
    id_ = xml.get("id", "")
    command = xml.find(f"{{{NAMESPACE}}}command")
    if kind == "set" and command is not None:
        get = command.get
        fields = forms.submitted(command)
        action = get("action", "execute")
        return Asked(id_, sender, get("node", ""), action, get("sessionid"), fields)
    for query in (ITEMS, INFO) if kind == "get" else ():
        asked = xml.find(f"{{{query}}}query")
        node = "" if asked is None else asked.get("node", "")
        if node == NAMESPACE or (query == INFO and node in COMMANDS):
            return Browsed(id_, sender, query, node)
    return None


class Commands:
    """Answers requests; what is open is kept in memory and ends with the process.

    The database thread is one of its own: a slow command must not hold up deliveries.
    """

    def __init__(self, thread: DatabaseThread, clock: Callable[[], float] = time.monotonic) -> None:
        self._thread = thread
        self._busy = 0
        self._sessions = Sessions(clock)

    def close(self) -> None:
        """Let the thread end."""
        self._thread.close()

    async def answer(self, request: Request) -> str:
        """Return the answer's XML, whatever happens."""
        try:
            if isinstance(request, Browsed):
                return browse(request)
            return await self._execute(request)
        except Refused as refused:
            return _refusal(request, refused)
        except Wrong as wrong:
            return _refusal(request, _refused(wrong))
        except StoreTrouble:
            return _refusal(request, Refused("wait", "internal-server-error", "Try again later."))
        except Exception:
            log.exception("an ad-hoc command failed")
            broken = Refused("cancel", "internal-server-error", "Something went wrong here.")
            return _refusal(request, broken)

    async def _execute(self, asked: Asked) -> str:
        command = _command(asked)
        if asked.action not in ACTIONS:
            raise Refused("modify", "bad-request", "No such action.", "malformed-action")
        if asked.session is None:
            if asked.action != "execute":
                raise Refused("modify", "bad-request", "Execute it first.", "bad-action")
            page = await self._run(asked, command.begin)
            is_over = not page.is_form
            return _page(
                asked, self._sessions.open(asked.sender, asked.node, is_over=is_over), page
            )
        session = asked.session
        opened = self._sessions.find(session, asked.sender, asked.node)
        if asked.action == "cancel":
            opened.is_over = True
            return _answer(asked, session, "canceled", "")
        if asked.action == "prev":
            raise Refused("modify", "bad-request", "This is the first page.", "bad-action")
        fields = asked.fields
        if fields is None:
            raise Refused("modify", "bad-request", "The form is missing.", "bad-payload")
        opened.is_over = True  # before the work: a second answer must not do it twice
        try:
            page = await self._run(asked, lambda jid, now: command.end(jid, fields, now))
        except (Refused, Wrong, StoreTrouble):
            opened.is_over = False  # nothing was done: it may be corrected
            raise
        return _page(asked, session, page)

    async def _run(self, asked: Asked, work: Callable[[str, int], Page]) -> Page:
        if self._busy >= AT_ONCE:
            raise Refused("wait", "resource-constraint", "Too many at once. Try again later.")
        jid = acl.bare(asked.sender)
        self._busy += 1
        try:
            return await self._thread.run(lambda: work(jid, now_ms()))
        finally:
            self._busy -= 1


# --- who may ------------------------------------------------------------------------------------


def may(command: Command, sender: str) -> bool:
    """True if the sender may execute it. Only a server's word tells who the sender is."""
    account = acl.bare(sender)
    if "@" not in account:
        return False
    if command.for_operators:
        return account.lower() in {acl.bare(jid).lower() for jid in settings.XMPP_ADMINS}
    return acl.allows(settings.REGISTRATION_ACL, sender)


def _refused(wrong: Wrong) -> Refused:
    """RFC 6120 section 8.3.3: the type that goes with a condition."""
    kinds = {"forbidden": "auth", "item-not-found": "cancel", "resource-constraint": "wait"}
    special = "bad-payload" if wrong.condition == "bad-request" else ""
    return Refused(kinds.get(wrong.condition, "modify"), wrong.condition, str(wrong), special)


def _command(asked: Asked) -> Command:
    command = COMMANDS.get(asked.node)
    if command is None:
        raise Refused("cancel", "item-not-found", "There is no such command.")
    if not may(command, asked.sender):
        _forbid()
    return command


def _forbid() -> NoReturn:
    raise Refused("auth", "forbidden", "You may not do this.")


# --- what is said -------------------------------------------------------------------------------


def browse(asked: Browsed) -> str:
    """Return the list of commands that the sender may execute, or what one of them is."""
    own = quoteattr(settings.XMPP_COMPONENT_JID)
    if asked.query == ITEMS:
        inside = "".join(
            f"<item jid={own} node='{node}' name={quoteattr(command.name)}/>"
            for node, command in COMMANDS.items()
            if may(command, asked.sender)
        )
    else:
        command = COMMANDS.get(asked.node)
        if command is not None and not may(command, asked.sender):
            _forbid()
        kind, name = ("command-node", command.name) if command else ("command-list", "Commands")
        features = (INFO, NAMESPACE, forms.NAMESPACE)
        inside = f"<identity category='automation' type='{kind}' name={quoteattr(name)}/>"
        inside += "".join(f"<feature var='{feature}'/>" for feature in features)
    return _result(asked, f"<query xmlns='{asked.query}' node='{asked.node}'>{inside}</query>")


def _page(asked: Asked, session: str, page: Page) -> str:
    inside = ""
    if page.is_form:
        inside = "<actions execute='complete'><complete/></actions>"
    inside += page.xml
    if page.note:
        inside += f"<note type='info'>{forms.text(page.note)}</note>"
    return _answer(asked, session, "executing" if page.is_form else "completed", inside)


def _answer(asked: Asked, session: str, status: str, inside: str) -> str:
    return _result(
        asked,
        f"<command xmlns='{NAMESPACE}' node='{asked.node}' sessionid={quoteattr(session)} "
        f"status='{status}'>{inside}</command>",
    )


def _result(request: Request, inside: str) -> str:
    own, id_, to = map(quoteattr, (settings.XMPP_COMPONENT_JID, request.id, request.sender))
    return f"<iq type='result' id={id_} from={own} to={to}>{inside}</iq>"


def _refusal(request: Request, no: Refused) -> str:
    own = settings.XMPP_COMPONENT_JID
    text = stanzas.error(request.id, own, request.sender, no.kind, no.condition, no.text)
    special = f"<{no.special} xmlns='{NAMESPACE}'/>" if no.special else ""
    return text.replace("</error></iq>", f"{special}</error></iq>")
