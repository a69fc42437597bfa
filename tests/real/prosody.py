"""A private Prosody on loopback: one host, one component, no TLS, its own data folder."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.real.ports import answers, free_ports
from tests.real.process import ManagedProcess, plain_environment
from tests.real.xmpp_server import COMPONENT_JID, COMPONENT_SECRET, HIBERNATION_SECONDS, HOST

CONFIG = """\
daemonize = false
run_as_root = {run_as_root}
pidfile = {pidfile}
data_path = {data}
log = {{ {log_level} = "*console" }}
interfaces = {{ "127.0.0.1" }}
local_interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {c2s_port} }}
component_ports = {{ {component_port} }}
modules_enabled = {{ "saslauth", "roster", "disco", "ping", "smacks", "offline" }}
modules_disabled = {{ "s2s", "s2s_auth_certs", "tls" }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
smacks_hibernation_time = {hibernation}
{extra}
VirtualHost {host}
Component {component_jid}
    component_secret = {component_secret}
    component_conflict_resolve = {conflict}
"""


class Prosody:
    """Prosody in the foreground. `users` maps names to passwords, `extra` is more configuration.

    `ack_seconds` is how long a resumable phone may leave a request for an ack unanswered,
    `component_stanza_limit` the size in bytes above which a stanza ends the component's stream.
    `keep_old` is Prosody's default: a second connection of a component is refused.
    """

    def __init__(
        self,
        folder: Path,
        *,
        users: Mapping[str, str] | None = None,
        host: str = HOST,
        component_jid: str = COMPONENT_JID,
        component_secret: str = COMPONENT_SECRET,
        hibernation_seconds: int = HIBERNATION_SECONDS,
        ack_seconds: int | None = None,
        component_stanza_limit: int | None = None,
        log_level: str = "debug",
        keep_old: bool = False,
        extra: str = "",
    ) -> None:
        if ack_seconds:  # it asks a silent phone for an ack then, and waits so long again
            extra += f"\nnetwork_settings = {{ read_timeout = {ack_seconds} }}"
        if component_stanza_limit:
            extra += f"\ncomponent_stanza_size_limit = {component_stanza_limit}"
        self.host = host
        self.component_jid = component_jid
        self.component_secret = component_secret
        self.hibernation_seconds = hibernation_seconds
        self.c2s_port, self.component_port = free_ports(2)
        self._conflict = "kick_new" if keep_old else "kick_old"
        self.data = folder / "prosody-data"
        self.data.mkdir(parents=True)
        config = folder / "prosody.cfg.lua"
        config.write_text(self._config(folder, log_level, extra), encoding="utf-8")
        self.process = ManagedProcess(
            "prosody",
            [shutil.which("prosody") or "prosody", "-F", "--config", str(config)],
            plain_environment(),
            folder,
            folder / "prosody.log",
        )
        for name, password in (users or {}).items():
            self.add_user(name, password)

    def start(self) -> None:
        """Start it and return when phones and the component can connect."""
        self.process.start(lambda: answers(self.c2s_port) and answers(self.component_port))

    def stop(self) -> None:
        """Stop it in good order (SIGTERM)."""
        self.process.terminate()

    def kill(self) -> None:
        """Kill it (SIGKILL)."""
        self.process.kill()

    def restart(self) -> None:
        """Stop and start it: same ports, same accounts."""
        self.stop()
        self.start()

    def add_user(self, name: str, password: str) -> None:
        """Make an account, straight in the store: Prosody reads the file at every login."""
        accounts = self.data / _store_name(self.host) / "accounts"
        accounts.mkdir(parents=True, exist_ok=True)
        record = f'return {{ ["password"] = {_lua(password)} }};\n'
        (accounts / f"{_store_name(name)}.dat").write_text(record, encoding="utf-8")

    def log_text(self) -> str:
        """Return everything it logged."""
        return self.process.log_text()

    def _config(self, folder: Path, log_level: str, extra: str) -> str:
        return CONFIG.format(
            run_as_root="true" if os.geteuid() == 0 else "false",
            pidfile=_lua(str(folder / "prosody.pid")),
            data=_lua(str(self.data)),
            log_level=log_level,
            c2s_port=self.c2s_port,
            component_port=self.component_port,
            hibernation=self.hibernation_seconds,
            extra=extra,
            host=_lua(self.host),
            component_jid=_lua(self.component_jid),
            component_secret=_lua(self.component_secret),
            conflict=_lua(self._conflict),
        )


def _store_name(text: str) -> str:
    """Encode a name as Prosody's internal store does: every other byte as %xx."""
    plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return "".join(
        chr(byte) if chr(byte) in plain else f"%{byte:02x}" for byte in text.encode("utf-8")
    )


def _lua(text: str) -> str:
    """Quote a string for Lua; JSON's escapes are Lua's for what is used here."""
    return json.dumps(text, ensure_ascii=False)
