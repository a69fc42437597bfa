"""Child processes: started with a log file each, waited for, and stopped by their own ids."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: How long a child may take from SIGTERM to its end before it is killed.
STOP_SECONDS = 10.0
_POLL_SECONDS = 0.05
_TAIL_LINES = 20


class DemoFailed(Exception):
    """The demo cannot go on. The text is for the person in front of the terminal."""


@dataclass(frozen=True)
class Child:
    """A running process and the file that holds its output."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def output(self) -> str:
        """Return everything the process has written so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def tail(self) -> str:
        """Return the last lines of the log, indented, with a headline."""
        lines = self.output().splitlines()[-_TAIL_LINES:] or ["(nothing)"]
        return "\n".join([f"Last lines of {self.name}:", *(f"  {line}" for line in lines)])

    def check(self) -> None:
        """Raise DemoFailed if the process has ended."""
        code = self.process.poll()
        if code is not None:
            raise DemoFailed(f"{self.name} ended by itself ({_exit(code)}).\n{self.tail()}")


class Children:
    """All processes of one demo."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[Child] = []

    def start(self, name: str, argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> Child:
        """Start a process that stays."""
        log = self._logs / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C at the terminal is for the demo; it stops its children itself, in order.
                start_new_session=True,
            )
        child = Child(name, process, log)
        self._running.append(child)
        return child

    async def run(
        self, name: str, argv: Sequence[str], env: Mapping[str, str], cwd: Path, seconds: float
    ) -> None:
        """Run a process to its end; anything but exit code 0 is a failure."""
        child = self.start(name, argv, env, cwd)
        deadline = time.monotonic() + seconds
        while (code := child.process.poll()) is None:
            if time.monotonic() > deadline:
                raise DemoFailed(f"{name} did not end within {seconds:.0f} s.\n{child.tail()}")
            await asyncio.sleep(_POLL_SECONDS)
        self._running.remove(child)
        if code != 0:
            raise DemoFailed(f"{name} failed ({_exit(code)}).\n{child.tail()}")

    def check(self) -> None:
        """Raise DemoFailed if any process has ended."""
        for child in self._running:
            child.check()

    def stop(self) -> None:
        """Stop everything, the last one started first."""
        while self._running:
            child = self._running.pop()
            if child.process.poll() is None:
                child.process.terminate()
                try:
                    child.process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    child.process.kill()
                    child.process.wait()


async def wait_for(
    child: Child, what: str, ready: Callable[[], Awaitable[bool]], seconds: float = 30.0
) -> None:
    """Return as soon as `ready` says so; raise DemoFailed when the child ends or time is up."""
    deadline = time.monotonic() + seconds
    while not await ready():
        child.check()
        if time.monotonic() > deadline:
            raise DemoFailed(f"{what} took longer than {seconds:.0f} s.\n{child.tail()}")
        await asyncio.sleep(_POLL_SECONDS)


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(port: int) -> bool:
    """Say whether 127.0.0.1:port can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def accepts(port: int) -> bool:
    """Say whether somebody listens on 127.0.0.1:port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def base_environment() -> dict[str, str]:
    """Return what a child needs of our own environment: where programs are, and the locale."""
    kept = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _exit(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
