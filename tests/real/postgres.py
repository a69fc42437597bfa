"""A private PostgreSQL: its own data folder, a Unix socket, and a TCP port if asked for one."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from tests.real.ports import LOOPBACK, free_port
from tests.real.process import ManagedProcess, as_user, plain_environment

#: Where Debian keeps the server's programs; the newest version first.
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
#: PostgreSQL refuses to run as root: then it runs as the user that its package made.
USER = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name

#: Nothing here outlives a power cut, so that tests need not wait for a disk.
CAREFREE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class Postgres:
    """PostgreSQL in the foreground. `durable`: as in service, with every commit on the disk."""

    def __init__(self, *, durable: bool = False, tcp: bool = False) -> None:
        assert PROGRAMS, "postgresql is missing: run tests/install-parts.sh"
        # Short, as a socket's path has a limit; and where another user may go.
        self.folder = Path(tempfile.mkdtemp(prefix="pp-pg-", dir="/tmp"))
        shutil.chown(self.folder, USER)
        self._data = self.folder / "data"
        self.port = free_port() if tcp else 5432  # of the socket's name, if nothing else
        settings = {
            "unix_socket_directories": str(self.folder),
            "listen_addresses": LOOPBACK if tcp else "",
            "port": str(self.port),
            "shared_buffers": "32MB",
            **({} if durable else CAREFREE),
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.process = ManagedProcess(
            "postgresql",
            [str(PROGRAMS[0] / "postgres"), "-D", str(self._data), *options],
            plain_environment() | {"HOME": str(self.folder)},
            self.folder,
            self.folder / "log",
            user=USER,
        )

    def start(self) -> None:
        """Start it, unless it runs, and return when it can be used."""
        if self.process.running:
            return
        if not self._data.exists():
            command = [PROGRAMS[0] / "initdb", "-D", self._data, "-U", USER, "-A", "trust"]
            subprocess.run(
                [*map(str, command), "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"],
                check=True,
                stdout=subprocess.DEVNULL,
                cwd=self.folder,
                **as_user(USER),
            )
        self.process.start(self._answers)

    def stop(self) -> None:
        """Stop it in good order, whoever is connected ("fast shutdown")."""
        if self.process.running:
            os.kill(self.process.pid, signal.SIGINT)
            self.process.wait_exit()

    def kill(self) -> None:
        """Kill it (SIGKILL)."""
        self.process.kill()

    def remove(self) -> None:
        """Kill it and delete everything."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.folder / f".s.PGSQL.{self.port}"

    def url(self, database: str, *, tcp_port: int = 0) -> str:
        """Return DATABASE_URL of one of its databases: by socket, or by TCP to a port."""
        if tcp_port:
            return f"postgres://{USER}@{LOOPBACK}:{tcp_port}/{database}"
        return f"postgres://{USER}@{quote(str(self.folder), safe='')}:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """Return a connection of the operator's own, in autocommit."""
        return psycopg.connect(
            host=str(self.folder), port=self.port, user=USER, dbname=database, autocommit=True
        )

    def create(self, database: str, template: str = "template1") -> None:
        """Make a database, as a copy of another."""
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        names = sql.Identifier(database), sql.Identifier(template)
        with self.connect() as operator:
            operator.execute(statement.format(*names))

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True


@cache
def shared() -> Postgres:
    """Return the one that all tests of this process share, each with its own database.

    It has a folder but is not started: the settings must name it before anything runs.
    """
    made = Postgres()
    atexit.register(made.remove)
    return made
