"""How pg_dump reaches the database: as Django does, with all that DATABASE_URL says."""

from __future__ import annotations

from typing import Any

from psycopg import pq
from psycopg.conninfo import make_conninfo


class Unspeakable(Exception):
    """An option is a secret that could only stand on the command line; the text is its name."""


def place(database: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """Return libpq's words for Django's entry `database`, and the variables with the secrets.

    The words stand on a command line, where everybody on the machine can read them. An option
    that pg_dump's own libpq does not know is an error of pg_dump's, not one silently left out:
    without it the connection might not be verified. Raises Unspeakable.
    """
    known = {one.keyword.decode(): one for one in pq.Conninfo.get_defaults()}
    options: dict[str, Any] = {k: v for k, v in database["OPTIONS"].items() if k in known}
    for keyword, name in (
        ("dbname", "NAME"),
        ("user", "USER"),
        ("password", "PASSWORD"),
        ("host", "HOST"),
        ("port", "PORT"),
    ):
        if database.get(name):
            options[keyword] = database[name]
    secrets = {}
    for keyword in [one for one in options if known[one].dispchar == b"*"]:
        variable = known[keyword].envvar
        if variable is None:
            raise Unspeakable(keyword)
        secrets[variable.decode()] = str(options.pop(keyword))
    return make_conninfo(**options), secrets
