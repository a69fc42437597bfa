"""When to send, when to wait, when to send again: the state machine of a device. No I/O.

docs/architecture.md has the same table as a picture. Time comes in as milliseconds of any clock
that only goes forward. Every rule has its reason in how Prosody and ejabberd really behave:

- An unanswered IQ is in flight, not lost: the server holds it for a sleeping phone and delivers it
  on resume (XEP-0198). So silence never makes us send again, only an error, a new session, a
  register or ACK_TIMEOUT does.
- Directed presence is sent when a phone binds a new session; `unavailable` follows the end of
  every session. Whatever was unanswered in the old session is dead then.
- After our own restart or a lost link nobody repeats its presence: wait for late answers first,
  then try one message.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from zlib import crc32

SECOND = 1000
#: After a link comes up: how long answers to old stanzas may still come in.
LINK_GRACE = 10 * SECOND
#: After a register: how long the answers of a resumed session may still come in.
REGISTER_GRACE = 3 * SECOND
#: What was written so shortly before a presence was read may have gone into the new session: the
#: server can have taken it after it had sent us the presence.
JUST_SENT = 1 * SECOND
#: Holding is not for ever: some clients send no presence.
FIRST_RETRY = 60 * SECOND
LAST_RETRY = 3600 * SECOND


class State(Enum):
    """What is believed of a device."""

    OPEN = "open"  # it answers, or was never heard of: a full window
    PROBING = "probing"  # nobody knows: one message at a time
    HELD = "held"  # its session has ended: nothing, until it shows life or a retry is due
    SETTLING = "settling"  # the link is new: nothing, until old answers had time to come in


class Event(Enum):
    """What happens to a device."""

    RESULT = "result"  # it answered a push with a result
    ERROR = "error"  # a temporary stanza error came back
    AVAILABLE = "available"  # directed presence: a new session
    UNAVAILABLE = "unavailable"  # its session has ended
    REGISTERED = "registered"  # it asked for an endpoint
    LINK_UP = "link up"  # our stream was opened anew and something may be in flight
    GRACE_OVER = "grace over"  # the wait after LINK_UP or REGISTERED has ended
    RETRY_DUE = "retry due"  # held long enough: try one message
    ACK_TIMEOUT = "ack timeout"  # the oldest message in flight is older than any server keeps it


class Flight(Enum):
    """What becomes of the unanswered messages."""

    KEEP = "keep"  # still in flight
    REQUEUE = "requeue"  # dead, but for what was just sent: send again when the state allows
    REQUEUE_OLD = "requeue old"  # dead: sent before the grace or the session's end, or longest ago


class Timer(Enum):
    """What becomes of the device's one timer."""

    KEEP = "keep"
    STOP = "stop"
    STOP_RETRY = "stop retry"  # a grace goes on: others than the one that answered may still come
    RETRY = "retry"  # 1 minute, doubled up to 1 hour while nothing answers
    CROSSING = "crossing"  # retry after REGISTER_GRACE, if is_crossing() says so
    LINK_GRACE = "link grace"
    REGISTER_GRACE = "register grace"
    SESSION_GRACE = "session grace"  # as REGISTER_GRACE, if something was just sent; else STOP


@dataclass(frozen=True, slots=True)
class Rule:
    """What an event makes of a device: the state, what is in flight, the device's timer."""

    then: State
    flight: Flight = Flight.KEEP
    timer: Timer = Timer.KEEP


S, E, F, T = State, Event, Flight, Timer

