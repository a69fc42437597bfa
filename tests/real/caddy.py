"""Caddy in front of the product: deploy/Caddyfile, with a port and a certificate of the tests'."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.real.certificates import Authority
from tests.real.ports import LOOPBACK, answers, free_ports
from tests.real.process import ManagedProcess, plain_environment
from tests.real.provider import PROJECT

EXAMPLE = PROJECT / "deploy" / "Caddyfile"


class Caddy:
    """One Caddy; `url` leads through it, `plain` is its site for http."""

    def __init__(self, folder: Path, upstream: int) -> None:
        self.authority = Authority(folder)
        port, plain = free_ports(2)
        self._ports = port, plain
        self.url = f"https://localhost:{port}"
        self.plain = f"http://localhost:{plain}"
        certificate = " ".join(map(str, self.authority.certificate("caddy")))
        text = EXAMPLE.read_text(encoding="utf-8")
        for old, new in (
            (r"http://push\.example\.org \{", f"{self.plain} {{"),
            (r"(?m)^push\.example\.org \{", f"{self.url} {{\n\ttls {certificate}"),
            (r"127\.0\.0\.1:8000", f"{LOOPBACK}:{upstream}"),
        ):
            text, number = re.subn(old, new, text)
            assert number == 1, f"the example has no {old}"
        config = folder / "Caddyfile"
        config.write_text(f"{{\n\tadmin off\n\tauto_https off\n}}\n{text}", encoding="utf-8")
        program = shutil.which("caddy")
        assert program, "caddy is missing: run tests/install-parts.sh"
        self.process = ManagedProcess(
            "caddy",
            [program, "run", "--adapter", "caddyfile", "--config", str(config)],
            plain_environment() | {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
            folder,
            folder / "caddy.log",
        )

    def start(self) -> None:
        """Start it and return when it answers."""
        self.process.start(lambda: all(answers(port) for port in self._ports))

    def stop(self) -> None:
        """Stop it."""
        self.process.terminate()
