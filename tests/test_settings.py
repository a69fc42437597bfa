"""Settings: a value is right, or the start ends with one clear line and exit code 78."""

from __future__ import annotations

import os
import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from tests.real.process import plain_environment
from tests.real.python import python
from tests.settings import DATABASE, ENVIRONMENT
from upconfig import settings as product
from upconfig.env import EXIT_CONFIG, Rate, Reader, database_config

SECRET = "s3cret-" + "x" * 40


@pytest.fixture(autouse=True)
def _environment() -> Iterator[None]:
    """A process of its own, as far as its environment goes."""
    with mock.patch.dict(os.environ, ENVIRONMENT):
        yield


def load(**environment: str) -> dict[str, Any]:
    """Return what settings.py comes to with these variables."""
    os.environ.update(environment)
    return runpy.run_path(product.__file__)


def refusal(capsys: pytest.CaptureFixture[str], **environment: str) -> str:
    """Return the one line with which the start ends."""
    with pytest.raises(SystemExit) as caught:
        load(**environment)
    assert caught.value.code == EXIT_CONFIG == 78
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("pushprovider: ")
    return line.removeprefix("pushprovider: ")


def test_it_works() -> None:
    read = load()
    assert read["PUBLIC_URL"] == "https://push.example.org"
    assert read["ALLOWED_HOSTS"][0] == "push.example.org"
    assert read["CSRF_TRUSTED_ORIGINS"] == ["https://push.example.org"]
    assert read["REGISTRATION_ACL"] == ["localhost"]
    assert (read["MAX_TTL"], read["DEFAULT_TTL"], read["REQUIRE_TTL"]) == (2_592_000, 86_400, False)
    assert read["SESSION_COOKIE_SECURE"] is True
    assert read["DEBUG"] is False


