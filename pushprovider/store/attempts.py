"""What the delivery loop and the store tell each other about messages. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field

from pushprovider.models import MessageState


@dataclass(slots=True)
class Claimed:
    """A waiting message with all that its stanza needs. Times in milliseconds since 1970."""

    id: int
    uid: str
    account: str
    resource: str
    application: str
    instance: str
    payload: bytes
    ttl: int
    accepted_at: int
    attempts: int

    @property
    def device(self) -> str:
        return f"{self.account}/{self.resource}"


@dataclass(frozen=True, slots=True)
class Want:
    """So many messages, at most, for this device, without those in flight or answered (by id)."""

    device: str
    number: int
    but: tuple[int, ...]
    looks: int = 0  # see Devices.fetched()


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an attempt. `asked` is the full JID that answered."""

    uid: str
    asked: str
    state: MessageState  # DELIVERED, QUEUED (keep it), EXPIRED (TTL 0) or GONE
    sent_at: int | None = None
    condition: str = ""
    #: False for an answer that memory knows nothing of: the store says if it was asked for.
    known: bool = True
    id: int = 0  # the message's, of a delivered one that memory knows


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was handed to the XMPP server and is not answered yet."""

    uid: str
    device: str
    sent_at: int


@dataclass(slots=True)
class Work:
    """What one hop to the database thread shall write."""

    answers: list[Answer] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
