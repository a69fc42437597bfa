"""A private Prosody on loopback: one host, one component, one user, no TLS, its own data folder."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pushprovider.demo.children import (
    Child,
    Children,
    DemoFailed,
    accepts,
    base_environment,
    free_port,
    wait_for,
)

HOST = "localhost"
COMPONENT = "up.localhost"

# Only what a phone and a component need. s2s is off: this server speaks to nobody else.
_CONFIG = """\
daemonize = false
run_as_root = {run_as_root}
pidfile = {pidfile}
data_path = {data}
log = {{ info = "*console" }}
-- Without this, a push may wait up to 40 ms for the kernel to fill a packet.
network_settings = {{ nagle = false }}

interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {client_port} }}
component_ports = {{ {component_port} }}
component_interfaces = {{ "127.0.0.1" }}

modules_enabled = {{ "saslauth", "roster", "disco", "ping", "smacks", "offline" }}
modules_disabled = {{ "s2s", "s2s_auth_certs" }}

-- Loopback only: there is nobody to hide from.
c2s_require_encryption = false
authentication = "internal_plain"

VirtualHost "{host}"
Component "{component}"
    component_secret = {secret}
"""


@dataclass(frozen=True)
class Prosody:
    """Where the private server listens, and the one user it has."""

    folder: Path
    client_port: int
    component_port: int
    component_secret: str
    user: str
    password: str

    @property
    def jid(self) -> str:
        """Return the user's bare JID."""
        return f"{self.user}@{HOST}"


def prepare(folder: Path, component_secret: str, user: str, password: str) -> Prosody:
    """Write the configuration and the user's account."""
    server = Prosody(folder, free_port(), free_port(), component_secret, user, password)
    data = folder / "data"
    accounts = data / HOST / "accounts"
    accounts.mkdir(parents=True)
    (folder / "certs").mkdir()  # empty; Prosody complains when it is missing
    (accounts / f"{user}.dat").write_text(
        f'return {{ ["password"] = {_lua(password)} }};\n', encoding="ascii"
    )
    config = _CONFIG.format(
        run_as_root="true" if os.geteuid() == 0 else "false",
        pidfile=_lua(str(folder / "prosody.pid")),
        data=_lua(str(data)),
        client_port=server.client_port,
        component_port=server.component_port,
        host=HOST,
        component=COMPONENT,
        secret=_lua(component_secret),
    )
    (folder / "prosody.cfg.lua").write_text(config, encoding="utf-8")
    return server


async def start(children: Children, server: Prosody) -> Child:
    """Start it, and return when both of its ports answer."""
    program = shutil.which("prosody")
    if program is None:
        raise DemoFailed("Prosody is not installed. Run: sudo apt-get install -y prosody")
    argv = [program, "-F", "--config", str(server.folder / "prosody.cfg.lua")]
    child = children.start("prosody", argv, base_environment(), server.folder)

    async def both_ports_answer() -> bool:
        return accepts(server.client_port) and accepts(server.component_port)

    await wait_for(child, "Prosody's start", both_ports_answer)
    return child


def _lua(text: str) -> str:
    """Quote a string for Lua."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
