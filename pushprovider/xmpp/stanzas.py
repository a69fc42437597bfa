"""XML to plain values and back. Pure functions: what a stanza says, and how ours are written.

The namespace and its elements: Daniel Gultsch's UnifiedPush over XMPP, as Conversations has it.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from pushprovider.naming import DOCTOR

PUSH = "http://gultsch.de/xmpp/drafts/unified-push"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
COMPONENT = "jabber:component:accept"

_KINDS = tuple(f"{{{COMPONENT}}}{kind}" for kind in ("iq", "presence", "message"))
_OF_THE_STREAM = (f"{{{COMPONENT}}}handshake",)
#: XEP-0030, XEP-0092, XEP-0199.
_SLIXMPPS = (
    "{http://jabber.org/protocol/disco#info}query",
    "{http://jabber.org/protocol/disco#items}query",
    "{jabber:iq:version}query",
    "{urn:xmpp:ping}ping",
)

#: The ids that save.new_uid() makes; any other id is not an answer to a push.
_UID = re.compile(r"[0-9a-f]{14}[A-Za-z0-9_-]{22}", re.ASCII)
#: What XML 1.0 section 2.2 cannot carry, or what closes the stream of a strict server.
_UNWRITABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Result:
    """A device answered a push."""

    uid: str
    sender: str


@dataclass(frozen=True, slots=True)
class StanzaError:
    """A push came back. The condition is RFC 6120's (section 8.3.3)."""

    uid: str
    sender: str
    condition: str


@dataclass(frozen=True, slots=True)
class Presence:
    """A device came or went."""

    sender: str
    available: bool


@dataclass(frozen=True, slots=True)
class Register:
    """A device asks for an endpoint. Attributes as they came; check_register() judges them."""

    id: str
    sender: str
    application: str | None
    instance: str | None
    vapid: str | None


@dataclass(frozen=True, slots=True)
class Own:
    """Our own ping came back through the server: the stream works."""

    id: str


@dataclass(frozen=True, slots=True)
class Echo:
    """A push of ours to the doctor's device, which is at our own address: we answer it."""

    id: str
    device: str


Stanza = Result | StanzaError | Presence | Register | Own | Echo


def read(xml: Element, own_jid: str) -> Stanza | None:
    """Return what a top-level element says, or None if it is for somebody else to answer."""
    sender, kind = xml.get("from"), xml.get("type")
    if not sender or not xml.tag.startswith("{" + COMPONENT + "}"):
        return None
    match xml.tag.rpartition("}")[2]:
        case "iq":
            return _read_iq(xml, sender, kind, own_jid)
        case "presence" if kind in (None, "unavailable") and "/" in sender:
            return Presence(sender, kind is None)
    return None


def _read_iq(xml: Element, sender: str, kind: str | None, own_jid: str) -> Stanza | None:
    id_ = xml.get("id", "")
    if kind in ("result", "error") and _UID.fullmatch(id_):
        return Result(id_, sender) if kind == "result" else StanzaError(id_, sender, condition(xml))
    if sender == own_jid:
        to = xml.get("to", "")
        if kind == "set" and to != own_jid and is_doctor(to, own_jid):
            return Echo(id_, to)
        return Own(id_)
    asked = xml.find(f"{{{PUSH}}}register")
    if kind == "set" and asked is not None and xml.get("to") == own_jid:
        get = asked.get
        return Register(id_, sender, get("application"), get("instance"), get("vapid"))
    return None


def is_for_slixmpp(xml: Element, own_jid: str) -> bool:
    """True for the questions that slixmpp answers, and for what is about the stream itself."""
    if xml.tag not in _KINDS:
        return xml.tag.partition("}")[0] != "{" + COMPONENT or xml.tag in _OF_THE_STREAM
    is_ours = xml.get("type") == "get" and xml.get("to") == own_jid and bool(xml.get("from"))
    return is_ours and len(xml) == 1 and xml[0].tag in _SLIXMPPS and _is_short(xml[0])


