"""Everything up on loopback, in a folder of its own; everything down at the end."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.child import Child
from bench.contenders import Contender, Peer, Product
from tests.real.ports import free_port
from tests.real.prosody import Prosody
from tests.real.xmpp_server import COMPONENT_SECRET

_PASSWORD = "bench"
_PEER_JID = "peer.localhost"
#: What is added to the configuration of the plays' Prosody: no debug log, no delayed packets.
_QUIET = """\
log = { warn = "*console" }
network_settings = { nagle = false }
"""
_COMPONENT = """\
Component "{jid}"
    component_secret = "{secret}"
"""
_PEER = """\
http_ports = {{ {port} }}
https_ports = {{ }}
http_interfaces = {{ "127.0.0.1" }}
Component "{jid}" "unified_push"
    unified_push_backend = "{backend}"
    unified_push_secret = "bench-0123456789abcdefghijklmnop"
    unified_push_acl = {{ "localhost" }}
"""


@dataclass(frozen=True)
class Wishes:
    """Who takes part."""

    servers: list[str]
    syncs: list[str]
    peer: bool
    phones: int


@dataclass(frozen=True)
class Setting:
    """What a turn needs."""

    folder: Path
    prosody: Prosody
    phones: Child
    load: Child
    contenders: list[Contender]
    endpoints: dict[str, list[str]]  # by contender


@contextmanager
def setting(folder: Path, wishes: Wishes) -> Iterator[Setting]:
    """Start Prosody, the contenders, phones and load; log in and register every phone."""
    kinds = [(server, sync) for server in wishes.servers for sync in wishes.syncs]
    jids = [f"up{number}.localhost" for number, _ in enumerate(kinds)]
    extra = _QUIET
    if wishes.peer:
        extra += _PEER.format(jid=_PEER_JID, port=free_port(), backend="storage")
    for jid in jids:
        extra += _COMPONENT.format(jid=jid, secret=COMPONENT_SECRET)
    users = {f"phone{number}": _PASSWORD for number in range(wishes.phones)}
    prosody = Prosody(folder, users=users, extra=extra)
    contenders: list[Contender] = [
        Product(folder / jid, prosody, jid, server, sync)
        for jid, (server, sync) in zip(jids, kinds, strict=True)
    ]
    if wishes.peer:
        contenders.append(Peer(prosody, _PEER_JID, "storage"))
    with ExitStack() as stack:
        prosody.start()
        stack.callback(prosody.stop)
        for contender in contenders:
            stack.callback(contender.close)
            contender.start()
        phones = stack.enter_context(Child("bench.phones"))
        load = stack.enter_context(Child("bench.load"))
        who = {"users": list(users.items()), "host": prosody.host, "port": prosody.c2s_port}
        phones.ask(do="log in", **who)
        endpoints = {
            contender.name: phones.ask(do="register", component=contender.component_jid)
            for contender in contenders
        }
        yield Setting(folder, prosody, phones, load, contenders, endpoints)


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
