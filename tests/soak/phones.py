"""The population: phones with a character. Each writes into the ledger what it got and said."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time

from tests.real.login import LoginFailed
from tests.real.phone import Phone, Push, StanzaError, random_name
from tests.real.stream import StreamClosed, XmlStream
from tests.real.xmpp_server import XmppServer
from tests.soak.ledger import Application, Ledger, Receipt, hashed

#: What can go wrong with a phone while servers are killed around it.
TROUBLE = (StreamClosed, ConnectionError, OSError, LoginFailed, TimeoutError, StanzaError)
#: Seconds a phone waits before it tries again.
AGAIN = 0.3


class SoakPhone(Phone):
    """A phone that remembers. What it does all day is its character (characters.py)."""

    def __init__(
        self,
        server: XmppServer,
        user: str,
        resource: str,
        *,
        ledger: Ledger,
        seed: str,
        resumable: bool = False,
    ) -> None:
        super().__init__(
            server, user, resource=resource, resumable=resumable, answer=self.say_to_push
        )
        self.name = f"{user}@{server.host}/{resource}"
        self.ledger = ledger
        self.random = random.Random(seed)
        self.apps: list[Application] = []  # those that are installed
        self.all_apps: list[Application] = []
        self.mood = "result"
        self.owed = False  # this session got a push that it never answered
        self._of_names: dict[tuple[str, str], Application] = {}
        self._unanswered: dict[int, Receipt] = {}
        self._kept: list[Receipt] = []  # answered while interrupted: said when the session resumes

    # --- coming and going -------------------------------------------------------------------

    async def come(self, *, resume: bool = False) -> bool:
        """Get online: with the old session if it is wished and possible, else with a new one."""
        if self.connected:
            return True
        with contextlib.suppress(*TROUBLE):
            if resume and self.management:
                with contextlib.suppress(LoginFailed, StreamClosed):
                    await self.resume()
                    self._say_kept()
                    return True
            await self.connect()
            return True
        await asyncio.sleep(AGAIN)
        return False

    async def go(self, how: str) -> None:
        """Leave: "logout", "cut" (FIN) or "reset" (RST)."""
        if not self.connected:
            return
        with contextlib.suppress(ConnectionError):
            await {"logout": self.logout, "cut": self.cut, "reset": self.reset}[how]()

    def on_bound(self) -> None:
        """Note the new session; what a phone was thinking about in the old one is forgotten."""
        self.ledger.session_event("new session", self.name)
        self.owed = False
        self._kept.clear()
        super().on_bound()

    async def _read(self, stream: XmlStream) -> None:
        try:
            await super()._read(stream)
        finally:
            self.ledger.session_event("session interrupted", self.name)

    async def get_honest(self) -> None:
        """Be online and answer everything. A session in which all was answered goes on."""
        owes = self.mood != "result" or self.owed
        self.mood, self.answer_after = "result", 0
        if owes:
            await self.go("logout")
        while not self.connected:
            await self.come(resume=not owes)

    # --- endpoints --------------------------------------------------------------------------

    async def add_app(self) -> Application:
        """Register a new application; try until it works."""
        app = Application(self.name, random_name(), random_name())
        self._of_names[app.application, app.instance] = app
        self.apps.append(app)
        self.all_apps.append(app)
        registered = False
        while not registered:
            registered = await self.renew(app)
            await asyncio.sleep(0 if registered else AGAIN)
        return app

    async def renew(self, app: Application) -> bool:
        """Register the application, perhaps again: the URL must stay. False if it did not work."""
        if not await self.come():
            return False
        try:
            self.ledger.session_event("register", self.name)
            endpoint = (await self.register(app.application, app.instance)).endpoint
        except (*TROUBLE, AssertionError):  # AssertionError: no answer, or the stream has ended
            return False
        finally:
            self.ledger.session_event("register", self.name)
        if app.endpoint not in ("", endpoint):
            self.ledger.complain(f"{self.name}: a renewed endpoint got another URL")
        app.endpoint = endpoint
        return True

    def remove_app(self, app: Application) -> None:
        """Uninstall the application: its pushes get item-not-found from now on."""
        app.removed = True
        self.apps.remove(app)

    # --- pushes -----------------------------------------------------------------------------

    def say_to_push(self, push: Push) -> str:
        """Note a push and return the answer it gets."""
        self.received.clear()  # the ledger remembers
        app = self._of_names.get((push.application, push.instance))
        answer = self.mood
        if self.mood == "moody":
            answer = self.random.choice(["result", "silent", "error:resource-constraint"])
        if app is None or app.removed:
            answer = "item-not-found"
        receipt = Receipt(push.id, self.name, app, hashed(push.payload), time.time(), answer)
        self.ledger.received(receipt)
        self._unanswered[id(push)] = receipt
        return answer

    def answer_push(self, push: Push, answer: str = "result") -> None:
        """Answer, unless the network is gone and there is no session to resume."""
        receipt = self._unanswered.pop(id(push), None)
        if answer == "silent" or not (self.connected or self.management):
            self.owed = True
            return
        super().answer_push(push, answer)
        if receipt is not None and self.connected:
            _said(receipt)
        elif receipt is not None:
            self._kept.append(receipt)

    def _say_kept(self) -> None:
        for receipt in self._kept:
            _said(receipt)
        self._kept.clear()


def _said(receipt: Receipt) -> None:
    """Note that an answer has been written to a stream."""
    receipt.answered_at = time.time()
    if receipt.answer == "item-not-found" and receipt.app and not receipt.app.told_at:
        receipt.app.told_at = receipt.answered_at
