"""A Debian with nothing on it: a container (systemd-nspawn) that boots its own systemd."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.real.waiting import wait_until

ENVIRONMENT = (
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LANG=C.UTF-8",
    "PIP_CERT=/etc/ssl/certs/ca-certificates.crt",
)
MIRROR = "http://deb.debian.org/debian"
SOURCES = f"""
deb {MIRROR} bookworm main
deb http://deb.debian.org/debian-security bookworm-security main
"""
HOSTS = "127.0.0.1 localhost\n127.0.0.1 push.example.org up.example.org example.org\n"
#: Where a machine keeps the authorities that it trusts besides Debian's.
TRUSTED = Path("usr/local/share/ca-certificates")


class Machine:
    """One container in a folder; `source` is seen in there as /src, read-only."""

    def __init__(self, folder: Path, source: Path) -> None:
        self._root = folder / "root"
        self._source = source
        self._log = folder / "console.log"
        self._nspawn: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Install Debian, and what this machine itself knows of names and authorities."""
        packages = "--include=systemd,systemd-sysv,dbus,ca-certificates"
        subprocess.run(
            ["debootstrap", "--variant=minbase", packages, "bookworm", self._root, MIRROR],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        etc = self._root / "etc"
        (etc / "apt" / "sources.list").write_text(SOURCES)
        (etc / "hosts").write_text(HOSTS)
        shutil.copyfile("/etc/resolv.conf", etc / "resolv.conf")
        (self._root / TRUSTED).mkdir(parents=True, exist_ok=True)
        for authority in ("/" / TRUSTED).glob("*.crt"):
            shutil.copy(authority, self._root / TRUSTED)

    def boot(self) -> None:
        """Start it, and return when its systemd has started everything."""
        options = ["--keep-unit", "--register=no", "--console=pipe", "--boot"]
        with self._log.open("wb") as log:
            self._nspawn = subprocess.Popen(
                ["systemd-nspawn", *options, f"--bind-ro={self._source}:/src", "-D", self._root],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_until(self._is_up, 60, "systemd has started", self._log.read_text)

    def run(self, script: str, *, check: bool = True) -> str:
        """Run a script in its bash and return what it printed; -e: the first failure ends it."""
        enter = ["nsenter", f"--target={self._leader()}", "-m", "-u", "-i", "-p", "-C"]
        done = subprocess.run(
            [*enter, "env", "-i", *ENVIRONMENT, "bash", "-ec", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise SystemExit(f"{done.stdout}\nended with {done.returncode}")
        return done.stdout

    def off(self) -> None:
        """Power it off, and return when it has ended."""
        if self._nspawn is not None and self._nspawn.poll() is None:
            self.run("systemctl poweroff", check=False)
            self._nspawn.wait(60)

    def _is_up(self) -> bool:
        """True when everything has started."""
        leader = self._leader()
        if leader == 0 or not Path(f"/proc/{leader}/root/run/systemd/private").exists():
            return False
        return self.run("systemctl is-system-running", check=False).strip() == "running"

    def _leader(self) -> int:
        """Return the process that is the first one in there; 0 as long as there is none."""
        assert self._nspawn is not None, "it is off"
        assert self._nspawn.poll() is None, self._log.read_text()
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children")
        return int((children.read_text().split() or ["0"])[0])
