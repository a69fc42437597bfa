"""A daphne whose port its parent holds, as systemd does with socket activation."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Self

from tests.real.ports import LOOPBACK
from tests.real.provider import PROJECT, Provider

#: systemd gives the socket as descriptor 3 and says so in LISTEN_FDS and LISTEN_PID.
LAUNCH = """\
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
os.execv(sys.argv[2], sys.argv[2:])
"""


class ActivatedHttp:
    """The provider's web process, behind a socket that outlives it."""

    def __init__(self, provider: Provider, folder: Path) -> None:
        self._provider = provider
        self._log = folder / "activated.log"
        self._listening = socket.create_server((LOOPBACK, provider.port), backlog=1024)
        self._ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ear.bind(str(provider.run_dir / "notify"))
        self._ear.settimeout(30)
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
        self._listening.close()
        self._ear.close()

    def start(self) -> None:
        """Start it and return when it says that it is ready."""
        descriptor = self._listening.fileno()
        daphne = [sys.executable, "-m", "daphne", "-v", "0", "--fd", "3"]
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    LAUNCH,
                    str(descriptor),
                    *daphne,
                    "upconfig.asgi:application",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._provider.env
                | {"NOTIFY_SOCKET": str(self._provider.run_dir / "notify")}
                | {"WATCHDOG_USEC": "200000"},
                cwd=PROJECT,
                pass_fds=(descriptor,),
            )
        while self.heard() != "READY=1":
            pass

    def stop(self) -> int:
        """Stop it (SIGTERM) and return its exit code."""
        assert self._child is not None, "it was never started"
        self._child.terminate()
        return self._child.wait(20)

    def heard(self) -> str:
        """Return the next thing that it tells systemd."""
        return self._ear.recv(200).decode()

    def log_text(self) -> str:
        """Return what it logged."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""