def test_an_ipv6_address_is_an_allowed_host_as_browsers_write_it() -> None:
    assert load(PUBLIC_URL="https://[2001:DB8::1]:8443")["ALLOWED_HOSTS"][0] == "[2001:db8::1]"


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "PUBLIC_URL", "XMPP_COMPONENT_JID", "XMPP_COMPONENT_SECRET"]
)
def test_it_is_required(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for missing in ("", "  "):
        line = refusal(capsys, **{name: missing})
        assert (
            line == f"{name} is missing. Set it in the environment or in .env (see .env.example)."
        )
        os.environ.update(ENVIRONMENT)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 50),
        ("DEBUG", "maybe"),
        ("PUBLIC_URL", "push.example.org"),
        ("PUBLIC_URL", "ftp://push.example.org"),
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", "https://push.example.org:99999"),
        ("PUBLIC_URL", "https://push.example.org:0"),
        ("PUBLIC_URL", "https://push.example.org/?a=b"),
        ("PUBLIC_URL", "https://push.example.org/#a"),
        ("PUBLIC_URL", "https://push.example.org?"),
        ("PUBLIC_URL", "https://push.example.org#"),
        ("PUBLIC_URL", "https://user@push.example.org"),
        ("PUBLIC_URL", "https://push example.org"),
        ("PUBLIC_URL", "https://push.example.org/a b"),
        ("PUBLIC_URL", "https://püsh.example.org"),
        ("PUBLIC_URL", "https://[::1"),
        ("PUBLIC_URL", "https://push.example.org/" + "a" * 900),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "mysql://u:p@localhost/push"),
        ("DATABASE_URL", "postgres://u:p@localhost:port/push"),
        ("RUN_DIR", "/tmp/" + "x" * 103),
        ("XMPP_COMPONENT_JID", "user@up.localhost"),
        ("XMPP_COMPONENT_JID", "up.localhost/resource"),
        ("XMPP_COMPONENT_JID", "up localhost"),
        ("XMPP_COMPONENT_JID", "@"),
        ("XMPP_COMPONENT_PORT", "0"),
        ("XMPP_COMPONENT_PORT", "65536"),
        ("XMPP_COMPONENT_PORT", "xmpp"),
        ("REGISTRATION_TTL", "59"),
        ("REGISTRATION_TTL", "30d"),
        ("MAX_ENDPOINTS_PER_ACCOUNT", "0"),
        ("DEFAULT_TTL", "-1"),
        ("DEFAULT_TTL", "1.5"),
        ("MAX_TTL", "2147483649"),
        ("MAX_TTL", "9" * 50),
        ("REQUIRE_TTL", "2"),
        ("MAX_STORED_PER_ENDPOINT", "\N{ARABIC-INDIC DIGIT SIX}"),
        ("PUSH_RATE_PER_ENDPOINT", "2"),
        ("PUSH_RATE_PER_ENDPOINT", "0/s burst 100"),
        ("PUSH_RATE_PER_ENDPOINT", "2/s burst 0"),
        ("PUSH_RATE_PER_ACCOUNT", "2/d burst 100"),
        ("ACK_TIMEOUT", "0"),
        ("MAX_IN_FLIGHT_PER_DEVICE", "401"),
        ("MESSAGE_LOG_HOURS", "-1"),
        ("STATS_DAYS", "0"),
        ("LEGACY_UP_SECRETS", "c2hvcnQ="),
        ("LEGACY_UP_SECRETS", "not base64!"),
        ("LEGACY_UP_SECRETS", "dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXU"),
        ("LEGACY_UP_SECRETS", "dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV="),
        ("LEGACY_UP_SECRETS", "secret-token:paseto.v3.local:" + "ab" * 32),
        ("LEGACY_UP_SECRETS", ",".join(["dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXU="] * 21)),
        ("LEGACY_PROSODY_PASETO_KEYS", "ab" * 32),
        ("LEGACY_PROSODY_PASETO_KEYS", "secret-token:paseto.v3.local:" + "ab" * 31),
        ("LEGACY_PROSODY_PASETO_KEYS", "secret-token:paseto.v3.local:" + "xy" * 32),
        ("LEGACY_PROSODY_PASETO_KEYS", "secret-token:paseto.v4.local:" + "ab" * 32),
        ("LEGACY_PROSODY_PASETO_KEYS", "k3.local." + "A" * 43),
        ("LEGACY_PROSODY_JWT_SECRETS", "x" * 31),
        ("LEGACY_PROSODY_JWT_SECRETS", "x" * 40 + ",short"),
        ("LEGACY_PROSODY_JWT_SECRETS", "secret-token:paseto.v3.local:" + "ab" * 32),
        ("LEGACY_PROSODY_JWT_SECRETS", "ssh-rsa " + "A" * 60),
        (
            "LEGACY_PROSODY_JWT_SECRETS",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        ),
        ("LEGACY_EJABBERD_KEYS", "mysecret"),
        ("LEGACY_EJABBERD_KEYS", "A" * 42),
        ("LEGACY_EJABBERD_KEYS", "A" * 45),
        ("LEGACY_EJABBERD_KEYS", "+/" * 30),
        ("LEGACY_EJABBERD_KEYS", "A" * 43 + "==="),
        ("LEGACY_EJABBERD_KEYS", '{"kty":"oct"}'),
        ("LEGACY_UNTIL", "tomorrow"),
        ("LEGACY_UNTIL", "2027-02-30"),
    ],
)
def test_it_is_wrong(name: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(capsys, **{name: value}).startswith(name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "weak"),
        ("LEGACY_UP_SECRETS", "aGFsZiBhIHNlY3JldA=="),
        ("DATABASE_URL", "mysql://user:hidden@localhost/push"),
    ],
)
def test_a_refusal_names_no_secret(
    name: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refusal(capsys, **{name: value})
    assert value not in line.replace("too weak", "")
    assert "hidden" not in line


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("SECRET_KEY", "$" + SECRET, "$" + SECRET),
        ("SECRET_KEY", f"{SECRET}#=\"'\\ %s{{}}", f"{SECRET}#=\"'\\ %s{{}}"),
        ("XMPP_COMPONENT_SECRET", "$HOME", "$HOME"),
        ("XMPP_COMPONENT_SECRET", " s p a c e ", "s p a c e"),
        ("SECRET_KEY_FALLBACKS", " a, b ,,c", ["a", "b", "c"]),
        ("DEBUG", "Yes", True),
        ("DEBUG", "", False),
        ("PUBLIC_URL", "http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("PUBLIC_URL", "https://[::1]:8443", "https://[::1]:8443"),
        ("PUBLIC_URL", "https://example.org/push//", "https://example.org/push"),
        ("XMPP_COMPONENT_JID", "Up.Example.ORG", "up.example.org"),
        ("XMPP_COMPONENT_PORT", "", 5347),
        ("REGISTRATION_ACL", "*", ["*"]),
        ("MAX_TTL", "2147483648", 2**31),
        ("PUSH_RATE_PER_ENDPOINT", "off", None),
        ("PUSH_RATE_PER_ENDPOINT", "", Rate(2.0, 100)),
        ("PUSH_RATE_PER_ACCOUNT", "90/m burst 5", Rate(1.5, 5)),
        ("PUSH_RATE_PER_ACCOUNT", "0.5/h burst 1", Rate(0.5 / 3600, 1)),
        ("LEGACY_UNTIL", "2027-01-31", "2027-01-31"),
        ("LEGACY_EJABBERD_KEYS", "A" * 43 + "=", ["A" * 43 + "="]),
        ("LEGACY_EJABBERD_KEYS", "A" * 43 + ",," + "B" * 86, ["A" * 43, "B" * 86]),
        ("LEGACY_PROSODY_JWT_SECRETS", "ü" * 16, ["ü" * 16]),
        (
            "LEGACY_PROSODY_PASETO_KEYS",
            "secret-token:paseto.v3.local:" + "Ab" * 32,
            ["secret-token:paseto.v3.local:" + "Ab" * 32],
        ),
    ],
)
def test_it_is_right(name: str, value: str, read: object) -> None:
    assert load(**{name: value})[name] == read


