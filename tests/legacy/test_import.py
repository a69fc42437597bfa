"""`manage.py import_prosody`: what it takes, what it leaves out and why, and that URLs stay."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from pytest_django import Settings

from pushprovider.fields import now_ms, to_ms
from pushprovider.http.intake import intake
from pushprovider.legacy import importing, prosody_storage
from pushprovider.legacy.imported import imported
from pushprovider.models import Account, ImportedEndpoint, Registration, RevocationReason
from pushprovider.store import housekeeping, operators, registrations
from pushprovider.store.post import Outcome, Post
from tests.cast import DAY, ApplicationServer, Phone, ask, hashed
from tests.legacy.test_luatable import written
from tests.legacy.tokens import FOLDER, PUSH, exp, said, said_up, up

HOST = "notify.localhost"
pytestmark = pytest.mark.usefixtures("store")


class OldProsody:
    """A Prosody's data folder, written as it writes it."""

    def __init__(self, folder: Path) -> None:
        self.data = folder
        self.store = folder / "notify%2elocalhost" / "unified_push"
        self.store.mkdir(parents=True)

    def issue(self, token: str = "", **claims: object) -> str:
        """Write an endpoint and return its token."""
        token = token or (str(len(list(self.store.iterdir()))) * 36)[:36]
        table = said(**claims)
        self.write(token, written(table))
        return token

    def write(self, name: str, octets: bytes) -> None:
        self.path(name).write_bytes(octets)

    def path(self, name: str) -> Path:
        encoded = "".join(c if c.isalnum() else f"%{ord(c):02x}" for c in name)
        return self.store / f"{encoded}.dat"


@pytest.fixture
def prosody(tmp_path: Path) -> OldProsody:
    """The server that is to be replaced."""
    return OldProsody(tmp_path / "data")


def run(**options: object) -> str:
    """Run the command and return what it says."""
    out = io.StringIO()
    call_command("import_prosody", stdout=out, stderr=out, **options)
    return out.getvalue()


