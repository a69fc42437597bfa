"""Small helpers for stanzas: names, text to element and back, errors."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element, tostring

CLIENT = "jabber:client"
PUSH = "http://gultsch.de/xmpp/drafts/unified-push"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
PING = "urn:xmpp:ping"

#: The type RFC 6120 gives to the conditions plays use; all others are "cancel".
ERROR_TYPES = {
    "bad-request": "modify",
    "forbidden": "auth",
    "recipient-unavailable": "wait",
    "remote-server-timeout": "wait",
    "resource-constraint": "wait",
    "internal-server-error": "wait",
}


class StanzaError(Exception):
    """The answer to an IQ was an error."""

    def __init__(self, condition: str, kind: str, text: str) -> None:
        super().__init__(f"{condition} ({kind}) {text}".strip())
        self.condition = condition
        self.type = kind
        self.text = text


@dataclass(frozen=True)
class Registered:
    """What the provider answered to <register/>."""

    endpoint: str
    expiration: str


@dataclass(frozen=True)
class Push:
    """One push as the phone saw it."""

    id: str
    sender: str
    application: str
    instance: str
    payload: bytes
    raw: str


def local_name(element: Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def to_text(element: Element) -> str:
    """Return an element as XML."""
    return tostring(element, encoding="unicode")


def stanza_error(iq: Element) -> StanzaError:
    """Return the error an IQ of type error carries, whatever namespace its <error/> is in."""
    for child in iq:
        if local_name(child) == "error":
            conditions = [c for c in child if c.tag.startswith(f"{{{STANZAS}}}")]
            names = [local_name(c) for c in conditions if local_name(c) != "text"]
            text = child.findtext(f"{{{STANZAS}}}text") or ""
            return StanzaError(names[0] if names else "", child.get("type", ""), text)
    return StanzaError("", "", "an error without <error/>")


def error_xml(condition: str) -> str:
    """Return <error/> with this condition and its usual type."""
    kind = ERROR_TYPES.get(condition, "cancel")
    return f"<error type='{kind}'><{condition} xmlns='{STANZAS}'/></error>"
