"""`manage.py move_store`: everything arrives, or nothing; the old store takes nothing more."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real import postgres
from tests.real.ports import LOOPBACK, free_port
from tests.real.process import ManagedProcess, plain_environment
from tests.real.python import python
from tests.real.store import PostgresStore, SqliteStore, Store
from tests.settings import ENVIRONMENT, ROOT

FILL = """
import os
from django.contrib.auth.models import Group, User
from pushprovider.fields import now_ms
from pushprovider.models import Registration, RevocationReason
from pushprovider.stats import Count
from pushprovider.store import operators, registrations
from pushprovider.store.attempts import Answer, Work
from pushprovider.store.post import Limits, Post
from pushprovider.store.registrations import Request
from pushprovider.store.save import save
from pushprovider.store.settle import write_down
from pushprovider.models import MessageState
user = User.objects.create_superuser("ops", password="secret")
user.groups.add(Group.objects.get(name="operator"))
now = now_ms()
for number in range(20):
    jid = f"n\\N{SNOWMAN}{number}@example.org"
    registrations.register(Request(jid, "phone'\\\\", "A" * 43 + "=", "B" * 43 + "="), now)
keys = [bytes(row.key) for row in Registration.objects.order_by("pk")]
bodies = [bytes(range(256)), b"", b"\\\\.\\n\\t\\x00\\\\N", os.urandom(4096)]
posts = [Post(key, body, 3600, topic="t" * (body == b"")) for key in keys for body in bodies]
saved = save(posts, now, Limits())
done = [Answer(one.uid, "x@example.org/y", MessageState.DELIVERED, now) for one in saved[:10]]
write_down(Work(answers=done), now)
operators.block([Registration.objects.last().account_id], "spam", user.pk, now)
registrations.revoke([Registration.objects.first().pk], RevocationReason.OWNER, now)
"""
LOOK = """
import hashlib
from django.contrib.auth.models import User
from pushprovider.models import Message
for row in Message.objects.select_related("account", "registration").order_by("pk"):
    digest = hashlib.sha256(bytes(row.payload)).hexdigest()
    print(row.pk, row.uid, row.state, digest, row.account.jid, row.account.domain,
          bytes(row.registration.key).hex(), row.registration.revoked_at, row.account.blocked_at)
user = User.objects.get()
print(user.check_password("secret"), user.is_superuser, user.date_joined, list(user.groups.all()))
print(sorted(map(str, user.get_all_permissions()))[:5], user.logentry_set.count())
"""
POST = """
from pushprovider.fields import now_ms
from pushprovider.models import Message, Registration
from pushprovider.store.post import Limits, Post
from pushprovider.store.save import save
last = Message.objects.latest("pk").pk
key = bytes(Registration.objects.filter(revoked_at=None).first().key)
[saved] = save([Post(key, b"new", 60)], now_ms(), Limits())
print(saved.ttl, Message.objects.latest("pk").pk > last)
"""


class Operator:
    """Runs management commands on a store."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir

    def run(self, store: Store, *command: str) -> subprocess.CompletedProcess[str]:
        environment = plain_environment() | ENVIRONMENT
        environment |= {"DATABASE_URL": store.url, "RUN_DIR": str(self.run_dir)}
        return python("manage.py", *command, env=environment)

    def does(self, store: Store, *command: str) -> str:
        done = self.run(store, *command)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def shell(self, store: Store, code: str) -> str:
        return self.does(store, "shell", "-v", "0", "-c", code)

    def cannot(self, old: Store, new: Store) -> str:
        """Return why a move is refused."""
        done = self.run(old, "move_store", "--to", new.url)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> SqliteStore:
    """A store with everything in it."""
    folder = tmp_path_factory.mktemp("filled")
    store, operator = SqliteStore(folder), Operator(folder)
    operator.does(store, "migrate", "-v", "0")
    operator.shell(store, FILL)
    return store


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """The operator, with a run folder."""
    return Operator(tmp_path)


@pytest.fixture
def old(filled: SqliteStore, tmp_path: Path) -> SqliteStore:
    """A copy of that store."""
    store = filled.copy(tmp_path)
    store.make()
    return store


