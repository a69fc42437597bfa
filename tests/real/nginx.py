"""nginx in front of the product: deploy/nginx.conf as it is, and with one mistake each.

One nginx serves all of them, each site on a port of its own.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.real.certificates import Authority
from tests.real.ports import LOOPBACK, answers, free_port
from tests.real.process import ManagedProcess, plain_environment
from tests.real.provider import PROJECT

EXAMPLE = PROJECT / "deploy" / "nginx.conf"
MAIN = """\
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {sites}
}}
"""


@dataclass(frozen=True)
class Site:
    """A server block: the example with each `old` replaced by its `new`, which must be there."""

    name: str
    changes: Sequence[tuple[str, str]] = ()
    days: float = 90  # that its certificate lasts
    host: str = "localhost"  # that it is made for
    by_itself: bool = False  # signed by itself
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"


class Nginx:
    """One nginx with many sites, all in front of one web process."""

    def __init__(self, folder: Path, upstream: int, sites: Sequence[Site]) -> None:
        self.authority = Authority(folder)
        self.sites = {site.name: site for site in sites}
        self.plain_port = free_port()
        shared, server, plain = example(upstream)
        text = shared + "".join(self._site(server, site, folder) for site in sites)
        text += _only_ipv4(plain.replace("listen 80;", f"listen {LOOPBACK}:{self.plain_port};"))
        config = folder / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        config.write_text(MAIN.format(user=user, folder=folder, sites=text), encoding="utf-8")
        program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program, "nginx is missing: run tests/install-parts.sh"
        self.process = ManagedProcess(
            "nginx",
            [program, "-p", str(folder), "-c", str(config)],
            plain_environment(),
            folder,
            folder / "nginx.log",
        )

    def start(self) -> None:
        """Start it and return when it answers."""
        ports = [site.port for site in self.sites.values()]
        self.process.start(lambda: all(answers(port) for port in ports))

    def stop(self) -> None:
        """Stop it."""
        self.process.terminate()

    def _site(self, server: str, site: Site, folder: Path) -> str:
        files = self.authority.certificate(
            site.name, site.host, site.days, by_itself=site.by_itself
        )
        for old, new in site.changes:
            assert old in server, f"{site.name}: the example has no {old!r}"
            server = server.replace(old, new)
        for old, new in (
            ("/etc/ssl/push.example.org/fullchain.pem", str(files[0])),
            ("/etc/ssl/push.example.org/privkey.pem", str(files[1])),
            ("/var/log/nginx/", f"{folder}/"),
            ("push.example.org", "localhost"),
            ("listen 443 ssl", f"listen {LOOPBACK}:{site.port} ssl"),
        ):
            assert old in server, f"the example has no {old!r}"
            server = server.replace(old, new)
        return _only_ipv4(server)


def _only_ipv4(server: str) -> str:
    return re.sub(r" *listen \[::\].*\n", "", server)


def example(upstream: int) -> tuple[str, str, str]:
    """Return deploy/nginx.conf in three parts: what stands once, the servers for https and http."""
    text = EXAMPLE.read_text(encoding="utf-8")
    shared, server, plain = re.split(r"(?m)^(?=server \{)", text)
    assert "127.0.0.1:8000" in shared
    return shared.replace("127.0.0.1:8000", f"{LOOPBACK}:{upstream}"), server, plain
