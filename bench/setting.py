"""Everything up on loopback, in a folder of its own; everything down at the end."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.child import Child
from bench.contenders import Ceiling, Contender, Edition, Peer, Product
from tests.real.ports import free_port
from tests.real.prosody import Prosody
from tests.real.xmpp_server import COMPONENT_SECRET

_PASSWORD = "bench"
#: Seconds that Prosody keeps the session of a sleeping phone: its default.
_HIBERNATION = 600
_CEILING_JID = "ceiling.localhost"
#: What is added to the configuration of the plays' Prosody: no delayed packets.
_NETWORK = """\
network_settings = { nagle = false }
"""
_COMPONENT = """\
Component "{jid}"
    component_secret = "{secret}"
"""
_HTTP = """\
http_ports = {{ {port} }}
https_ports = {{ }}
http_interfaces = {{ "127.0.0.1" }}
"""
_PEER = """\
Component "{jid}" "unified_push"
    unified_push_backend = "{backend}"
    unified_push_secret = "bench-0123456789abcdefghijklmnop"
    unified_push_acl = {{ "localhost" }}
"""


@dataclass(frozen=True)
class Wishes:
    """Who takes part."""

    editions: Sequence[Edition] = ()
    peers: Sequence[str] = ()  # backends of mod_unified_push
    ceiling: bool = False
    components: Sequence[str] = ()  # JIDs of what comes later, with Setting.add()
    phones: int = 64
    delay: float = 0.0  # seconds until a phone answers
    managed: bool = False  # phones with stream management


@dataclass(frozen=True)
class Setting:
    """What a turn needs."""

    folder: Path
    prosody: Prosody
    phones: Child
    load: Child
    contenders: list[Contender] = field(default_factory=list)
    endpoints: dict[str, list[str]] = field(default_factory=dict)  # by contender

    def add(self, contender: Contender) -> None:
        """Start a contender and register every phone with it. Whoever adds it closes it."""
        contender.start()
        jid = contender.component_jid
        self.endpoints[contender.name] = self.phones.ask(do="register", component=jid)
        self.contenders.append(contender)


@contextmanager
def setting(folder: Path, wishes: Wishes) -> Iterator[Setting]:
    """Start Prosody, phones and load, log every phone in; start the contenders."""
    folder.mkdir(exist_ok=True)
    jids = [f"up{number}.localhost" for number, _ in enumerate(wishes.editions)]
    users = {f"phone{number}": _PASSWORD for number in range(wishes.phones)}
    extra = _configuration(wishes, [*jids, *wishes.components])
    prosody = Prosody(
        folder, users=users, extra=extra, hibernation_seconds=_HIBERNATION, log_level="warn"
    )
    contenders: list[Contender] = [
        Product(folder / jid, prosody, jid, edition)
        for jid, edition in zip(jids, wishes.editions, strict=True)
    ]
    contenders += [Peer(prosody, f"{peer}.localhost", peer) for peer in wishes.peers]
    if wishes.ceiling:
        contenders.append(Ceiling(prosody, _CEILING_JID))
    with ExitStack() as stack:
        prosody.start()
        stack.callback(prosody.stop)
        phones = stack.enter_context(Child("bench.phones"))
        load = stack.enter_context(Child("bench.load"))
        kind = {"host": prosody.host, "port": prosody.c2s_port}
        habits = {"delay": wishes.delay, "managed": wishes.managed}
        phones.ask(do="log in", users=list(users.items()), kind=kind | habits)
        here = Setting(folder, prosody, phones, load)
        for contender in contenders:
            stack.callback(contender.close)
            here.add(contender)
        yield here


def _configuration(wishes: Wishes, jids: list[str]) -> str:
    extra = _NETWORK
    if wishes.peers:
        extra += _HTTP.format(port=free_port())
    for peer in wishes.peers:
        extra += _PEER.format(jid=f"{peer}.localhost", backend=peer)
    for jid in [*jids, *([_CEILING_JID] if wishes.ceiling else [])]:
        extra += _COMPONENT.format(jid=jid, secret=COMPONENT_SECRET)
    return extra


def sync_ms(folder: Path, times: int = 50) -> float:
    """Return the median of what one small synced write costs on this disk, in milliseconds."""
    taken = []
    with (folder / "sync").open("wb") as file:
        for _ in range(times):
            before = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - before)
    return sorted(taken)[times // 2] * 1000