def test_the_parent_domain_may_register() -> None:
    assert load(XMPP_COMPONENT_JID="up.example.org")["REGISTRATION_ACL"] == ["example.org"]
    assert load(XMPP_COMPONENT_JID="single")["REGISTRATION_ACL"] == ["single"]


def test_plain_http_needs_no_secure_cookies() -> None:
    assert load(PUBLIC_URL="http://localhost:8000")["SESSION_COOKIE_SECURE"] is False


def test_a_database() -> None:
    config = database_config("postgres://u:p@db/push")
    assert config["ENGINE"] == "django.db.backends.postgresql"
    assert config["HOST"] == "db"
    assert database_config(f"sqlite:///{DATABASE}")["NAME"] == str(DATABASE)


@pytest.mark.parametrize(
    "url",
    [
        "postgres://u@%2Frun%2FPostgres/push",
        "postgres://u@//run/Postgres/push",
        "postgres://u@/push?host=/run/Postgres",
    ],
)
def test_a_database_behind_a_unix_socket(url: str) -> None:
    config = database_config(url)
    options = config["OPTIONS"]
    assert isinstance(options, dict)
    assert config["NAME"] == "push"
    assert config["USER"] == "u"
    assert config["HOST"] or options["host"] == "/run/Postgres"
    assert config["HOST"] in ("/run/Postgres", "")


def test_postgresql_is_asked_to_sync_and_to_answer_in_time() -> None:
    options = database_config("postgres://u:p@db/push?sslmode=require&connect_timeout=9")["OPTIONS"]
    assert isinstance(options, dict)
    assert "synchronous_commit=on" in options["options"]
    assert (options["sslmode"], options["connect_timeout"]) == ("require", 9)


