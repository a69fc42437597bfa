"""The application servers: POSTs with every kind of TTL, Topic and Urgency, and some DELETEs."""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import time
from collections.abc import Callable, Sequence

import httpx

from tests.soak.ledger import UNKNOWN, Application, Ledger, Posted, hashed
from tests.soak.rows import URGENCIES

#: Answers that are no bug: accepted, revoked, draining or a store in trouble.
EXPECTED = {201, 410, 503}
#: Seconds a message may live if it is to live short.
SHORT = (2, 15)
LONG = 86_400
#: One line for each request would bury what matters.
logging.getLogger("httpx").setLevel(logging.WARNING)


class Senders:
    """A few senders that share the connections. `apps` says who can be posted to right now."""

    def __init__(
        self, ledger: Ledger, apps: Callable[[], Sequence[Application]], seed: str, rate: float
    ) -> None:
        self._ledger = ledger
        self._apps = apps
        self._random = random.Random(seed)
        self._pause = 1 / rate
        self._numbers = itertools.count(1)
        self._stopping = False
        self._deletes: set[asyncio.Task[None]] = set()
        self._client = httpx.AsyncClient(
            trust_env=False,
            verify=False,
            timeout=30,
            limits=httpx.Limits(max_connections=16, keepalive_expiry=2),
        )

    async def run(self, senders: int = 4) -> None:
        """Post until stop()."""
        await asyncio.gather(*(self._keep_posting(self._pause * senders) for _ in range(senders)))

    async def _keep_posting(self, pause: float) -> None:
        while not self._stopping:
            apps = [app for app in self._apps() if not app.ended and app.endpoint]
            # The first few are busy ones: their quotas fill while their phones are away.
            app = self._random.choice(apps[:: self._random.choice([1, 1, 5])] or apps)
            await self.post(app)
            await asyncio.sleep(self._random.uniform(0, 2 * pause))

    async def post(self, app: Application, *, plain: bool = False) -> Posted:
        """Post one message; `plain`: with a long TTL and nothing else. Return what came of it."""
        number = next(self._numbers)
        body = b"%d " % number + self._random.randbytes(self._random.choice([10, 100, 900, 4000]))
        post = Posted(number, app, hashed(body), LONG, "", "normal", time.time())
        if not plain:
            self._vary(post)
        self._ledger.posts.append(post)
        headers = {"TTL": str(post.ttl), "Urgency": post.urgency}
        if post.topic:
            headers["Topic"] = post.topic
        try:
            answer = await self._client.post(app.endpoint, content=body, headers=headers)
        except httpx.ConnectError:
            self._ledger.posts.remove(post)  # nobody listened: it was not posted
            await asyncio.sleep(0.1)
            return post
        except httpx.TransportError:
            post.answered_at = time.time()
            self._ledger.statuses[UNKNOWN] += 1
            return post
        self._note(post, answer)
        if post.uid and not plain and self._random.random() < 0.05:
            task = asyncio.create_task(self._delete(post, answer.headers["Location"]))
            self._deletes.add(task)
            task.add_done_callback(self._deletes.discard)
        return post

    def _vary(self, post: Posted) -> None:
        chance = self._random.random()
        if chance < 0.25:
            post.ttl = 0 if chance < 0.1 else self._random.randint(*SHORT)
        post.urgency = self._random.choice(URGENCIES)
        if self._random.random() < 0.15:
            post.topic = self._random.choice(["news", "mail", "call"])

    def _note(self, post: Posted, answer: httpx.Response) -> None:
        post.answered_at = time.time()
        post.status = answer.status_code
        self._ledger.statuses[post.status] += 1
        if post.status not in EXPECTED:
            self._ledger.complain(f"a POST was answered {post.status}: {answer.text[:200]}")
        elif post.status == 410:
            post.app.ended = True
            if not post.app.told_at:
                self._ledger.complain(f"410 for an endpoint that {post.app.phone} still knows")
        elif post.status == 201:
            post.uid = answer.headers["Location"].rpartition("/")[2]
            if answer.headers["TTL"] != str(post.ttl):
                self._ledger.complain(f"{post.uid}: TTL {post.ttl}, got {answer.headers['TTL']}")

    async def _delete(self, post: Posted, location: str) -> None:
        """Take a message back, at once or after a while."""
        await asyncio.sleep(self._random.choice([0, 0.01, 0.5, 4]))
        try:
            post.deleted = (await self._client.delete(location)).status_code
        except httpx.ConnectError:
            return  # nobody listened
        except httpx.TransportError:
            post.deleted = UNKNOWN
            return
        if post.deleted not in (204, 404, 503):
            self._ledger.complain(f"{post.uid}: DELETE was answered {post.deleted}")

    def stop(self) -> None:
        """Let run() end after the POSTs that are under way."""
        self._stopping = True

    async def finish(self) -> None:
        """Wait for the DELETEs that are under way."""
        if self._deletes:
            await asyncio.wait(self._deletes)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
