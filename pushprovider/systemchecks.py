"""Mistakes in the settings that can be seen without asking anybody: Django's system checks.

An error stops every management command, so the component too; a warning is only said.
docs/doctor.md has the list. What cannot work at all upconfig/env.py refuses before this.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.http.request import split_domain_port, validate_host
from slixmpp import JID, InvalidJID

from pushprovider.certificate import is_loopback

#: Servers keep a message for a sleeping phone so long, in seconds.
SERVERS_HOLD = 1800
SHORT_TOKEN = 16
#: What stands in deploy/ in place of the secret.
PLACEHOLDER = "CHANGE-ME"
#: Hints that the Health page gives, too.
NO_DEBUG = "Set DEBUG=false: its error pages show settings and data to anybody."
USE_HTTPS = (
    "Application servers refuse endpoints without https. Put a reverse proxy with a certificate in "
    "front (deploy/ has examples) and set PUBLIC_URL to its https address."
)


def check(**_kwargs: object) -> list[CheckMessage]:
    """Return every mistake; Django calls this."""
    return [*_web(), *_xmpp(), *_limits(), *_files()]


def install() -> None:
    """Have Django call check()."""
    register(check)


def _web() -> Iterator[CheckMessage]:
    public = urlsplit(settings.PUBLIC_URL)
    host = public.hostname or ""
    if settings.DEBUG and not is_loopback(host):
        words = "DEBUG is on, and others can reach PUBLIC_URL"
        yield Error(words, NO_DEBUG, id="pushprovider.E001")
    if public.scheme != "https" and not is_loopback(host):
        yield checks.Warning("PUBLIC_URL is not https", USE_HTTPS, id="pushprovider.W001")
    if public.path:
        hint = (
            "Only /push/ and /message/ work below it. Have the proxy take it off there, and pass "
            f"/admin/, /static/ and /ws/ of {public.netloc} as they are: the admin is without it."
        )
        words = f"PUBLIC_URL has a path, {public.path}"
        yield checks.Warning(words, hint, id="pushprovider.W009")
    if not validate_host(split_domain_port(public.netloc)[0], settings.ALLOWED_HOSTS):
        hint = "Add it, or leave ALLOWED_HOSTS out: the admin and the home page answer 400."
        yield checks.Warning(f"ALLOWED_HOSTS lacks {host}", hint, id="pushprovider.W006")
    if 0 < len(settings.METRICS_TOKEN) < SHORT_TOKEN:
        hint = "Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
        yield checks.Warning("METRICS_TOKEN can be guessed", hint, id="pushprovider.W005")


def _xmpp() -> Iterator[CheckMessage]:
    wrong = [one for one in settings.REGISTRATION_ACL if one != "*" and not is_jid(one)]
    if wrong:
        hint = "Entries are domains, bare JIDs, full JIDs, or * alone; separated by commas."
        words = f"REGISTRATION_ACL: {', '.join(wrong)} lets nobody in"
        yield Error(words, hint, id="pushprovider.E002")
    wrong = [one for one in settings.XMPP_ADMINS if "@" not in one or not is_jid(one)]
    if wrong:
        hint = "Entries are JIDs such as admin@example.org, separated by commas."
        words = f"XMPP_ADMINS: {', '.join(wrong)} is nobody"
        yield Error(words, hint, id="pushprovider.E003")
    if settings.XMPP_COMPONENT_SECRET == PLACEHOLDER:
        hint = "Think of a secret, here and in the XMPP server's configuration."
        words = f"XMPP_COMPONENT_SECRET is still {PLACEHOLDER}"
        yield Error(words, hint, id="pushprovider.E004")


def _limits() -> Iterator[CheckMessage]:
    if settings.ACK_TIMEOUT < SERVERS_HOLD:
        hint = "A phone may get messages twice: its server holds them for half an hour."
        words = f"ACK_TIMEOUT is under {SERVERS_HOLD} seconds"
        yield checks.Warning(words, hint, id="pushprovider.W002")
    if settings.DEFAULT_TTL > settings.MAX_TTL:
        hint = "MAX_TTL rules. Set DEFAULT_TTL to it, or lower."
        yield checks.Warning("DEFAULT_TTL is above MAX_TTL", hint, id="pushprovider.W003")
    if settings.MAX_STORED_PER_ENDPOINT > settings.MAX_STORED_PER_ACCOUNT:
        hint = "The account's limit rules. Raise it, or lower the endpoint's."
        words = "MAX_STORED_PER_ENDPOINT is above MAX_STORED_PER_ACCOUNT"
        yield checks.Warning(words, hint, id="pushprovider.W004")


def _files() -> Iterator[CheckMessage]:
    if settings.DOTENV.is_file() and _mode(settings.DOTENV) & stat.S_IROTH:
        hint = "chmod 640 .env: it holds secrets."
        yield checks.Warning(
            "Everybody on this machine can read .env", hint, id="pushprovider.W007"
        )
    if _mode(Path(settings.RUN_DIR)) & stat.S_IWOTH:
        hint = "chmod 700 it, or name a folder of its own: others could take the doorbell away."
        words = "Everybody on this machine can write into RUN_DIR"
        yield checks.Warning(words, hint, id="pushprovider.W008")


def is_jid(text: str) -> bool:
    """True if the text is a domain, a bare JID or a full JID."""
    try:
        return bool(JID(text).domain) and not any(char.isspace() for char in text)
    except InvalidJID:
        return False


def _mode(path: Path) -> int:
    """Return a file's mode, 0 if there is none."""
    try:
        return path.stat().st_mode
    except OSError:
        return 0
