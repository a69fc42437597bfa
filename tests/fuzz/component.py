"""The real `runxmppcomponent` at a fake server: what it must still be after every fuzz."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4
from xml.etree.ElementTree import Element

from tests.fuzz.server import Closed, FakeServer
from tests.fuzz.stanzas import COMMANDS, OWN, Made
from tests.fuzz.streams import registers
from tests.real import gauge
from tests.real.gauge import MIB
from tests.real.provider import Provider
from tests.real.waiting import tail, wait_until

INFO = "http://jabber.org/protocol/disco#info"
#: What the process may have grown by in the end.
GROWTH = 48 * MIB
#: Answers may take so long on a busy machine.
PATIENCE = 10.0


class Victim:
    """The process, and its stream to the fake server."""

    def __init__(self, folder: Path) -> None:
        self.server = FakeServer()
        self.provider = Provider(
            folder,
            self.server,  # type: ignore[arg-type]  # it has what Provider asks of it
            settings={"xmpp_admins": "romeo@localhost"},
        )
        self.provider.component.argv[1:2] = ["-m", "tests.fuzz.eager"]
        self.provider.migrate()
        self.provider.component.spawn()
        self.stream = self.server.welcome()
        self._warm_up()
        self._before = self.held()

    @property
    def pid(self) -> int:
        return self.provider.component.pid

    def _warm_up(self) -> None:
        """Let it open what it opens once: each thread has a connection to the database."""
        register = next(registers(1))
        asked = f"<command xmlns='{COMMANDS}' node='my-endpoints'/>"
        self.stream.send(f"{register}<iq type='set' id='c' from='a@b/c' to='{OWN}'>{asked}</iq>")
        waited = [Made("iq", "set", "flood-0", "flood@localhost/x", OWN, register)]
        self.answers([*waited, Made("iq", "set", "c", "a@b/c", OWN, asked)])
        assert self.serves()

    def held(self) -> tuple[int, int]:
        """Return bytes of memory and file descriptors."""
        return gauge.memory(self.pid), gauge.descriptors(self.pid)

    def again(self) -> None:
        """Let it connect again, as it must, and be served."""
        self.stream.close()
        self.stream = self.server.welcome()
        assert self.serves()

    def serves(self) -> bool:
        """Return whether it answers a question (service discovery)."""
        probe = Made("iq", "get", f"probe-{uuid4().hex}", "juliet@localhost/phone", OWN, "")
        xml = f"<iq type='get' id='{probe.id}' from='{probe.sender}' to='{OWN}'>"
        self.stream.send(f"{xml}<query xmlns='{INFO}'/></iq>")
        [answer] = self.answers([probe])
        return answer.get("type") == "result"

    def answers(self, asked: Sequence[Made]) -> list[Element]:
        """Return one answer to each; whatever else comes meanwhile is passed over."""
        waiting = {one.id: one for one in asked}
        found = []
        deadline = time.monotonic() + PATIENCE
        while waiting and (answer := self.stream.next(deadline)) is not None:
            one = waiting.pop(answer.get("id", ""), None)
            if one is not None:
                assert answer.get("type") in ("result", "error")
                assert answer.get("to") == one.sender
                found.append(answer)
        assert not waiting, (
            f"no answer to {[one.xml[:600] for one in waiting.values()][:3]}\n{self.log()}"
        )
        return found

    def play(self, made: Sequence[Made]) -> None:
        """Send stanzas; everything that must be answered is answered, once."""
        for one in made:
            self.stream.send(one.xml)
        asked = [one for one in made if one.must_be_answered]
        try:
            self.answers(asked)
            assert self.serves()
        except Closed:
            raise AssertionError(f"it hung up\n{self.log()}") from None

    def log(self) -> str:
        return tail(self.provider.component.log_text())

    def check(self) -> None:
        """It lives, its log is clean, and it holds no more than before."""
        assert self.provider.component.running, self.log()
        self.provider.assert_clean_logs()
        memory, descriptors = self._before
        wait_until(lambda: self.held()[1] <= descriptors, 10, "descriptors are closed")
        assert self.held()[0] - memory < GROWTH, f"{(self.held()[0] - memory) // MIB} MiB more"

    def close(self) -> None:
        """Stop it in good order: it must."""
        self.stream.close()
        try:
            assert self.provider.component.terminate() == 0, self.log()
        finally:
            self.provider.close()
            self.server.close()


@contextlib.contextmanager
def victim(folder: Path) -> Iterator[Victim]:
    """A process to be tormented; checked and stopped at the end."""
    one = Victim(folder)
    try:
        yield one
        one.check()
    finally:
        one.close()
