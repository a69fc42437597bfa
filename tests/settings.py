"""The product's settings, read from an environment of the tests' own making.

pytest-django loads settings before any conftest.py. What the tester's shell or a .env says stays
out, and so does everything here from the processes that tests start.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path

from tests.real import postgres

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(tempfile.mkdtemp(prefix="pp-"))  # short: a socket's path has a limit
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)

#: Which store the tests run on: "sqlite" or "postgresql".
STORE = os.environ.get("PUSH_TEST_STORE", "sqlite")
assert STORE in {"sqlite", "postgresql"}, f"PUSH_TEST_STORE={STORE}"
#: A file, so that pytest, the database thread and a real daphne share it; or a database's name.
DATABASE = FOLDER / "pushprovider.sqlite3"
NAME = str(DATABASE) if STORE == "sqlite" else "push"
ENVIRONMENT = {
    "DOTENV": os.devnull,
    "SECRET_KEY": "of the tests only 0123456789 abcdefghijklmnop",
    "PUBLIC_URL": "https://push.example.org",
    "DATABASE_URL": (f"sqlite:///{DATABASE}" if STORE == "sqlite" else postgres.shared().url(NAME)),
    "RUN_DIR": str(FOLDER / "run"),
    "XMPP_COMPONENT_JID": "up.localhost",
    "XMPP_COMPONENT_SECRET": "a component's secret",
    "PUSH_RATE_PER_ENDPOINT": "off",
    "PUSH_RATE_PER_ACCOUNT": "off",
}
#: Every setting, by the file that a test holds against the code.
NAMES = re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)

for _name in NAMES:
    os.environ.pop(_name, None)
    os.environ.pop(f"{_name}_FILE", None)
os.environ.update(ENVIRONMENT)

from upconfig import settings as _product  # noqa: E402  # it reads the environment

globals().update({name: value for name, value in vars(_product).items() if name.isupper()})
_product.DATABASES["default"]["TEST"] = {"NAME": NAME}
#: The admin's tests make users: the real hash is slow on purpose.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
