"""A Prosody whose component is its own mod_unified_push, until the operator switches."""

from __future__ import annotations

from pathlib import Path

from tests.real.ports import LOOPBACK, answers
from tests.real.prosody import Prosody

HTTP = """
http_interfaces = {{ "127.0.0.1" }}
http_ports = {{ {port} }}
https_ports = {{ }}
http_default_host = "{jid}"
"""
COMPONENT = """Component "{jid}" "unified_push"
    unified_push_acl = {{ "{host}" }}
    http_external_url = "http://127.0.0.1:{port}/"
{options}
"""


class OldProsody(Prosody):
    """`http_port` is where its endpoints are; `options` are the module's own, as Lua."""

    def __init__(self, folder: Path, http_port: int, options: str = "") -> None:
        super().__init__(folder)
        self.http_port = http_port
        self._file = folder / "prosody.cfg.lua"
        self._new = self._file.read_text(encoding="utf-8")
        names = {"jid": self.component_jid, "host": self.host, "port": http_port}
        before, _, _ = self._new.partition("VirtualHost ")
        self._file.write_text(
            before
            + HTTP.format(**names)
            + f'VirtualHost "{self.host}"\n'
            + COMPONENT.format(options=options, **names),
            encoding="utf-8",
        )

    def start_old(self) -> None:
        """Start it with the module and return when phones and application servers can connect."""
        self.process.start(lambda: answers(self.c2s_port) and answers(self.http_port))

    def switch(self) -> None:
        """Give it a component for us instead, as the guide says; it must be stopped."""
        assert not answers(self.http_port), f"{LOOPBACK}:{self.http_port} is still Prosody's"
        self._file.write_text(self._new, encoding="utf-8")
