"""What became of a message, told as a time line and in one sentence."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from pushprovider.admin import display
from pushprovider.fields import to_ms
from pushprovider.models import Message, MessageState

#: One sentence for each state: what it means, and what an operator could do.
VERDICTS = {
    MessageState.QUEUED: "It waits for the phone to come online. Nothing is lost.",
    MessageState.SENT: "The XMPP server has it and holds it for a phone that does not answer yet, "
    "because it sleeps or has no network.",
    MessageState.DELIVERED: "The phone has it. If no notification was shown, ask the app.",
    MessageState.EXPIRED: "The phone did not come back within the time that the application "
    "server gave the message (TTL).",
    MessageState.REPLACED: "A newer message of the same topic took its place, as the application "
    "server wished.",
    MessageState.CANCELLED: "The application server took it back.",
    MessageState.EVICTED: "Too many messages waited for this phone, or this one could not be sent "
    "at all; it was set aside.",
    MessageState.GONE: "Its endpoint ended, or its user was blocked, before the phone came back.",
}

#: What common stanza errors (RFC 6120 section 8.3.3) mean here.
CONDITIONS = {
    "item-not-found": "the phone does not know the endpoint any more",
    "feature-not-implemented": "the phone's client does not do push",
    "recipient-unavailable": "the phone is not online",
    "service-unavailable": "the phone is not online",
    "remote-server-not-found": "the user's XMPP server cannot be found",
    "remote-server-timeout": "the user's XMPP server does not answer",
    "undefined-condition": "it cannot be written as a stanza",
}

HEAD = {MessageState.DELIVERED: "Answered by the phone", MessageState.EXPIRED: "Expired"}


@dataclass(frozen=True)
class Step:
    """One point of the time line. `tone` is the colour of its dot."""

    title: str
    at: dt.datetime | None
    text: str = ""
    tone: str = "good"
    after: str = ""


def verdict(row: Message) -> str:
    """Return what its state means."""
    return VERDICTS[MessageState(row.state)]


def steps(row: Message) -> list[Step]:
    """Return what happened, in order."""
    state = MessageState(row.state)
    found = [Step("Accepted", row.accepted_at, "201 was answered: from here on it is kept.")]
    if row.sent_at is not None:
        tries = f"attempt {row.attempts}, " if row.attempts > 1 else ""
        device = row.sent_to or "the phone"
        found.append(
            Step("Sent", row.sent_at, f"{tries}to {device}", after=_after(row, row.sent_at))
        )
    if row.condition:
        meaning = CONDITIONS.get(row.condition, "")
        text = f"{row.condition}: {meaning}" if meaning else row.condition
        found.append(Step("Answered with an error", None, text, "bad"))
    if state.is_terminal:
        head = HEAD.get(state, state.label.capitalize())
        tone = display.TONES.get(state.label, "plain")
        found.append(Step(head, row.settled_at, "", tone, _after(row, row.settled_at)))
    else:
        text = f"kept until {display.exact(row.expires_at)} UTC"
        found.append(Step("Waiting", None, text, "wait"))
    return found


def _after(row: Message, moment: dt.datetime | None) -> str:
    if moment is None:
        return ""
    return f"after {display.duration(to_ms(moment) - to_ms(row.accepted_at))}"
