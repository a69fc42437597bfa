"""How a phone gets onto its server: SASL PLAIN, then a bound resource or a resumed session."""

from __future__ import annotations

import base64
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from tests.real.stanza import local_name, stanza_error, to_text
from tests.real.stream import XmlStream

SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"


class LoginFailed(Exception):
    """The server refused the password, the resource or the session."""


async def authenticate(stream: XmlStream, user: str, password: str) -> None:
    """Log in on a new stream. A resource is not yet bound."""
    await stream.header()
    await expect(stream, "features")
    secret = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
    stream.send(f"<auth xmlns='{SASL}' mechanism='PLAIN'>{secret}</auth>")
    await expect(stream, "success")
    stream.open()
    await stream.header()
    await expect(stream, "features")


async def bind(stream: XmlStream, resource: str) -> str:
    """Bind the resource and return the full JID the server gave."""
    wish = f"<resource>{escape(resource)}</resource>"
    stream.send(f"<iq type='set' id='bind'><bind xmlns='{BIND}'>{wish}</bind></iq>")
    answer = await expect(stream, "iq")
    if answer.get("type") != "result":
        raise stanza_error(answer)
    jid = answer.findtext(f"{{{BIND}}}bind/{{{BIND}}}jid")
    assert jid, to_text(answer)
    return jid


async def expect(stream: XmlStream, name: str) -> Element:
    """Return the next element, which must have this name."""
    element = await stream.next()
    if local_name(element) != name:
        raise LoginFailed(f"{name} expected, got {to_text(element)}")
    return element