#: Every state and every event; there is no default.
TABLE: dict[tuple[State, Event], Rule] = {
    (S.OPEN, E.RESULT): Rule(S.OPEN),
    (S.OPEN, E.ERROR): Rule(S.HELD, timer=T.RETRY),
    (S.OPEN, E.AVAILABLE): Rule(S.OPEN, F.REQUEUE, T.SESSION_GRACE),
    (S.OPEN, E.UNAVAILABLE): Rule(S.HELD, F.REQUEUE, T.RETRY),
    (S.OPEN, E.REGISTERED): Rule(S.OPEN, timer=T.REGISTER_GRACE),
    (S.OPEN, E.LINK_UP): Rule(S.SETTLING, timer=T.LINK_GRACE),
    (S.OPEN, E.GRACE_OVER): Rule(S.OPEN, F.REQUEUE_OLD, T.STOP),
    (S.OPEN, E.RETRY_DUE): Rule(S.OPEN, timer=T.STOP),
    (S.OPEN, E.ACK_TIMEOUT): Rule(S.PROBING, F.REQUEUE_OLD),
    (S.PROBING, E.RESULT): Rule(S.OPEN, timer=T.STOP_RETRY),
    (S.PROBING, E.ERROR): Rule(S.HELD, timer=T.RETRY),
    (S.PROBING, E.AVAILABLE): Rule(S.OPEN, F.REQUEUE, T.SESSION_GRACE),
    (S.PROBING, E.UNAVAILABLE): Rule(S.HELD, F.REQUEUE, T.RETRY),
    (S.PROBING, E.REGISTERED): Rule(S.PROBING, timer=T.REGISTER_GRACE),
    (S.PROBING, E.LINK_UP): Rule(S.SETTLING, timer=T.LINK_GRACE),
    (S.PROBING, E.GRACE_OVER): Rule(S.OPEN, F.REQUEUE_OLD, T.STOP),
    (S.PROBING, E.RETRY_DUE): Rule(S.PROBING, timer=T.STOP),
    (S.PROBING, E.ACK_TIMEOUT): Rule(S.PROBING, F.REQUEUE_OLD),
    (S.HELD, E.RESULT): Rule(S.OPEN, timer=T.STOP_RETRY),
    (S.HELD, E.ERROR): Rule(S.HELD),
    (S.HELD, E.AVAILABLE): Rule(S.OPEN, F.REQUEUE, T.SESSION_GRACE),
    (S.HELD, E.UNAVAILABLE): Rule(S.HELD, F.REQUEUE),
    (S.HELD, E.REGISTERED): Rule(S.HELD, timer=T.REGISTER_GRACE),
    (S.HELD, E.LINK_UP): Rule(S.SETTLING, timer=T.LINK_GRACE),
    (S.HELD, E.GRACE_OVER): Rule(S.OPEN, F.REQUEUE_OLD, T.STOP),
    (S.HELD, E.RETRY_DUE): Rule(S.PROBING, F.REQUEUE_OLD, T.STOP),
    (S.HELD, E.ACK_TIMEOUT): Rule(S.HELD, F.REQUEUE_OLD),
    (S.SETTLING, E.RESULT): Rule(S.SETTLING),
    (S.SETTLING, E.ERROR): Rule(S.HELD, timer=T.RETRY),
    (S.SETTLING, E.AVAILABLE): Rule(S.OPEN, F.REQUEUE, T.SESSION_GRACE),
    (S.SETTLING, E.UNAVAILABLE): Rule(S.HELD, F.REQUEUE, T.RETRY),
    (S.SETTLING, E.REGISTERED): Rule(S.SETTLING),
    (S.SETTLING, E.LINK_UP): Rule(S.SETTLING, timer=T.LINK_GRACE),
    (S.SETTLING, E.GRACE_OVER): Rule(S.PROBING, F.REQUEUE_OLD, T.STOP),
    (S.SETTLING, E.RETRY_DUE): Rule(S.SETTLING),
    (S.SETTLING, E.ACK_TIMEOUT): Rule(S.SETTLING, F.REQUEUE_OLD),
}


def retry_delay(failures: int) -> int:
    """Return the back-off in milliseconds after so many failures in a row (at least one)."""
    return min(FIRST_RETRY << min(max(failures, 1) - 1, 10), LAST_RETRY)


def spread(delay: int, name: str) -> int:
    """Return the delay less up to a quarter of it, for each device another part.

    Those that went all at once, with their server, are not all tried again at once.
    """
    return delay - delay // 4 * (crc32(name.encode()) % 256) // 256


def is_crossing(bound_at: int | None, now: int) -> bool:
    """True if a session ended so soon after a new one began that it may be the one before it.

    ejabberd tells of both at once when a phone binds anew while its old session sleeps, in either
    order. So the retry is not a minute away but REGISTER_GRACE.
    """
    return bound_at is not None and now - bound_at <= JUST_SENT


def window(state: State, maximum: int) -> int:
    """Return how many messages may be in flight to a device in this state."""
    return {State.OPEN: maximum, State.PROBING: 1}.get(state, 0)
