"""Write the dumps of this release: `python -m tests.upgrade` from the project's folder.

Do it once for each release, when it is tagged, and never again: what operators have is what that
release wrote. While a release is not out yet they are made anew with each change of the schema.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from pushprovider import __version__
from tests.real.process import plain_environment
from tests.real.provider import MANAGE, PROJECT
from tests.real.store import new_store
from tests.upgrade.past import FOLDER, SETTINGS, write

#: What an operator's server holds: endpoints alive, expired, revoked, blocked; messages of every
#: state; counters; a login. Times are in 2026, and in 2100 for what must still be alive.
FILL = """
from django.contrib.auth.models import User
from pushprovider.models import *
from pushprovider.fields import to_datetime as at
from pushprovider.store import status
then, never = 1_790_000_000_000, 4_102_444_800_000
app = "YXBwYXBwYXBwYXBwYXBwYXBwYXBwYXBwYXBwYXBwYXA="
other = "b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcm90aGVyb3Q="
juliet = Account.objects.create(jid="juliet@localhost", created_at=at(then), last_seen_at=at(then))
tybalt = Account.objects.create(jid="tybalt@localhost", created_at=at(then), blocked_at=at(then))
def registration(account, key, application, **more):
    return Registration.objects.create(account=account, key=key * 16, resource="phone",
        application=application, instance=other, created_at=at(then), renewed_at=at(then),
        **{"expires_at": at(never), **more})
live = registration(juliet, b"L", app)
registration(juliet, b"R", other, revoked_at=at(then), revoked_reason="operator")
registration(tybalt, b"B", app)
for number, state in enumerate(MessageState):
    waits = state <= MessageState.SENT
    Message.objects.create(uid=f"{number:014x}{'m' * 22}", registration=live, account=juliet,
        state=state, urgency=number % 4, topic="news" if number == 1 else "", ttl=86400, size=5,
        payload=b"hello" if waits else b"", accepted_at=at(then), expires_at=at(never),
        sent_at=None if state == 0 else at(then), sent_to="juliet@localhost/phone", attempts=1,
        settled_at=None if waits else at(never), condition="")
Sender.objects.create(registration=live, user_agent="Mastodon/4.5", count=7, last_at=at(then))
HourlyCount.objects.create(hour=at(then), name="accepted", label="normal", count=8)
status.tell(status.XMPP, "down", then)
User.objects.create_superuser("operator", password="of the past")
"""


def main() -> None:
    """For each kind of store: make a database with this release, fill it, dump it."""
    for kind in ("sqlite", "postgresql"):
        with tempfile.TemporaryDirectory() as folder:
            store = new_store(kind, Path(folder))
            store.make()
            environment = plain_environment() | SETTINGS
            environment |= {"DATABASE_URL": store.url, "RUN_DIR": folder}
            for command in (["migrate", "--noinput", "-v", "0"], ["shell", "-v", "0", "-c", FILL]):
                subprocess.run([*MANAGE, *command], env=environment, cwd=PROJECT, check=True)
            target = FOLDER / kind / f"{__version__}.sql"
            target.write_text(write(store), encoding="utf-8")
        sys.stdout.write(f"{target}\n")


if __name__ == "__main__":
    main()