@pytest.fixture
def new() -> Iterator[PostgresStore]:
    """A new database."""
    postgres.shared().start()
    store = PostgresStore(postgres.shared())
    store.make()
    yield store
    store.lose()


def test_it_moves_everything(old: SqliteStore, new: PostgresStore, operator: Operator) -> None:
    before = operator.shell(old, LOOK)
    assert len(before.splitlines()) == 82
    said = operator.does(old, "move_store", "--to", new.url)
    assert "pushprovider_message: 80 rows" in said
    assert "Moved and checked." in said
    assert operator.shell(new, LOOK) == before
    assert operator.shell(new, POST) == "60 True\n"  # with a key of its own
    assert operator.does(new, "migrate", "--check") is not None


def test_the_old_store_takes_nothing_more(
    old: SqliteStore, new: PostgresStore, operator: Operator
) -> None:
    operator.does(old, "move_store", "--to", new.url)
    assert "this store has moved" in operator.run(old, "shell", "-v", "0", "-c", POST).stderr
    component = operator.run(old, "runxmppcomponent")
    assert (component.returncode, len(component.stderr.splitlines())) == (78, 1)
    assert "has been moved before" in operator.cannot(old, new)
    operator.does(old, "move_store", "--reopen")
    assert operator.shell(old, POST) == "60 True\n"


def test_a_dry_run_changes_nothing(
    old: SqliteStore, new: PostgresStore, operator: Operator
) -> None:
    said = operator.does(old, "move_store", "--dry-run", "--to", new.url)
    assert "pushprovider_message: 80 rows" in said
    assert new.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
    assert operator.shell(old, POST) == "60 True\n"


def test_what_a_crashed_component_left_in_doubt_moves_along(
    old: SqliteStore, new: PostgresStore, operator: Operator
) -> None:
    (operator.run_dir / "component.lock").write_bytes((77).to_bytes(8, "big"))
    operator.does(old, "move_store", "--to", new.url)
    query = "SELECT value FROM pushprovider_status WHERE name = 'claimed'"
    assert new.rows(query) == [("77",)]


def test_it_does_not_mix_two_stores(
    old: SqliteStore, new: PostgresStore, operator: Operator
) -> None:
    operator.does(new, "migrate", "-v", "0")
    operator.shell(new, "from django.contrib.auth.models import User; User(username='x').save()")
    assert "not empty: auth_user" in operator.cannot(old, new)
    assert operator.shell(old, POST) == "60 True\n"


def test_it_does_not_move_under_a_running_component(
    old: SqliteStore, new: PostgresStore, operator: Operator
) -> None:
    environment = plain_environment() | ENVIRONMENT | {"DATABASE_URL": old.url}
    environment |= {"RUN_DIR": str(operator.run_dir), "XMPP_COMPONENT_PORT": str(free_port())}
    environment |= {"XMPP_COMPONENT_HOST": LOOPBACK}
    command = [sys.executable, "manage.py", "runxmppcomponent"]
    component = ManagedProcess("xmpp", command, environment, ROOT, operator.run_dir / "log")
    component.start(lambda: "cannot connect" in component.log_text())
    try:
        assert "runxmppcomponent is running" in operator.cannot(old, new)
    finally:
        component.kill()
    operator.does(old, "move_store", "--to", new.url)


def test_a_move_that_fails_can_be_run_again(
    old: SqliteStore, new: PostgresStore, operator: Operator
) -> None:
    old.rows("UPDATE pushprovider_registration SET resource = %s WHERE id = 20", "x" * 1024)
    assert "too long" in operator.cannot(old, new)
    assert new.rows("SELECT count(*) FROM pushprovider_message") == [(0,)]
    old.rows("UPDATE pushprovider_registration SET resource = %s WHERE id = 20", "x" * 1023)
    operator.does(old, "move_store", "--to", new.url)
    assert new.rows("SELECT count(*) FROM pushprovider_message") == [(80,)]


def test_a_target_that_is_not_there(
    old: SqliteStore, new: PostgresStore, operator: Operator
) -> None:
    done = operator.run(old, "move_store", "--to", new.url + "x")
    assert done.returncode == 1
    assert "does not exist" in done.stderr
    done = operator.run(old, "move_store", "--to", "mysql://x/y")
    assert (done.returncode, done.stderr.startswith("pushprovider: --to must")) == (78, True)
