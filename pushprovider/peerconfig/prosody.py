"""The unified_push options of a Prosody configuration file."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pushprovider.peerconfig.lua import Host, Include, Reader
from pushprovider.peerconfig.luavalues import UNKNOWN
from pushprovider.peerconfig.result import BadConfig, Migrated

MODULE = "unified_push"
#: Prosody's own defaults: seconds that a registration lasts, ports, where it keeps its data.
_TTL = 86_400
_HTTPS, _HTTP = 5281, 5280
_DATA = "/var/lib/prosody"
#: REGISTRATION_TTL's default: a shorter one would only make phones renew more often.
_OUR_TTL = 2_592_000


def migrate(text: str, include: Include, wanted: str = "") -> Migrated:
    """Return the settings that the file comes to, for the host `wanted` if several have the module.

    `include` returns the texts of the files that an Include names. Raises BadConfig.
    """
    reader = Reader(include)
    reader.read(text)
    migrated = Migrated(notes=list(reader.notes))
    host = _chosen([one for one in reader.hosts if _has_module(one, reader.hosts[0])], wanted)
    options = _Options(reader.hosts[0].options | host.options, migrated)
    if host.kind == "Component":
        _component(host, options, migrated)
    else:
        _virtual_host(host, migrated)
    _acl(host, options, migrated)
    _tokens(host, options, _address(host, options, migrated), migrated)
    return migrated


class _Options:
    """A host's options, the global ones below them, by type."""

    def __init__(self, values: dict[str, Any], migrated: Migrated) -> None:
        self._values = values
        self._migrated = migrated

    def get(self, name: str) -> Any:
        """Return an option's value; None without it, or, with a note, if only Lua could tell."""
        value = self._values.get(name)
        if value is UNKNOWN:
            self._migrated.note(f"{name} is left out: its value is Lua code, which is not run.")
            return None
        return value

    def text(self, name: str) -> str:
        value = self.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str, default: int) -> int:
        value = self.get(name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if isinstance(value, str) and value.isascii() and value.isdigit():
            return int(value[:15])
        return int(value) if is_number else default

    def words(self, name: str) -> list[str]:
        """Return the texts of a list; one text is a list of one."""
        value = self.get(name)
        found = list(value.values()) if isinstance(value, dict) else [value]
        if UNKNOWN in found:
            self._migrated.note(f"{name}: a part of it is Lua code, which is not run.")
        return [one for one in found if isinstance(one, str)]

    def first_port(self, name: str, default: int) -> int:
        """Return the first port of a list of them; 0 for an empty list."""
        value = self.get(name)
        if isinstance(value, dict):
            value = next(iter(value.values()), 0)
        return value if isinstance(value, int) and 0 <= value <= 65535 else default


def _has_module(host: Host, everywhere: Host) -> bool:
    """True if the module runs on this host; a global `modules_enabled` is for VirtualHosts."""
    if not host.kind:
        return False
    enabled = _names(host.options.get("modules_enabled"))
    if host.kind == "VirtualHost":
        enabled |= _names(everywhere.options.get("modules_enabled"))
    disabled = _names(host.options.get("modules_disabled"))
    return host.module == MODULE or (MODULE in enabled and MODULE not in disabled)


def _names(value: object) -> set[object]:
    return (
        {one for one in value.values() if isinstance(one, str)}
        if isinstance(value, dict)
        else set()
    )


def _chosen(found: list[Host], wanted: str) -> Host:
    if wanted:
        found = [host for host in found if host.name == wanted.lower()]
    if not found:
        where = f"on {wanted}" if wanted else "in this file or what it includes"
        raise BadConfig(f"there is no host with the module {MODULE} {where}.")
    if len(found) > 1:
        names = ", ".join(host.name for host in found)
        raise BadConfig(f"several hosts have the module; choose one with --host: {names}.")
    return found[0]


def _component(host: Host, options: _Options, migrated: Migrated) -> None:
    migrated.set("XMPP_COMPONENT_JID", host.name)
    migrated.note(
        "XMPP_COMPONENT_SECRET is for you to choose. Replace the component in Prosody's "
        f'configuration by: Component "{host.name}" with component_secret = "..." and no module.'
    )
    port = options.first_port("component_ports", 5347)
    if port != 5347:
        migrated.set("XMPP_COMPONENT_PORT", str(port))


def _virtual_host(host: Host, migrated: Migrated) -> None:
    migrated.note(
        f"XMPP_COMPONENT_JID is for you to choose, such as up.{host.name}, with "
        "XMPP_COMPONENT_SECRET and a component in Prosody's configuration. The module ran on a "
        f"VirtualHost, so phones know it as {host.name}, which a component cannot be called: old "
        "endpoints go on working until they expire, and users must type the new name into their "
        "phones before that."
    )
    migrated.note(f'Take "{MODULE}" out of modules_enabled of {host.name}.')


def _acl(host: Host, options: _Options, migrated: Migrated) -> None:
    acl = options.words("unified_push_acl")
    parent = host.name.partition(".")[2] if host.kind == "Component" else host.name
    migrated.set("REGISTRATION_ACL", *(acl or [parent or host.name]))


def _address(host: Host, options: _Options, migrated: Migrated) -> str:
    """Set PUBLIC_URL; return what endpoints out there begin with, without the last slash."""
    paths = options.get("http_paths")
    path = paths.get("push") if isinstance(paths, dict) else None
    path = f"/{path.strip('/')}" if isinstance(path, str) else "/push"
    if path != "/push":
        migrated.note(
            f"Endpoints out there have the path {path} (http_paths): let the reverse proxy pass "
            "it on as /push/."
        )
    url = _external_url(host, options) or _own_url(host, options, migrated)
    migrated.set("PUBLIC_URL", url)
    return url + path


def _external_url(host: Host, options: _Options) -> str:
    url = options.text("http_external_url").rstrip("/").replace("$host", host.name)
    if url and urlsplit(url).scheme not in ("http", "https"):
        raise BadConfig("http_external_url is no URL.")
    return url


def _own_url(host: Host, options: _Options, migrated: Migrated) -> str:
    """Return the URL of Prosody's own HTTP server."""
    https = options.first_port("https_ports", _HTTPS)
    scheme, port = ("https", https) if https else ("http", options.first_port("http_ports", _HTTP))
    url = f"{scheme}://{options.text('http_host') or host.name}"
    if port == (443 if https else 80):
        return url
    migrated.note(
        f"Endpoints out there begin with {url}:{port}/, Prosody's own port: let the reverse proxy "
        "listen there, so that they go on working. PUBLIC_URL may be another one: then new "
        "endpoints begin with that, and what is imported keeps the old one."
    )
    return f"{url}:{port}"


def _tokens(host: Host, options: _Options, url: str, migrated: Migrated) -> None:
    """What keeps the endpoints alive that the module has issued."""
    backend = options.text("unified_push_backend")
    secret = options.text("unified_push_secret")
    if secret:
        migrated.set("LEGACY_PROSODY_JWT_SECRETS", secret)
    elif backend == "jwt":
        migrated.note('unified_push_backend is "jwt", but there is no unified_push_secret to read.')
    command = _import(host, options)
    if backend in ("storage", ""):
        kind = '"storage"' if backend else 'not set, which is "storage" in Prosody 0.12'
        migrated.note(
            f"unified_push_backend is {kind}. Take its endpoints over: {command} --url {url}"
        )
    if backend in ("paseto", ""):
        kind = '"paseto"' if backend else 'not set, which is "paseto" in Prosody 13'
        migrated.note(
            f"unified_push_backend is {kind}. Take its key out of the store: "
            f"{command} --paseto-keys"
        )
    ttl = options.number("unified_push_registration_ttl", _TTL)
    if ttl > _OUR_TTL:
        migrated.set("REGISTRATION_TTL", str(ttl))
    days = -(-ttl // _TTL) + 1
    migrated.note(
        f"LEGACY_UNTIL: endpoints of this module live for {ttl} seconds. Set it to {days} days "
        "after the switch."
    )


def _import(host: Host, options: _Options) -> str:
    """Return the command that takes over what is in Prosody's store."""
    storage, sql = options.get("storage"), options.get("sql")
    if isinstance(storage, dict):
        storage = storage.get(MODULE)
    command = f"manage.py import_prosody --host {host.name} "
    data = options.text("data_path") or _DATA
    if storage != "sql":
        return command + f"--data-path {data}"
    driver = sql.get("driver", "SQLite3") if isinstance(sql, dict) else "SQLite3"
    if driver != "SQLite3":
        return command + f"--csv FILE, with the table prosody exported from {driver}"
    file = sql.get("database") if isinstance(sql, dict) else None
    file = file if isinstance(file, str) else "prosody.sqlite"
    return command + f"--sqlite {file if file.startswith('/') else f'{data}/{file}'}"