def digest(folder: Path) -> str:
    """Return a hash of everything in a folder, times included."""
    found = [
        (str(path), path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    ]
    return hashlib.sha256(repr(found).encode()).hexdigest()


# --- what it takes --------------------------------------------------------------------------------


def test_it_works(prosody: OldProsody, phone: Phone, server: ApplicationServer) -> None:
    token = prosody.issue()
    assert "Taken over: 1." in run(data_path=prosody.data)
    assert server.post(PUSH + token).status == 201
    [message] = phone.messages()
    assert (message.legacy, message.registration.device) == ("prosody-storage", phone.jid)


def test_the_device_keeps_its_url(
    prosody: OldProsody, phone: Phone, server: ApplicationServer
) -> None:
    url = PUSH + prosody.issue(exp=exp(60))
    run(data_path=prosody.data)
    tablet = Phone("juliet@localhost/tablet")
    assert tablet.register() == url
    assert phone.register() == url
    [row] = ImportedEndpoint.objects.select_related("registration")
    assert to_ms(row.expires_at) == to_ms(row.registration.expires_at)
    assert to_ms(row.expires_at) > now_ms() + 29 * DAY * 1000
    assert server.post(url).status == 201
    assert phone.messages()[0].registration.device == phone.jid


def test_the_urls_may_have_stood_elsewhere(prosody: OldProsody, phone: Phone) -> None:
    token = prosody.issue()
    run(data_path=prosody.data, url="https://localhost:5281/push/")
    assert phone.register() == f"https://localhost:5281/push/{token}"


@pytest.mark.parametrize(
    "url", ["localhost", "ftp://localhost/push", "https://a b/", "https://x/?"]
)
def test_the_url_must_be_one(url: str, prosody: OldProsody) -> None:
    with pytest.raises(CommandError):
        call_command("import_prosody", "--data-path", str(prosody.data), "--url", url)


def test_a_database_alone_pushes_to_nobody(prosody: OldProsody, settings: Settings) -> None:
    token = prosody.issue()
    run(data_path=prosody.data)
    [row] = ImportedEndpoint.objects.all()
    assert token.encode() not in bytes(row.key) + bytes(row.sealed)


def test_a_lost_secret_key_costs_the_url_but_no_push(
    prosody: OldProsody, phone: Phone, server: ApplicationServer, settings: Settings
) -> None:
    url = PUSH + prosody.issue()
    run(data_path=prosody.data)
    settings.SECRET_KEY = "another one, of 32 characters or more"
    own = phone.register()
    assert own != url
    assert phone.register() == own
    assert [server.post(one).status for one in (url, own)] == [201, 201]


def test_a_rotated_secret_key_costs_nothing(
    prosody: OldProsody, phone: Phone, settings: Settings
) -> None:
    url = PUSH + prosody.issue()
    run(data_path=prosody.data)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "new " * 10
    assert phone.register() == url
    settings.SECRET_KEY_FALLBACKS = []
    assert phone.register() == url


def test_doing_it_again_changes_nothing(
    prosody: OldProsody, phone: Phone, server: ApplicationServer
) -> None:
    token = prosody.issue()
    run(data_path=prosody.data)
    phone.register()
    before = list(ImportedEndpoint.objects.values()) + list(Registration.objects.values())
    said_then = run(data_path=prosody.data)
    assert "Taken over: 0." in said_then
    assert "Here already: 1." in said_then
    assert before == list(ImportedEndpoint.objects.values()) + list(Registration.objects.values())
    assert server.post(PUSH + token).status == 201


def test_it_only_reads(prosody: OldProsody, tmp_path: Path) -> None:
    prosody.issue()
    prosody.write("broken", b"return {")
    shutil.copy(FOLDER / "prosody.sqlite", tmp_path / "data")
    before = digest(tmp_path)
    run(data_path=prosody.data)
    run(sqlite=tmp_path / "data" / "prosody.sqlite")
    assert digest(tmp_path) == before


def test_a_dry_run_writes_nothing(prosody: OldProsody) -> None:
    prosody.issue()
    text = run(data_path=prosody.data, dry_run=True)
    assert "Taken over: 1." in text
    assert "dry run" in text
    assert not Account.objects.exists()
    assert "Taken over: 1." in run(data_path=prosody.data)


# --- several URLs of one identity -----------------------------------------------------------------


def test_every_url_of_a_device_works_and_it_keeps_the_newest(
    prosody: OldProsody, phone: Phone, server: ApplicationServer
) -> None:
    """Prosody issues a new one at each renewal; application servers switch when they like."""
    tokens = [prosody.issue(exp=exp(seconds)) for seconds in (100, 300, 200)]
    run(data_path=prosody.data)
    assert Registration.objects.count() == 1
    assert phone.register() == PUSH + tokens[1]
    assert [server.post(PUSH + token).status for token in tokens] == [201] * 3


def test_a_newer_one_at_the_second_run_is_kept(prosody: OldProsody, phone: Phone) -> None:
    prosody.issue(exp=exp(100))
    run(data_path=prosody.data)
    newer = prosody.issue(exp=exp(200), jid="juliet@localhost/tablet")
    run(data_path=prosody.data)
    assert phone.registration().resource == "tablet"
    assert phone.register() == PUSH + newer


def test_a_url_of_ours_that_the_device_has_stays(
    prosody: OldProsody, phone: Phone, server: ApplicationServer
) -> None:
    own = phone.register()
    token = prosody.issue()
    run(data_path=prosody.data)
    assert phone.register() == own
    assert server.post(PUSH + token).status == 201
    assert phone.messages()[0].registration.device == phone.jid


def test_an_imported_url_that_the_device_has_stays(prosody: OldProsody, phone: Phone) -> None:
    first = prosody.issue(exp=exp(100))
    run(data_path=prosody.data)
    phone.register()
    prosody.issue(exp=exp(9_000_000))
    run(data_path=prosody.data)
    assert phone.register() == PUSH + first


def test_a_token_without_a_row_joins_in(
    prosody: OldProsody, phone: Phone, server: ApplicationServer, moved: Settings
) -> None:
    """Prosody's default backend changed with version 13: both kinds are out at the same time."""
    imported = PUSH + prosody.issue()
    run(data_path=prosody.data)
    assert server.post(PUSH + up(said_up())).status == 201
    assert phone.register() == imported


# --- its end --------------------------------------------------------------------------------------


def test_a_made_up_one_costs_a_look_a_second_where_nothing_was_imported(
    prosody: OldProsody, server: ApplicationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    inbox = intake()._inbox
    commit = inbox._commit

    def looking(posts: Sequence[Post]) -> Sequence[Outcome]:
        looks.append(len(posts))
        return commit(posts)

    monkeypatch.setattr(inbox, "_commit", looking)
    made_up = [f"{PUSH}{letter * 36}" for letter in "abc"]
    assert [server.post(url).status for url in made_up] == [404, 404, 404]
    assert looks == [1]
    imported.tell(empty=False)  # a second has passed
    url = PUSH + prosody.issue()
    run(data_path=prosody.data, url=PUSH)
    assert [server.post(one).status for one in (*made_up, url)] == [404, 404, 404, 201]
    assert looks == [1, 1, 1, 1, 1]


def test_it_expires_as_prosody_said(prosody: OldProsody, server: ApplicationServer) -> None:
    url = PUSH + prosody.issue()
    run(data_path=prosody.data)
    ImportedEndpoint.objects.update(expires_at=ImportedEndpoint.objects.get().imported_at)
    answer = server.post(url)
    assert (answer.status, answer.errno) == (404, 102)


def test_a_revoked_one_is_gone_and_stays_so(
    prosody: OldProsody, phone: Phone, server: ApplicationServer
) -> None:
    url = PUSH + prosody.issue(exp=exp(100))
    run(data_path=prosody.data)
    registrations.revoke([phone.registration().pk], RevocationReason.OWNER, now_ms())
    assert server.post(url).status == 410
    prosody.issue(exp=exp(200))
    text = run(data_path=prosody.data)
    assert "Here already: 1." in text
    assert "Revoked here: 1." in text
    own = phone.register()
    assert own != url
    assert [server.post(url).status, server.post(own).status] == [410, 201]


def test_an_erased_account_is_not_imported_again(prosody: OldProsody) -> None:
    prosody.issue()
    run(data_path=prosody.data)
    operators.erase(Account.objects.get().pk, None, now_ms())
    assert "Revoked here: 1." in run(data_path=prosody.data)
    assert not Account.objects.exists()


def test_the_acl_counts_at_every_push(
    prosody: OldProsody, server: ApplicationServer, settings: Settings
) -> None:
    settings.REGISTRATION_ACL = ["elsewhere.example"]
    url = PUSH + prosody.issue()
    assert "does not let in: 1." in run(data_path=prosody.data)
    assert server.post(url).status == 404
    settings.REGISTRATION_ACL = ["localhost"]
    assert server.post(url).status == 201


def test_what_ended_long_ago_is_forgotten(prosody: OldProsody, phone: Phone) -> None:
    prosody.issue(exp=exp(100))
    prosody.issue(exp=exp(200))
    run(data_path=prosody.data)
    phone.register()
    later = now_ms() + 31 * DAY * 1000
    housekeeping.forget_old(later)
    assert [row.is_kept for row in ImportedEndpoint.objects.all()] == [True]
    assert ask("GET", "https://push.example.org/push/" + "x" * 36).status == 200


# --- what it leaves out ---------------------------------------------------------------------------


def test_it_says_what_it_skipped_and_why(prosody: OldProsody) -> None:
    prosody.issue()
    prosody.issue(exp=exp(-5))
    prosody.write("A" * 36, b"return {")
    prosody.write("B" * 35, written({"x": 1}))
    prosody.write("C" * 36, 'return { ["sub"] = "café"; };'.encode("latin-1"))
    prosody.write("D" * 36, b"os.exit(1)")
    (prosody.store / "EEE.dat~").write_bytes(b"half")
    (prosody.store / "%ff%fe.dat").write_bytes(b"")
    prosody.path("F" * 36).symlink_to("/etc/passwd")
    prosody.path("G" * 36).mkdir()
    os.mkfifo(prosody.path("H" * 36))
    text = run(data_path=prosody.data)
    assert "Rows read: 10." in text
    assert "Taken over: 1." in text
    assert "Skipped, expired: 1." in text
    assert "Skipped, malformed: 8." in text
    for line in (
        "AAAAAA…: cut off",
        "BBBBBB…: not a token of 36 characters",
        "CCCCCC…: not UTF-8",
        "DDDDDD…: not Lua data",
        "FFFFFF…: not a plain file",
        "GGGGGG…: not a plain file",
        "HHHHHH…: not a plain file",
    ):
        assert f"  {HOST} {line}" in text
    assert "AAAAAAA" not in text
    assert Registration.objects.count() == 1


HALF: dict[str, dict[str, object]] = {
    "no sub": {"sub": None},
    "no exp": {"exp": None},
    "no application": {"application": None},
    "no instance": {"instance": None},
    "exp is text": {"exp": "4102444867"},
    "exp is huge": {"exp": 10**19},
    "exp in milliseconds": {"exp": 4102444867000},
    "sub is a number": {"sub": 7},
    "sub is bare": {"sub": "juliet@localhost"},
    "sub has a zero": {"sub": "juliet@localhost/\0"},
    "application is short": {"application": "AAAA"},
    "instance is not base64": {"instance": "!" * 44},
    "one field more": {"more": "x"},
}


@pytest.mark.parametrize("what", HALF)
def test_a_row_is_taken_whole_or_not_at_all(what: str, prosody: OldProsody) -> None:
    table = {name: value for name, value in (said() | HALF[what]).items() if value is not None}
    prosody.write("x" * 36, written(table))
    assert "Skipped, malformed: 1." in run(data_path=prosody.data)
    assert not Account.objects.exists()


def test_one_host_may_be_chosen() -> None:
    for source in ({"data_path": FOLDER / "prosody-data"}, {"sqlite": FOLDER / "prosody.sqlite"}):
        run(host="notify.example.org", **source)
        hosts = ImportedEndpoint.objects.values_list("host", flat=True)
        assert set(hosts) == {"notify.example.org"}
    assert ImportedEndpoint.objects.count() == 16
    with pytest.raises(CommandError, match="no unified_push folder of elsewhere"):
        run(data_path=FOLDER / "prosody-data", host="elsewhere")


def test_the_paseto_keys_come_out_on_request() -> None:
    quiet = run(data_path=FOLDER / "prosody-data")
    assert "PASETO keys seen: 4" in quiet
    assert "secret-token" not in quiet
    key = "secret-token:paseto.v3.local:" + (
        "af701ebba19d2c320f1d9773907457f456353db8168f58250c3c899c2b2bd853"
    )
    one = run(data_path=FOLDER / "prosody-data", host="paseto.example.org", paseto_keys=True)
    assert f"LEGACY_PROSODY_PASETO_KEYS={key}\n" in one
    every = run(data_path=FOLDER / "prosody-data", paseto_keys=True)
    assert every.count("secret-token:") == 4


def test_a_paseto_key_that_is_none_is_reported(prosody: OldProsody) -> None:
    prosody.write("_private", written({"paseto_v3_local_key": "k3.local.AAAA"}))
    text = run(data_path=prosody.data, paseto_keys=True)
    assert "no PASETO key in _private" in text
    assert "LEGACY" not in text


@pytest.mark.parametrize("what", ["data_path", "sqlite", "csv"])
def test_a_source_that_is_not_there_is_one_line(what: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError) as caught:
        run(**{what: tmp_path / "nothing"})
    assert "\n" not in str(caught.value)


def test_one_source_and_only_one() -> None:
    for arguments in ([], ["--csv", "a", "--sqlite", "b"]):
        with pytest.raises(CommandError):
            call_command("import_prosody", *arguments)


def test_a_failing_store_is_one_line(prosody: OldProsody, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second chunk fails: the first is whole, and doing it again takes the rest."""
    monkeypatch.setattr(importing, "CHUNK", 2)
    for number in range(5):
        prosody.issue(instance=hashed(str(number)))
    plain, calls = prosody_storage.seal, []

    def fails(token: str) -> bytes:
        calls.append(token)
        if len(calls) == 4:
            raise DatabaseError("disk is full")
        return plain(token)

    monkeypatch.setattr(prosody_storage, "seal", fails)
    with pytest.raises(CommandError, match="disk is full"):
        run(data_path=prosody.data)
    assert ImportedEndpoint.objects.count() == 2 == Registration.objects.count()
    text = run(data_path=prosody.data)
    assert "Taken over: 3." in text
    assert "Here already: 2." in text


def test_a_long_run_says_how_far_it_is(
    prosody: OldProsody, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pushprovider.management.commands import import_prosody

    monkeypatch.setattr(importing, "CHUNK", 1)
    monkeypatch.setattr(import_prosody, "PATIENCE", 0)
    for number in range(3):
        prosody.issue(instance=hashed(str(number)))
    assert "2 rows read, 2 endpoints taken over ..." in run(data_path=prosody.data)


# --- SQL ------------------------------------------------------------------------------------------

ROW = ("sub", "string"), ("exp", "number"), ("application", "string"), ("instance", "string")
TABLE = """
    CREATE TABLE prosody (host TEXT, user TEXT, store TEXT, key TEXT, type TEXT, value TEXT)
"""


def fields(token: str, **claims: object) -> list[tuple[object, ...]]:
    """Return a token's rows in mod_storage_sql."""
    table = said(**claims)
    return [(HOST, token, "unified_push", key, kind, str(table[key])) for key, kind in ROW]


def database(path: Path, rows: list[tuple[object, ...]]) -> Path:
    with sqlite3.connect(path) as made:
        made.execute(TABLE)
        made.executemany("INSERT INTO prosody VALUES (?, ?, ?, ?, ?, ?)", rows)
    made.close()
    return path


def test_rows_that_are_half_there_are_skipped(tmp_path: Path) -> None:
    good, *others = (letter * 36 for letter in "abcdefgh")
    rows = fields(good)
    rows += fields(others[0])[:3]
    rows += [*fields(others[1]), (HOST, others[1], "unified_push", "exp", "number", "4102444867")]
    rows += [(*row[:5], b"\xff\xfe" if row[3] == "sub" else row[5]) for row in fields(others[2])]
    rows += [(*row[:4], None, row[5]) for row in fields(others[3])]
    rows += [(*row[:4], "json", row[5]) for row in fields(others[4])]
    rows += [(*row[:5], "1" * 400 if row[3] == "exp" else row[5]) for row in fields(others[5])]
    rows += [(*row[:5], "x" * 20_000 if row[3] == "sub" else row[5]) for row in fields(others[6])]
    rows += [(HOST, b"\xff", *row[2:]) for row in fields("i" * 36)]
    rows += [(*row[:2], "accounts", *row[3:]) for row in fields("j" * 36)]
    text = run(sqlite=database(tmp_path / "p.sqlite", rows))
    assert "Taken over: 1." in text
    assert "Skipped, malformed: 8." in text
    assert Registration.objects.count() == 1


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"not a database",
        b"SQLite format 3\0" + b"\0" * 100,
        b"SQLite format 3\0" + os.urandom(5000),
    ],
    ids=["empty", "text", "zeros", "noise"],
)
def test_a_file_that_is_no_database_is_one_line(octets: bytes, tmp_path: Path) -> None:
    path = tmp_path / "p.sqlite"
    path.write_bytes(octets)
    with pytest.raises(CommandError) as caught:
        run(sqlite=path)
    assert "\n" not in str(caught.value)


def test_a_database_without_the_table_is_one_line(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "p.sqlite") as made:
        made.execute("CREATE TABLE other (x)")
    with pytest.raises(CommandError, match="no such table: prosody"):
        run(sqlite=tmp_path / "p.sqlite")


def test_a_damaged_database_is_not_half_imported(tmp_path: Path) -> None:
    rows = [row for number in range(300) for row in fields(f"{number:036d}")]
    path = database(tmp_path / "p.sqlite", rows)
    octets = path.read_bytes()
    for wrong in (octets[: len(octets) // 2], octets[:9000] + os.urandom(9000) + octets[18_000:]):
        path.write_bytes(wrong)
        with pytest.raises(CommandError):
            run(sqlite=path)
        assert not Account.objects.exists()


# --- CSV ------------------------------------------------------------------------------------------


def exported(path: Path, rows: list[tuple[object, ...]], *, header: str = "") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        if header:
            file.write(header + "\n")
        csv.writer(file).writerows(rows)
    return path


def test_an_export_is_taken_in_any_order(tmp_path: Path, server: ApplicationServer) -> None:
    tokens = ["a" * 36, "b" * 36]
    rows = [
        (*row[:2], *row[3:])
        for token in tokens
        for row in fields(token, jid='jürgen@localhost/a, "b"')
    ]
    path = exported(tmp_path / "p.csv", rows[::2] + rows[1::2])
    assert "Taken over: 2." in run(csv=path)
    assert [server.post(PUSH + token).status for token in tokens] == [201, 201]
    assert Account.objects.get().jid == "jürgen@localhost"


def test_an_export_may_name_its_columns(tmp_path: Path) -> None:
    rows = [row[::-1] for row in fields("a" * 36)]
    rows += [(*row[:3], "roster", *row[4:]) for row in rows]
    path = exported(tmp_path / "p.csv", rows, header="value,type,key,store,user,host")
    text = run(csv=path)
    assert "Rows read: 1." in text
    assert "Taken over: 1." in text


def test_an_export_in_a_foreign_encoding_spoils_only_what_it_cannot_say(tmp_path: Path) -> None:
    rows = [(*row[:2], *row[3:]) for row in fields("a" * 36)]
    rows += [(*row[:2], *row[3:]) for row in fields("b" * 36, jid="jürgen@localhost/x")]
    path = exported(tmp_path / "p.csv", rows)
    path.write_bytes(path.read_text(encoding="utf-8").encode("latin-1"))
    text = run(csv=path)
    assert "Taken over: 1." in text
    assert "Skipped, malformed: 1." in text


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\n",
        b"one,two\n",
        b"host;user;key;type;value\n",
        "host,user,key,type,value\n".encode("utf-16"),
        b'"' + b"x" * 200_000,
        b'host,user,key,type,value\n"unclosed',
        b"\0" * 1000,
    ],
    ids=lambda octets: repr(octets[:12]),
)
def test_a_file_that_is_no_export_is_one_line(octets: bytes, tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(octets)
    with pytest.raises(CommandError) as caught:
        run(csv=path)
    assert "\n" not in str(caught.value)
    assert not Account.objects.exists()


def test_short_lines_are_half_rows(tmp_path: Path) -> None:
    rows: list[tuple[object, ...]] = [(HOST,), (HOST, "c" * 36, "sub"), ()]
    rows += [(*row[:2], *row[3:]) for row in fields("a" * 36)]
    path = exported(tmp_path / "p.csv", rows, header="host,user,key,type,value")
    text = run(csv=path)
    assert "Taken over: 1." in text
    assert "Skipped, malformed: 2." in text