def _is_short(question: Element) -> bool:
    """True if an answer may repeat it: one that is too long would end the stream."""
    values = [value for part in question.iter() for value in (part.tag, *part.attrib.values())]
    return len(values) <= 16 and sum(map(len, values)) <= 4096


def refusal(xml: Element) -> str | None:
    """Return the answer to a question that nobody else answers (RFC 6120 section 8.2.3)."""
    if xml.tag != f"{{{COMPONENT}}}iq" or xml.get("type") not in ("get", "set"):
        return None
    to, sender = xml.get("to"), xml.get("from")
    if not to or not sender:  # no server passes such on, and an answer could end the stream
        return None
    return error(
        xml.get("id", ""), to, sender, "cancel", "feature-not-implemented", "This is not done here."
    )


def condition(xml: Element) -> str:
    """Return the defined condition of a stanza error, whatever the namespace of <error/>."""
    for error in xml:
        if error.tag.rpartition("}")[2] != "error":
            continue
        for child in error:
            namespace, _, name = child.tag.lstrip("{").rpartition("}")
            if namespace == STANZAS and name != "text":
                return name[:64]
    return "undefined-condition"


def is_32_bytes(text: str | None) -> bool:
    """True for the base64 of 32 bytes in its one spelling (RFC 4648 section 4)."""
    if text is None or len(text) != 44 or not text.isascii():
        return False
    try:
        octets = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        return False
    return len(octets) == 32 and b64encode(octets).decode() == text


def is_doctor(jid: str, own_jid: str) -> bool:
    """True for a device of `manage.py doctor`: the server routes what is for it back to us."""
    return jid.startswith(DOCTOR) and jid.partition("/")[0].endswith(f"@{own_jid}")


def is_writable(text: str) -> bool:
    """True if XML can carry the text."""
    return _UNWRITABLE.search(text) is None


def push(uid: str, own_jid: str, to: str, application: str, instance: str, payload: bytes) -> str:
    """Return the push IQ as text. `application` and `instance` were checked when registered."""
    return (
        f"<iq type='set' id='{uid}' from={quoteattr(own_jid)} to={quoteattr(to)}>"
        f"<push xmlns='{PUSH}' application='{application}' instance='{instance}'>"
        f"{b64encode(payload).decode('ascii')}</push></iq>"
    )


def registered(id_: str, own_jid: str, to: str, endpoint: str, expires_at: int) -> str:
    """Return the answer to a register; `expires_at` in milliseconds since 1970."""
    moment = datetime.fromtimestamp(expires_at // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return (
        f"<iq type='result' id={quoteattr(id_)} from={quoteattr(own_jid)} to={quoteattr(to)}>"
        f"<registered xmlns='{PUSH}' endpoint={quoteattr(endpoint)} "
        f"expiration='{moment}.{expires_at % 1000:03d}Z'/></iq>"
    )


def result(id_: str, sender: str, to: str) -> str:
    """Return an empty result, as a device answers a push."""
    return f"<iq type='result' id={quoteattr(id_)} from={quoteattr(sender)} to={quoteattr(to)}/>"


def error(id_: str, own_jid: str, to: str, kind: str, condition: str, text: str) -> str:
    """Return a stanza error (RFC 6120 section 8.3)."""
    return (
        f"<iq type='error' id={quoteattr(id_)} from={quoteattr(own_jid)} to={quoteattr(to)}>"
        f"<error type='{kind}'><{condition} xmlns='{STANZAS}'/>"
        f"<text xmlns='{STANZAS}' xml:lang='en'>{escape(text)}</text></error></iq>"
    )


def own_ping(id_: str, own_jid: str) -> str:
    """Return a ping (XEP-0199) to ourselves: the server routes it back to this stream."""
    jid = quoteattr(own_jid)
    return f"<iq type='get' id='{id_}' from={jid} to={jid}><ping xmlns='urn:xmpp:ping'/></iq>"
