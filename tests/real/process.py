"""A child process with a log file: start, wait until it is ready, stop, kill."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.real.waiting import tail, wait_until


class ManagedProcess:
    """One program that can be started again and again; every run adds to the same log file.

    It gets its own process group, so that whatever it started ends with it. When root runs the
    tests it can run as another `user`.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: Path,
        log: Path,
        *,
        user: str | None = None,
    ) -> None:
        self.name = name
        self.argv = list(argv)
        self.env = dict(env)
        self.cwd = cwd
        self.log = log
        self._as_user: dict[str, Any] = as_user(user) if user else {}
        self._child: subprocess.Popen[bytes] | None = None
        self._run_starts_at = 0

    @property
    def running(self) -> bool:
        """Return whether the process is alive."""
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int:
        """Return the process id of the latest run."""
        assert self._child is not None, f"{self.name} was never started"
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """Return the exit code (minus the signal's number if one ended it), None while it runs."""
        return None if self._child is None else self._child.poll()

    def log_text(self) -> str:
        """Return everything that was logged, by all runs."""
        return self._read(0)

    def log_of_this_run(self) -> str:
        """Return what was logged since the latest start()."""
        return self._read(self._run_starts_at)

    def start(self, ready: Callable[[], object] | None = None, seconds: float = 20) -> None:
        """Start it and return once `ready()` is true; a child that dies first is a failure."""
        self.spawn()
        self.wait_ready(ready, seconds)

    def spawn(self) -> None:
        """Start it and return at once."""
        assert not self.running, f"{self.name} runs already"
        self._run_starts_at = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.env,
                cwd=self.cwd,
                start_new_session=True,
                **self._as_user,
            )

    def wait_ready(self, ready: Callable[[], object] | None, seconds: float = 20) -> None:
        """Return once `ready()` is true."""
        if ready is None:
            return

        def ready_or_dead() -> bool:
            return bool(ready()) or not self.running

        wait_until(ready_or_dead, seconds, f"{self.name} is ready", self.log_text)
        if not self.running:
            raise AssertionError(
                f"{self.name} ended with {self.exit_code} while starting:\n{tail(self.log_text())}"
            )

    def wait_exit(self, seconds: float = 15) -> int:
        """Wait until it has ended by itself and return its exit code."""
        assert self._child is not None, f"{self.name} was never started"
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            log = tail(self.log_text())
            raise AssertionError(f"{self.name} did not end within {seconds:g} s:\n{log}") from None

    def terminate(self, seconds: float = 15) -> int | None:
        """Ask it to stop (SIGTERM), return its exit code; one that will not stop is a failure."""
        if self._child is None:
            return None
        self.ask_to_stop()
        try:
            return self.wait_exit(seconds)
        finally:
            self.kill()

    def ask_to_stop(self) -> None:
        """Send SIGTERM and return at once."""
        if self._child and self.running:
            self._child.terminate()

    def kill(self) -> None:
        """End it and everything it started, at once (SIGKILL)."""
        if self._child is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()

    def _read(self, start: int) -> str:
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(start)
            return log.read().decode(errors="replace")


def as_user(name: str) -> dict[str, Any]:
    """Return Popen's arguments to run as this user, if we may choose."""
    if os.geteuid() != 0:
        return {}
    return {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []}


def plain_environment() -> dict[str, str]:
    """Return the few variables a program needs; nothing of the tester's own settings or .env."""
    keep = ("PATH", "HOME", "LANG", "TMPDIR", "COVERAGE_PROCESS_START")
    return {name: os.environ[name] for name in keep if name in os.environ} | {"DOTENV": os.devnull}
