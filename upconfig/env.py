"""Typed reads of the environment: a value is right, or the start ends with one clear line."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote, urlsplit

import environ

from upconfig.dotenv import DotenvError
from upconfig.dotenv import read as read_dotenv

#: sysexits.h EX_CONFIG: a supervisor can tell a wrong setting from a crash.
EXIT_CONFIG = 78

#: A Unix socket's path may have 108 bytes on Linux, the closing zero included.
LONGEST_SOCKET_PATH = 107

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}
_RATE = re.compile(r"(\d+(?:\.\d+)?)/(s|m|h) burst (\d+)", re.ASCII)
_PER = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True)
class Rate:
    """A token bucket: so many a second on average, so many at once."""

    per_second: float
    burst: int


def refuse(line: str) -> NoReturn:
    """End the process: print `line`, exit with 78."""
    print(f"pushprovider: {line}", file=sys.stderr)
    raise SystemExit(EXIT_CONFIG)


class Reader:
    """Reads settings from the environment, from .env, or from the file that NAME_FILE names.

    `names` lists every setting that was read; a test holds it against the documentation.
    """

    def __init__(self, dotenv: Path) -> None:
        try:
            read_dotenv(dotenv)
        except DotenvError as error:
            refuse(str(error))
        self._env = environ.FileAwareEnv()
        self.names: list[str] = []

    def text(self, name: str, default: str | None = None) -> str:
        """Return the value without outer white space; without a default it must be there."""
        self.names.append(name)
        try:
            # Not env.str(): that takes a value that begins with "$" for another variable's name.
            value = str(self._env.ENVIRON.get(name, default or "")).strip()
        except (OSError, ValueError) as error:
            refuse(f"{name}_FILE cannot be read: {type(error).__name__}")
        if not value and default is None:
            refuse(f"{name} is missing. Set it in the environment or in .env (see .env.example).")
        return value

    def integer(self, name: str, default: int, minimum: int, maximum: int) -> int:
        """Return a whole number within [minimum, maximum]."""
        value = self.text(name, str(default)) or str(default)
        if not re.fullmatch(r"-?[0-9]{1,18}", value) or not minimum <= int(value) <= maximum:
            refuse(f"{name} must be a whole number from {minimum} to {maximum}, not {value!r}.")
        return int(value)

    def boolean(self, name: str, *, default: bool) -> bool:
        """Return true for 1, true, yes, on and false for 0, false, no, off."""
        value = self.text(name, str(default)).lower()
        if value not in _TRUE | _FALSE:
            refuse(f"{name} must be true or false, not {value!r}.")
        return value in _TRUE

    def words(self, name: str, default: str = "") -> list[str]:
        """Return a comma-separated list, empty entries left out; an empty list is the default."""
        words = self.text(name, default) or default
        return [word.strip() for word in words.split(",") if word.strip()]

    def rate(self, name: str, default: str) -> Rate | None:
        """Return a rate such as `2/s burst 100`, or None for `off`."""
        value = self.text(name, default) or default
        if value.lower() == "off":
            return None
        match = _RATE.fullmatch(value)
        if match is None or float(match[1]) <= 0 or int(match[3]) < 1:
            refuse(f"{name} must look like '2/s burst 100', or be 'off', not {value!r}.")
        return Rate(float(match[1]) / _PER[match[2]], int(match[3]))

    def public_url(self, name: str) -> str:
        """Return an absolute http or https URL without a trailing slash."""
        return self.check_url(name, self.text(name))

    @staticmethod
    def check_url(name: str, given: str) -> str:
        """Return what was given as public_url() does."""
        value = given.rstrip("/")
        try:
            parts = urlsplit(value)
            wrong = (
                parts.scheme not in {"http", "https"}
                or not parts.hostname
                or parts.port == 0
                or any(char in value for char in "?#@")
                or not value.isascii()
                or any(char.isspace() for char in value)
            )
        except ValueError:
            wrong = True
        if wrong or len(value) > 900:
            refuse(f"{name} must be a URL such as https://push.example.org, not {value!r}.")
        return value

    def date(self, name: str) -> str:
        """Return an ISO date (YYYY-MM-DD), or nothing."""
        value = self.text(name, "")
        try:
            dt.date.fromisoformat(value or "2027-01-31")
        except ValueError:
            refuse(f"{name} must be a date such as 2027-01-31, not {value!r}.")
        return value


def default_folder(base: Path, name: str) -> Path:
    """Return base/name, made if needed and possible; a new one is readable by its owner only."""
    folder = base / name
    with contextlib.suppress(OSError):  # a read-only installation keeps its data elsewhere
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def database_config(url: str, name: str = "DATABASE_URL") -> dict[str, object]:
    """Return Django's DATABASES entry for a URL (sqlite or postgres) that `name` was given."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own line says it
            config: dict[str, object] = dict(environ.Env.db_url_config(url))
    except (ValueError, KeyError, environ.ImproperlyConfigured):
        refuse(f"{name} cannot be understood. Example: sqlite:////var/lib/push/push.sqlite3")
    engine = str(config.get("ENGINE", ""))
    if engine not in {"django.db.backends.sqlite3", "django.db.backends.postgresql"}:
        refuse(f"{name} must begin with sqlite:// or postgres://.")
    if engine.endswith("sqlite3"):
        config["OPTIONS"] = SQLITE_OPTIONS
        return config
    server = urlsplit(url).netloc.rpartition("@")[2]
    if server.lower().startswith("%2f"):  # a socket's folder, written as libpq's URLs have it
        config["HOST"] = unquote(server.partition(":")[0])
    given = config.get("OPTIONS")
    config["OPTIONS"] = POSTGRESQL_OPTIONS | (given if isinstance(given, dict) else {})
    return config


#: WAL: readers never wait for the writer. synchronous=FULL: a 201 survives a power cut, because
#: its commit is synced (docs/operators.md has what NORMAL would save and could lose, and
#: store/writing.py what is not synced).
#: IMMEDIATE: a transaction takes the write lock at once instead of failing half-way.
SQLITE_OPTIONS: dict[str, object] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 2,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;"
        "PRAGMA cache_size=-8192; PRAGMA journal_size_limit=67108864"
    ),
}

#: What a query in DATABASE_URL may change. In seconds but for tcp_user_timeout, which is in
#: milliseconds: a server that is gone without a word is noticed after about ten seconds.
#: synchronous_commit: a 201 survives a power cut, whatever the server's default is.
POSTGRESQL_OPTIONS: dict[str, object] = {
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "pushprovider",
    "options": "-c synchronous_commit=on",
}
