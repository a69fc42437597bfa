"""up's config.json."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from pushprovider.peerconfig.result import BadConfig, Migrated

#: RFC 6570 templates of `registration.uri` whose endpoints need no help from the reverse proxy.
_TEMPLATE = "/push/{token}"


def migrate(config: dict[str, Any]) -> Migrated:
    """Return the settings that up's configuration comes to. Raises BadConfig."""
    component, registration, web = (
        _part(config, name) for name in ("component", "registration", "webServer")
    )
    migrated = Migrated()
    migrated.set("XMPP_COMPONENT_JID", _text(component, "component", "jid"))
    migrated.set("XMPP_COMPONENT_SECRET", _text(component, "component", "sharedSecret"))
    migrated.set("XMPP_COMPONENT_HOST", _text(component, "component", "hostname"))
    migrated.set("XMPP_COMPONENT_PORT", str(_port(component, "component")))
    _public_url(_text(registration, "registration", "uri"), migrated)
    migrated.set("REGISTRATION_ACL", "*")
    migrated.note("REGISTRATION_ACL=* lets everybody register, as up did. Narrow it if you can.")
    migrated.set("LEGACY_UP_SECRETS", _secret(_text(registration, "registration", "sharedSecret")))
    migrated.note(
        "LEGACY_UNTIL: up's endpoints live for 7 days. Set it to the eighth day after the switch."
    )
    if web:
        address = f"BIND={_text(web, 'webServer', 'ip')} PORT={_port(web, 'webServer')}"
        migrated.note(f"The reverse proxy finds the web process where up was: make run {address}")
    return migrated


def _part(config: dict[str, Any], name: str) -> dict[str, Any]:
    part = config.get(name, {} if name == "webServer" else None)
    if not isinstance(part, dict):
        raise BadConfig(f"up's configuration lacks the object {name!r}.")
    return part


def _text(part: dict[str, Any], where: str, name: str) -> str:
    value = part.get(name)
    if not isinstance(value, str) or not value.strip():
        raise BadConfig(f"up's configuration: {where}.{name} must be a text.")
    return value


def _port(part: dict[str, Any], where: str) -> int:
    value = part.get("port")
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65535:
        raise BadConfig(f"up's configuration: {where}.port must be a port.")
    return value


def _secret(text: str) -> str:
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        octets = b""
    if len(octets) != 32:
        raise BadConfig(
            "up's configuration: registration.sharedSecret must be the base64 of 32 bytes."
        )
    return text


def _public_url(template: str, migrated: Migrated) -> None:
    start = template.partition("{")[0]
    if not start.startswith(("http://", "https://")) or "{" not in template:
        raise BadConfig(
            "up's configuration: registration.uri must be a URL with {token}, "
            "such as https://push.example.org/push/{token}."
        )
    if template.endswith(_TEMPLATE):
        migrated.set("PUBLIC_URL", template.removesuffix(_TEMPLATE))
        return
    scheme, _, rest = start.partition("://")
    migrated.set("PUBLIC_URL", f"{scheme}://{rest.partition('/')[0]}")
    migrated.note(
        f"Endpoints out there look like {template}: let the reverse proxy pass them on as /push/"
        "TOKEN, as it did for up."
    )
