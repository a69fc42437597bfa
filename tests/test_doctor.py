"""The doctor's findings: each has its remedy and its line in the documents, and is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from pushprovider.admin.checks import Check
from pushprovider.doctor import clock, component, findings, local, loop, wire
from pushprovider.doctor.remedies import REMEDIES
from pushprovider.fields import now_ms, to_datetime
from pushprovider.models import Account, MessageState, Registration, Status
from pushprovider.store import testdevice
from pushprovider.store.testdevice import Fate
from pushprovider.xmpp.survey import Report
from tests.settings import ROOT
from tests.test_docs import table

#: By admin/checks.py and doctor/local.py, with words of their own.
OTHERS = {
    "database.unusable",
    "database.migrations",
    "database.newer",
    "database.unwritable",
    "database.not-wal",
    "disk.full",
    "disk.low",
    "local.doorbell",
    "backup.never",
    "backup.old",
}


def documented() -> dict[str, str]:
    """Return the state of every code in the documents."""
    return {cells[0].strip("`"): cells[1] for cells in table("docs/doctor.md", "code")}


def test_the_documents_list_every_finding_and_no_other() -> None:
    assert set(documented()) == set(REMEDIES) | OTHERS


def test_every_remedy_belongs_to_a_finding() -> None:
    files = [*(ROOT / "pushprovider").glob("doctor/*.py"), ROOT / "pushprovider/admin/checks.py"]
    code = "".join(f.read_text(encoding="utf-8") for f in files if f.name != "remedies.py")
    code += (ROOT / "pushprovider/xmpp/service.py").read_text(encoding="utf-8")
    stream = (ROOT / "pushprovider/xmpp/component.py").read_text(encoding="utf-8")
    for name in REMEDIES:
        family, _, word = name.partition(".")
        assert f'"{name}"' in code or (family == "component" and f'"{word}"' in code + stream), name


@pytest.mark.django_db(transaction=True)
def test_it_keeps_the_last_run_only() -> None:
    findings.keep([findings.bad("Loop", "loop.lost", "gone")], 1000)
    findings.keep([findings.good("Loop", "loop.delivered", "there")], 2000)
    assert findings.kept() == (2000, [Check("Loop", "ok", "there", "", "loop.delivered")])


@pytest.mark.django_db(transaction=True)
def test_it_keeps_the_remedy_by_its_code() -> None:
    findings.keep([findings.bad("Loop", "loop.lost", "gone")], 1000)
    assert findings.kept()[1][0].fix == REMEDIES["loop.lost"]
    assert Status.objects.get(name="doctor").value == "bad"


def test_a_long_text_is_cut_to_what_a_row_holds() -> None:
    packed = findings.pack(findings.bad("Loop", "loop.lost", "ü" * 300))
    assert len(packed) <= 200
    unpacked = findings.unpack(packed)
    assert unpacked is not None
    assert set(unpacked.text) == {"ü"}


def test_what_another_version_kept_is_left_out() -> None:
    assert findings.unpack("nonsense") is None
    assert findings.unpack('["one"]') is None


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (Report(True, True, "Prosody 0.12.3"), "disco.fine"),
        (Report(True, None, ""), "disco.fine"),
        (Report(True, False, "Prosody 0.12.3"), "disco.unlisted"),
        (Report(False, True, "Prosody 0.12.3"), "disco.silent"),
    ],
)
def test_it_judges_what_the_server_says_of_us(report: Report, code: str) -> None:
    assert [one.code for one in component.discovery(report)] == [code]
    assert Report.read(report.text()) == report


@pytest.mark.parametrize(
    ("fate", "code"),
    [
        (Fate(MessageState.DELIVERED, 4096, 30, 1, ""), "loop.delivered"),
        (Fate(MessageState.DELIVERED, 4096, 5000, 1, ""), "loop.slow"),
        (Fate(MessageState.QUEUED, 4096, None, 0, ""), "loop.lost"),
        (Fate(MessageState.SENT, 4096, None, 1, "remote-server-timeout"), "loop.lost"),
        (None, "loop.refused"),
    ],
)
def test_it_judges_the_loop(fate: Fate | None, code: str) -> None:
    assert loop.arrived(fate, 5).code == code


def test_it_reads_the_date_of_an_answer() -> None:
    assert clock.difference("Thu, 01 Jan 1970 00:10:00 GMT", 0) == 600_000
    assert clock.difference("", now_ms()) == 0


@pytest.mark.django_db
def test_it_tells_a_clock_that_differs() -> None:
    [found] = clock.look("Thu, 01 Jan 2026 00:00:00 GMT")
    assert found.code == "clock.differs"


def test_it_tells_that_somebody_else_owns_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(settings.RUN_DIR).mkdir(parents=True, exist_ok=True)
    assert local.user() == []
    monkeypatch.setattr("os.geteuid", lambda: 4_000_000)
    [found] = local.user()
    assert (found.code, found.text.endswith("this is user 4000000")) == ("user.other", True)


@pytest.mark.django_db(transaction=True)
def test_what_an_interrupted_doctor_left_is_removed() -> None:
    now = now_ms()
    testdevice.begin(now - testdevice.LEFTOVER - 1000)
    fresh, mine = testdevice.begin(now), testdevice.begin(now)
    others = Account.objects.create(jid="doctor-who@localhost", created_at=to_datetime(0))
    testdevice.remove(mine, now)
    left = set(Account.objects.values_list("jid", flat=True))
    assert left == {fresh.account, others.jid}
    assert Registration.objects.count() == 1


def test_no_answer_in_time_is_told_apart() -> None:
    assert wire.no_answer(TimeoutError()).code == "web.timeout"
    assert wire.no_answer(ConnectionRefusedError()).code == "web.refused"
