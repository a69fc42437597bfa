"""mod_unified_push in an ejabberd.yml."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from pushprovider.peerconfig.result import BadConfig, Migrated

MODULE = "mod_unified_push"
#: The path under which this server knows ejabberd's endpoints: PUBLIC_URL/up/push/TOKEN.
_MOUNT = "/up"
_KEY = re.compile(r"[A-Za-z0-9_-]+={0,2}", re.ASCII)
_USUAL = {"https": 443, "http": 80}


def migrate(config: dict[str, Any], wanted: str = "") -> Migrated:
    """Return the settings that the file comes to, for the host `wanted` if several have the module.

    Raises BadConfig.
    """
    hosts = _hosts_with_module(config)
    if wanted:
        hosts = {name: options for name, options in hosts.items() if name == wanted.lower()}
    if not hosts:
        raise BadConfig(
            f"there is no host with {MODULE}" + (f" called {wanted}." if wanted else ".")
        )
    migrated = Migrated()
    if config.get("include_config_file"):
        migrated.note("include_config_file was not followed: give that file, too, if it matters.")
    migrated.note(
        "XMPP_COMPONENT_JID is for you to choose, such as up."
        f"{next(iter(hosts))}, with XMPP_COMPONENT_SECRET and a listener of its own in "
        "ejabberd.yml (deploy/ejabberd.yml). Phones know the module as the host itself, which a "
        "component cannot be called: old endpoints go on working until they expire, at most a day, "
        "and users must type the new name into their phones."
    )
    for name, options in hosts.items():
        _key(name, options, migrated)
    _address(config, hosts, migrated)
    migrated.set("REGISTRATION_ACL", *hosts)
    migrated.note(
        "REGISTRATION_ACL has your hosts; the module itself took users of every server. * does."
    )
    migrated.note(
        "LEGACY_UNTIL: endpoints of this module live for a day at most, 15 minutes usually."
    )
    return migrated


def _hosts_with_module(config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the module's options by host."""
    listed = config.get("hosts")
    names = (
        [one.lower() for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
    )
    if not names:
        raise BadConfig("there is no list of hosts in it.")
    found = {}
    for name in names:
        modules = dict(_mapping(config.get("modules")))
        for section in ("host_config", "append_host_config"):
            own = _mapping(_mapping(config.get(section)).get(name))
            modules |= _mapping(own.get("modules"))
        if MODULE in modules:
            found[name] = _mapping(modules[MODULE])
    return found


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _key(host: str, options: dict[str, Any], migrated: Migrated) -> None:
    jwk = options.get("jwk")
    if jwk is None:
        migrated.note(
            f"{host} has no jwk: ejabberd made up a key when it started, so its endpoints end with "
            "it. Phones get new ones when they register."
        )
        return
    key = _mapping(jwk).get("k")
    if _mapping(jwk).get("kty") != "oct" or not isinstance(key, str) or not _KEY.fullmatch(key):
        migrated.note(f"The jwk of {host} is left out: it is not {{kty: oct, k: base64url}}.")
        return
    migrated.set("LEGACY_EJABBERD_KEYS", key)


def _address(config: dict[str, Any], hosts: dict[str, dict[str, Any]], migrated: Migrated) -> None:
    """PUBLIC_URL: what endpoints out there begin with."""
    host, options = next(iter(hosts.items()))
    url = options.get("push_url")
    start = url if isinstance(url, str) and url not in ("", "auto") else _guessed(config)
    if not start:
        migrated.note(f"PUBLIC_URL: no listener has {MODULE} among its request_handlers.")
        return
    start = start.replace("@HOST@", host).rstrip("/")
    parts = urlsplit(start)
    if parts.scheme not in _USUAL or not parts.netloc:
        raise BadConfig("push_url is no URL.")
    authority = parts.netloc.removesuffix(f":{_USUAL[parts.scheme]}")
    migrated.set("PUBLIC_URL", f"{parts.scheme}://{authority}")
    migrated.note(f"Endpoints out there begin with {start}/push/: let them reach this server.")
    if parts.path != _MOUNT:
        migrated.note(
            f"Their path is {parts.path or '/'}: let the reverse proxy pass {parts.path}/push/ on "
            f"as {_MOUNT}/push/."
        )


def _guessed(config: dict[str, Any]) -> str:
    """Return the URL that the module itself makes of its listener, or ""."""
    listeners = config.get("listen")
    for listener in listeners if isinstance(listeners, list) else []:
        handlers = _mapping(_mapping(listener).get("request_handlers"))
        for path, module in handlers.items():
            if module == MODULE and isinstance(path, str):
                scheme = "https" if listener.get("tls") is True else "http"
                return f"{scheme}://@HOST@:{listener.get('port')}/{path.strip('/')}"
    return ""
