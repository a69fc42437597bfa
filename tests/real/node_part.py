"""Programs in JavaScript (tests/real/node): JSON in, JSON lines out."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any, Self

from tests.real.process import plain_environment

FOLDER = Path(__file__).parent / "node"


class NodePart:
    """One running script. `next_line()` is its next JSON line; leaving closes its stdin."""

    def __init__(self, script: str, **environment: object) -> None:
        self.script = script
        self._env = plain_environment() | {k: json.dumps(v) for k, v in environment.items()}
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            node(),
            self.script,
            cwd=FOLDER,
            env=self._env,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        return self

    async def __aexit__(self, *_error: object) -> None:
        assert self._process
        assert self._process.stdin
        self._process.stdin.close()  # communicate() leaves it open when it has nothing to write
        try:
            async with asyncio.timeout(10):
                await self._process.communicate()
        finally:
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()

    async def next_line(self, seconds: float = 15) -> dict[str, Any]:
        """Return the next JSON line; fail with what it wrote to stderr if there is none."""
        assert self._process
        assert self._process.stdout
        assert self._process.stderr
        async with asyncio.timeout(seconds):
            line = await self._process.stdout.readline()
            if not line:
                complaint = await self._process.stderr.read()
                raise AssertionError(f"{self.script} ended:\n{complaint.decode()}")
        said: dict[str, Any] = json.loads(line)
        return said

    async def tell(self, order: object) -> None:
        """Write one JSON value to its stdin and close it."""
        assert self._process
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order).encode())
        self._process.stdin.close()
        await self._process.stdin.wait_closed()


def node() -> str:
    """Return the path of node; the packages must be installed, too."""
    program = shutil.which("node")
    assert program, "node is missing. Run: bash tests/install-parts.sh"
    packages = (FOLDER / "node_modules").is_dir()
    assert packages, "npm packages are missing. Run: bash tests/install-parts.sh"
    return program
