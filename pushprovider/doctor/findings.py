"""One finding, and where the last run's findings are kept for the Health page."""

from __future__ import annotations

import json

from pushprovider.admin.checks import Check
from pushprovider.doctor.remedies import REMEDIES
from pushprovider.fields import to_datetime, to_ms
from pushprovider.models import Status
from pushprovider.store import status
from pushprovider.store.writing import writing

#: Findings with these beginnings the Health page makes anew at each view.
SEEN_ANYWAY = ("local.", "database.", "disk.", "certificate.", "backup.")


def good(name: str, code: str, text: str) -> Check:
    """Return that something is as it should be."""
    return Check(name, "ok", text, code=code)


def bad(name: str, code: str, text: str) -> Check:
    """Return what is wrong, with its remedy."""
    return Check(name, "bad", text, REMEDIES[code], code)


def doubtful(name: str, code: str, text: str) -> Check:
    """Return what works, but should be different."""
    return Check(name, "warning", text, REMEDIES[code], code)


def keep(found: list[Check], now: int) -> None:
    """Write a run's findings in place of the last one's. `now`: milliseconds since 1970."""
    rows = [
        Status(name=f"{status.DOCTOR}:{index:02d}", value=pack(one), at=to_datetime(now))
        for index, one in enumerate(one for one in found if not one.code.startswith(SEEN_ANYWAY))
    ]
    worst = "bad" if any(one.state == "bad" for one in found) else "ok"
    with writing():
        Status.objects.filter(name__startswith=f"{status.DOCTOR}:").delete()
        Status.objects.bulk_create(rows)
        status.tell(status.DOCTOR, worst, now)


def kept() -> tuple[int | None, list[Check]]:
    """Return when the doctor last ran (milliseconds since 1970) and what it found."""
    run = Status.objects.filter(name=status.DOCTOR).first()
    if run is None:
        return None, []
    rows = Status.objects.filter(name__startswith=f"{status.DOCTOR}:").order_by("name")
    return to_ms(run.at), [one for row in rows if (one := unpack(row.value))]


def pack(check: Check) -> str:
    """Return a finding as a Status row holds it; the remedy is looked up by the code."""
    room = len(check.text)
    while True:
        row = [check.name, check.state, check.code, check.text[:room]]
        text = json.dumps(row, ensure_ascii=False)
        if len(text) <= 200:
            break
        room -= max(1, (len(text) - 200) // 2)
    return text


def unpack(text: str) -> Check | None:
    """Return what pack() wrote; None for what another version wrote."""
    try:
        name, state, code, words = json.loads(text)
    except (ValueError, TypeError):
        return None
    return Check(name, state, words, "" if state == "ok" else REMEDIES.get(code, ""), code)
