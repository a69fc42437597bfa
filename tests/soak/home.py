"""The light phones' process, as the measurements drive it."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from tests.real.process import plain_environment
from tests.real.prosody import Prosody
from tests.real.provider import PROJECT
from tests.real.waiting import eventually


class Home:
    """The phones' process (light.py)."""

    async def open(self, server: Prosody, phones: int) -> list[str]:
        """Start it; every phone logs in, registers and is online. Return the endpoints."""
        users = [f"user{number}" for number in range(phones)]
        for user in users:
            server.add_user(user, "secret")
        self._child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.soak.light"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=PROJECT,
            env=plain_environment(),
            limit=2**28,
        )
        await self.do("move in", users=users, port=server.c2s_port, component=server.component_jid)
        await self.do("come")
        await self.do("greet")
        endpoints: list[str] = await self.do("register")
        return endpoints

    async def do(self, what: str, **more: object) -> Any:
        """Ask for something and return the answer."""
        assert self._child.stdin
        assert self._child.stdout
        self._child.stdin.write(json.dumps({"do": what, **more}).encode() + b"\n")
        answer = await self._child.stdout.readline()
        assert answer, "the phones' process has died"
        return json.loads(answer)

    async def received(self, number: int, seconds: float = 300) -> float:
        """Wait until so many pushes came since collect(); return the seconds it took."""
        begin = time.monotonic()

        async def enough() -> bool:
            return int(await self.do("count")) >= number

        await eventually(enough, seconds, f"{number} pushes arrive")
        return time.monotonic() - begin

    async def close(self) -> None:
        """End it."""
        assert self._child.stdin
        self._child.stdin.close()
        await self._child.wait()