# --- files ----------------------------------------------------------------------------------------


@pytest.fixture
def dotenv(tmp_path: Path) -> Path:
    """A .env, not yet written."""
    return tmp_path / ".env"


def test_a_secret_from_a_file(tmp_path: Path, dotenv: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    os.environ["ONE_SECRET_FILE"] = str(tmp_path / "secret")
    os.environ["ONE_SECRET"] = "the file wins"
    assert Reader(dotenv).text("ONE_SECRET") == SECRET


@pytest.mark.parametrize("file", ["missing", ".", "binary"])
def test_a_file_that_cannot_be_read(
    file: str, tmp_path: Path, dotenv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    os.environ["TWO_SECRET_FILE"] = str(tmp_path / file)
    with pytest.raises(SystemExit) as caught:
        Reader(dotenv).text("TWO_SECRET")
    assert caught.value.code == EXIT_CONFIG
    assert capsys.readouterr().err.startswith("pushprovider: TWO_SECRET_FILE cannot be read")


def test_dotenv(dotenv: Path) -> None:
    dotenv.write_text(f"# a comment\nDOT_ONE={SECRET}#$x\nDOT_TWO='quoted'\nexport DOT_THREE=3\n")
    os.environ["DOT_TWO"] = "the environment wins"
    read = Reader(dotenv)
    assert read.text("DOT_ONE") == f"{SECRET}#$x"
    assert read.text("DOT_TWO") == "the environment wins"
    assert read.integer("DOT_THREE", 0, 0, 9) == 3
    assert read.names == ["DOT_ONE", "DOT_TWO", "DOT_THREE"]


def test_dotenv_names_another_file(dotenv: Path) -> None:
    dotenv.write_text("REGISTRATION_TTL=61\n")
    assert load(DOTENV=str(dotenv))["REGISTRATION_TTL"] == 61
    del os.environ["REGISTRATION_TTL"]
    assert load(DOTENV=os.devnull)["REGISTRATION_TTL"] == 2_592_000


def test_dotenv_stands_beside_manage_py(dotenv: Path, tmp_path: Path) -> None:
    """A copy of settings.py: the tester's own .env is not read."""
    dotenv.write_text("REGISTRATION_TTL=61\n")
    (tmp_path / "upconfig").mkdir()
    copy = str(shutil.copy(product.__file__, tmp_path / "upconfig"))
    del os.environ["DOTENV"]
    assert runpy.run_path(copy)["REGISTRATION_TTL"] == 61


def test_what_tests_start_reads_no_dotenv() -> None:
    assert plain_environment()["DOTENV"] == os.devnull


def test_without_dotenv_nothing_is_missing(dotenv: Path) -> None:
    assert Reader(dotenv).text("DOT_NOWHERE", "default") == "default"


# --- the processes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [["manage.py", "check"], ["-m", "daphne", "-p", "0", "upconfig.asgi:application"]],
    ids=["manage.py", "daphne"],
)
def test_a_process_ends_with_one_line(command: list[str]) -> None:
    environment = plain_environment() | ENVIRONMENT | {"XMPP_COMPONENT_SECRET": ""}
    done = python(*command, env=environment)
    assert done.returncode == EXIT_CONFIG
    assert done.stdout == ""
    assert done.stderr.startswith("pushprovider: XMPP_COMPONENT_SECRET is missing.")
    assert len(done.stderr.splitlines()) == 1


def test_a_process_that_starts_says_nothing_of_a_folder_that_it_may_not_make() -> None:
    """As under deploy/systemd: the program's own folder is read-only, data/static is not there."""
    begin = """
from django.conf import settings
settings.STATIC_ROOT = "/nowhere"
import upconfig.asgi
"""
    environment = (
        plain_environment() | ENVIRONMENT | {"DJANGO_SETTINGS_MODULE": "upconfig.settings"}
    )
    done = python("-c", begin, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
