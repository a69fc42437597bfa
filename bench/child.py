"""A process of the bench's own that is asked by a line of JSON and answers with one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import IO, Any, Self

PROJECT = Path(__file__).resolve().parents[1]


class Child:
    """`python -m MODULE`, from `with` to the end of `with`."""

    def __init__(self, module: str) -> None:
        self.module = module
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", self.module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
        )
        return self

    def __exit__(self, *_error: object) -> None:
        process = self._running()
        self._pipe(process.stdin).close()  # the end of its questions is its end
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._pipe(process.stdout).close()

    @property
    def running(self) -> bool:
        """Return whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._running().pid

    def tell(self, **question: object) -> None:
        """Send a question; its answer is to be fetched with answer()."""
        pipe = self._pipe(self._running().stdin)
        pipe.write(json.dumps(question) + "\n")
        pipe.flush()

    def answer(self) -> Any:
        """Wait for the answer to the oldest question."""
        line = self._pipe(self._running().stdout).readline()
        if not line:
            raise SystemExit(f"{self.module} has ended; its last words are above")
        return json.loads(line)

    def ask(self, **question: object) -> Any:
        """Send a question and wait for its answer."""
        self.tell(**question)
        return self.answer()

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise RuntimeError(f"{self.module} was not started")
        return self._process

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        if pipe is None:
            raise RuntimeError("opened without a pipe")
        return pipe
