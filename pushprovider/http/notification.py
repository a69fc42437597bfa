"""A homeserver's notification (Matrix push gateway API), taken apart. Pure functions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pushprovider.http.handler import MAX_BODY
from pushprovider.models import Urgency

#: Homeservers send one device at a time; the API allows several.
MAX_DEVICES = 100
#: A Matrix identifier has at most 255 bytes.
_LONGEST_ID = 255
_LARGEST_COUNT = 2**53


class NotJson(Exception):
    """The body is no JSON."""


class BadJson(Exception):
    """It is JSON, but no notification. The message says why."""


@dataclass(frozen=True, slots=True)
class Notification:
    """Whom it is for, and what the phone gets: JSON of at most 4096 bytes."""

    pushkeys: tuple[str, ...]
    payload: bytes
    urgency: int


def parse(body: bytes) -> Notification:
    """Return the notification. Raises NotJson, BadJson."""
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError, too
        raise NotJson from None
    found = sent.get("notification") if isinstance(sent, dict) else None
    if not isinstance(found, dict):
        raise BadJson("There is no notification.")
    pushkeys = _pushkeys(found.pop("devices", None))
    urgency = Urgency.LOW if found.get("prio") == "low" else Urgency.NORMAL
    return Notification(pushkeys, _fit(found), int(urgency))


def _pushkeys(devices: object) -> tuple[str, ...]:
    """Return each pushkey once."""
    if not isinstance(devices, list) or not 1 <= len(devices) <= MAX_DEVICES:
        raise BadJson(f"notification.devices must be a list of 1 to {MAX_DEVICES} devices.")
    found: dict[str, None] = {}
    for device in devices:
        pushkey = device.get("pushkey") if isinstance(device, dict) else None
        if not isinstance(pushkey, str) or not pushkey:
            raise BadJson("Every device must have a pushkey.")
        found[pushkey] = None
    return tuple(found)


def _fit(notification: dict[str, Any]) -> bytes:
    """Return the JSON for the phone, without what makes it too long.

    The event's content goes first: the app fetches the event from its homeserver anyway. Nothing
    is refused for its length: a homeserver would keep all later notifications back and try again.
    """
    whole = _write(notification)
    if len(whole) <= MAX_BODY:
        return whole
    notification.pop("content", None)
    trimmed = _write(notification)
    return trimmed if len(trimmed) <= MAX_BODY else _write(_essence(notification))


def _essence(notification: dict[str, Any]) -> dict[str, Any]:
    """Return what an app needs to fetch the event; always short."""
    kept: dict[str, Any] = {}
    for name in ("event_id", "room_id"):
        value = notification.get(name)
        if isinstance(value, str) and len(value) <= _LONGEST_ID:
            kept[name] = value
    counts = notification.get("counts")
    if isinstance(counts, dict):
        kept["counts"] = {
            name: counts[name] for name in ("unread", "missed_calls") if _is_count(counts.get(name))
        }
    if notification.get("prio") in ("low", "high"):
        kept["prio"] = notification["prio"]
    return kept


def _is_count(value: object) -> bool:
    return isinstance(value, int) and 0 <= value < _LARGEST_COUNT


def _write(notification: dict[str, Any]) -> bytes:
    try:
        text = json.dumps(
            {"notification": notification},
            ensure_ascii=False,
            allow_nan=False,
            separators=(",", ":"),
        )
    except (ValueError, RecursionError):  # NaN and Infinity: Python reads them, JSON has none
        raise NotJson from None
    # A lone surrogate can be written as an escape only.
    return text.encode("utf-8", "backslashreplace")
