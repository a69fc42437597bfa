"""`manage.py migrate_config`: the configuration of up, Prosody and ejabberd as .env lines."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
from base64 import b64encode
from pathlib import Path
from typing import Any

import environ
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushprovider.peerconfig import files, lua
from pushprovider.peerconfig.luavalues import UNKNOWN
from pushprovider.peerconfig.result import BadConfig, Migrated
from tests.real.python import python
from upconfig.env import Reader

SECRET = b64encode(bytes(range(32))).decode()
UP: dict[str, Any] = {
    "component": {
        "hostname": "localhost",
        "port": 5348,
        "jid": "up.example.org",
        "sharedSecret": "s3cr3t",
    },
    "registration": {"sharedSecret": SECRET, "uri": "https://up.example.org/push/{token}"},
    "webServer": {"ip": "127.0.0.1", "port": 6677},
}
COMPONENT = """
admins = { "admin@example.org" }
modules_enabled = { "roster"; "tls", "smacks" }
http_external_url = "https://push.example.org/"
VirtualHost "example.org"
Component "notify.example.org" "unified_push"
    unified_push_backend = "jwt"
    unified_push_secret = "an old secret of more than thirty-two letters"
"""
EJABBERD = f"""
hosts: [example.org]
listen:
  - port: 5443
    module: ejabberd_http
    tls: true
    request_handlers:
      /up: mod_unified_push
modules:
  mod_unified_push:
    expiration: 3600
    jwk: {{kty: oct, k: {"a4-_" * 11}}}
"""


def migrate(folder: Path, name: str, text: object, host: str = "") -> dict[str, str]:
    """Return the settings that a file comes to, as they would stand in .env."""
    return dict(line.split("=", 1) for line in result(folder, name, text, host).lines())


def result(folder: Path, name: str, text: object, host: str = "") -> Migrated:
    file = folder / name
    written = text if isinstance(text, str) else json.dumps(text)
    file.write_text(written, encoding="utf-8")
    return files.migrate(file, host)


def refusal(folder: Path, name: str, text: object, host: str = "") -> str:
    with pytest.raises(BadConfig) as caught:
        result(folder, name, text, host)
    [line] = str(caught.value).splitlines()
    return line


def prosody(folder: Path, text: str, host: str = "") -> dict[str, str]:
    return migrate(folder, "prosody.cfg.lua", text, host)


def notes(folder: Path, name: str, text: object) -> str:
    return "\n".join(result(folder, name, text).notes)


# --- the command ----------------------------------------------------------------------------------


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it as on a machine where nothing is configured yet."""
    return python("manage.py", "migrate_config", *arguments, env={"PATH": os.environ["PATH"]})


def test_it_works_without_any_settings(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(UP), encoding="utf-8")
    done = run(str(file))
    assert done.returncode == 0
    assert f"LEGACY_UP_SECRETS={SECRET}" in done.stdout.splitlines()
    assert all(line.startswith("# ") for line in done.stderr.splitlines())


def test_a_bad_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\x7fELF\xff\xfe")
    for name in ("missing", "", "binary"):
        done = run(str(tmp_path / name))
        assert (done.returncode, done.stdout) == (1, "")
        assert len(done.stderr.splitlines()) == 1


# --- up -------------------------------------------------------------------------------------------


def test_up(tmp_path: Path) -> None:
    assert migrate(tmp_path, "config.json", UP) == {
        "XMPP_COMPONENT_JID": "up.example.org",
        "XMPP_COMPONENT_SECRET": "s3cr3t",
        "XMPP_COMPONENT_HOST": "localhost",
        "XMPP_COMPONENT_PORT": "5348",
        "PUBLIC_URL": "https://up.example.org",
        "REGISTRATION_ACL": "*",
        "LEGACY_UP_SECRETS": SECRET,
    }
    assert "BIND=127.0.0.1 PORT=6677" in notes(tmp_path, "config.json", UP)


@pytest.mark.parametrize(
    ("uri", "public", "needs_help"),
    [
        ("https://up.example.org/push/{token}", "https://up.example.org", False),
        ("https://example.org/up/push/{token}", "https://example.org/up", False),
        ("https://up.example.org:8443/push{?token}", "https://up.example.org:8443", True),
        ("http://up.example.org/p/{token}", "http://up.example.org", True),
    ],
)
def test_ups_template(uri: str, public: str, needs_help: bool, tmp_path: Path) -> None:
    config = UP | {"registration": {"sharedSecret": SECRET, "uri": uri}}
    assert migrate(tmp_path, "config.json", config)["PUBLIC_URL"] == public
    assert ("reverse proxy pass them on" in notes(tmp_path, "config.json", config)) is needs_help


@pytest.mark.parametrize(
    "change",
    [
        {"component": None},
        {"component": {}},
        {"component": UP["component"] | {"port": True}},
        {"component": UP["component"] | {"port": 70000}},
        {"registration": {"sharedSecret": "c2hvcnQ=", "uri": "https://x/push/{token}"}},
        {"registration": {"sharedSecret": "!" * 44, "uri": "https://x/push/{token}"}},
        {"registration": {"sharedSecret": SECRET, "uri": "x"}},
        {"registration": {"sharedSecret": SECRET, "uri": "https://x/push/"}},
        {"registration": []},
        {"webServer": 1},
        {"webServer": {"ip": "::1", "port": "x"}},
    ],
)
def test_what_up_would_not_start_with(change: dict[str, object], tmp_path: Path) -> None:
    assert "up's configuration" in refusal(tmp_path, "config.json", UP | change)


# --- Prosody --------------------------------------------------------------------------------------


def test_prosody_as_a_component(tmp_path: Path) -> None:
    assert prosody(tmp_path, COMPONENT) == {
        "XMPP_COMPONENT_JID": "notify.example.org",
        "REGISTRATION_ACL": "example.org",
        "PUBLIC_URL": "https://push.example.org",
        "LEGACY_PROSODY_JWT_SECRETS": '"an old secret of more than thirty-two letters"',
    }


def test_prosody_on_a_virtual_host(tmp_path: Path) -> None:
    text = 'modules_enabled = { "unified_push" }\nVirtualHost "example.org"\n'
    assert prosody(tmp_path, text) == {
        "REGISTRATION_ACL": "example.org",
        "PUBLIC_URL": "https://example.org:5281",
    }
    said = notes(tmp_path, "prosody.cfg.lua", text)
    assert "a component cannot be called" in said
    assert "import_prosody --host example.org --data-path /var/lib/prosody" in said


def test_a_component_takes_its_module_from_its_own_list_only(tmp_path: Path) -> None:
    text = 'modules_enabled = { "unified_push" }\nComponent "muc.example.org" "muc"\n'
    assert "no host" in refusal(tmp_path, "prosody.cfg.lua", text)
    assert "XMPP_COMPONENT_JID" in prosody(
        tmp_path, 'Component "push.example.org" "http" modules_enabled = { "unified_push" }'
    )


def test_one_of_several_hosts(tmp_path: Path) -> None:
    text = (
        'modules_enabled = { "unified_push" }\nVirtualHost "a.example"\nVirtualHost "b.example"\n'
    )
    assert "a.example, b.example" in refusal(tmp_path, "prosody.cfg.lua", text)
    assert prosody(tmp_path, text, "B.example")["REGISTRATION_ACL"] == "b.example"
    assert "on c.example" in refusal(tmp_path, "prosody.cfg.lua", text, "c.example")
    only = text.replace('"a.example"', '"a.example"\nmodules_disabled = { "unified_push" }')
    assert prosody(tmp_path, only)["REGISTRATION_ACL"] == "b.example"


@pytest.mark.parametrize(
    ("options", "public"),
    [
        ("", "https://notify.example.org:5281"),
        ("https_ports = { 443 }", "https://notify.example.org"),
        ("https_ports = {} http_ports = { 5280 }", "http://notify.example.org:5280"),
        ("https_ports = 8443", "https://notify.example.org:8443"),
        ('http_host = "push.example.org"', "https://push.example.org:5281"),
        ('http_external_url = "https://x.example/base/"', "https://x.example/base"),
    ],
)
def test_where_prosodys_endpoints_are(options: str, public: str, tmp_path: Path) -> None:
    text = f'{options}\nComponent "notify.example.org" "unified_push"'
    assert prosody(tmp_path, text)["PUBLIC_URL"] == public


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ("", "--data-path /var/lib/prosody"),
        ('data_path = "/srv/prosody"', "--data-path /srv/prosody"),
        ('storage = "sql"', "--sqlite /var/lib/prosody/prosody.sqlite"),
        (
            'storage = { unified_push = "sql" } sql = { driver = "SQLite3", database = "/x.db" }',
            "--sqlite /x.db",
        ),
        ('storage = { archive = "sql" }', "--data-path /var/lib/prosody"),
        ('storage = "sql" sql = { driver = "PostgreSQL" }', "--csv FILE"),
    ],
)
def test_where_prosody_keeps_its_tokens(options: str, where: str, tmp_path: Path) -> None:
    text = f'{options}\nComponent "notify.example.org" "unified_push"'
    assert f"import_prosody --host notify.example.org {where}" in notes(
        tmp_path, "prosody.cfg.lua", text
    )


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ('http_external_url = "https://push.example.org/"', "https://push.example.org/push"),
        ("", "https://notify.example.org:5281/push"),
        (
            'http_paths = { push = "/up/" } http_external_url = "https://x.example"',
            "https://x.example/up",
        ),
    ],
)
def test_the_old_urls_of_what_is_imported(options: str, url: str, tmp_path: Path) -> None:
    text = f'{options}\nComponent "notify.example.org" "unified_push"'
    said = notes(tmp_path, "prosody.cfg.lua", text).split("\n")
    assert [line.rpartition(" ")[2] for line in said if "--url" in line] == [url]


@pytest.mark.parametrize(
    ("backend", "rows", "key"),
    [("storage", 1, 0), ("paseto", 0, 1), ("jwt", 0, 0), ("", 1, 1)],
)
def test_what_is_taken_out_of_prosodys_store(
    backend: str, rows: int, key: int, tmp_path: Path
) -> None:
    option = f'unified_push_backend = "{backend}"\n' if backend else ""
    said = notes(tmp_path, "prosody.cfg.lua", f'{option}Component "n.example" "unified_push"')
    assert (said.count("Take its endpoints over"), said.count("--paseto-keys")) == (rows, key)


def test_prosodys_acl_and_time(tmp_path: Path) -> None:
    text = """
    local day = 24 * 60 * 60
    unified_push_registration_ttl = 60*day
    unified_push_acl = { "example.org", "friend@example.net" }
    component_ports = { 5350 }
    Component "notify.example.org" "unified_push"
    """
    found = prosody(tmp_path, text)
    assert found["REGISTRATION_ACL"] == "example.org,friend@example.net"
    assert found["REGISTRATION_TTL"] == "5184000"
    assert found["XMPP_COMPONENT_PORT"] == "5350"
    assert "61 days after" in notes(tmp_path, "prosody.cfg.lua", text)


def test_included_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "push.cfg.lua").write_text(COMPONENT, encoding="utf-8")
    for line in ('Include "conf.d/*.cfg.lua"', f'Include("{tmp_path}/conf.d/push.cfg.lua")'):
        assert prosody(tmp_path, line)["XMPP_COMPONENT_JID"] == "notify.example.org"
    assert "out of the folder" in refusal(tmp_path, "x.cfg.lua", 'Include "../*.lua"')
    assert "include each other" in refusal(tmp_path, "y.cfg.lua", 'Include "y.cfg.lua"')


def test_nothing_is_run(tmp_path: Path) -> None:
    text = (
        f'os.execute("touch {tmp_path}/ran")\n'
        f'local f = io.open("{tmp_path}/ran", "w")\n'
        "for i = 1, 3 do if i then print(i) end end\n"
        'while true do print("end") end\n'
        "repeat x() until true\n"
        "local function f() return function() end end\n"
        "table.insert(modules_enabled, {\n  'x'\n})\n"
        'unified_push_secret = os.getenv("SECRET")\n'
        'unified_push_acl = { Lua.env.x, "example.org" }\n'
        'Component "notify.example.org" "unified_push"\n'
    )
    found = result(tmp_path, "prosody.cfg.lua", text)
    assert not (tmp_path / "ran").exists()
    assert found.settings["REGISTRATION_ACL"] == ["example.org"]
    assert "LEGACY_PROSODY_JWT_SECRETS" not in found.settings
    said = "\n".join(found.notes)
    for word in ("'os'", "'for'", "'while'", "'repeat'", "'function'", "'table'"):
        assert f"{word} was passed over" in said
    assert "unified_push_secret is left out" in said


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('"plain"', "plain"),
        (r"'it\'s \"x\" \\ \65\066\x43\u{263A}'", 'it\'s "x" \\ ABC☺'),
        (r'"\195\188"', "ü"),
        ("[[long\n[x] ]]", "long\n[x] "),
        ("[==[\na]]b]==]", "a]]b"),
        ('"a" .. "b" .. 1', "ab1"),
        ("0x10", 16),
        ("1e3", 1000),
        ("-3", -3),
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("true", True),
        ("nil", None),
        ("{ 1, 'b'; c = 2, ['d e'] = 3, [7] = 4, }", {1: 1, 2: "b", "c": 2, "d e": 3, 7: 4}),
        ("f(1)(2).x", UNKNOWN),
        ("10^400", UNKNOWN),
        ("1/0", UNKNOWN),
        ("1 == 1", UNKNOWN),
        ("#x", UNKNOWN),
    ],
)
def test_a_value(written: str, value: object) -> None:
    reader = lua.Reader(lambda name: [])
    reader.read(f"x = {written} -- and a remark\ny = 1")
    assert reader.hosts[0].options == {"x": value, "y": 1}


@pytest.mark.parametrize(
    "text",
    [
        "x = ",
        "x = {",
        "x = { 1 2",
        "x = }",
        "x = [[ no end",
        "--[[ no end",
        'x = "no end',
        "= 1",
        "{}",
        "Component = 1",
        "VirtualHost 7",
        "x = " + "{" * 5000,
        "x = " + "(" * 5000,
        "x = " + "- " * 5000 + "1",
        "x = " + "not " * 5000 + "1",
        "x = f" + "(f" * 5000,
        "x = 'a' $",
        "\0",
        "1" * 10_000,
    ],
)
def test_what_is_not_prosodys_language(text: str, tmp_path: Path) -> None:
    assert len(refusal(tmp_path, "prosody.cfg.lua", text)) < 200


@given(st.text(alphabet="x=\"'{}[]()-.,;\n end function if Component 12\\*/", max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(BadConfig):
        lua.Reader(lambda name: []).read(text)


# --- ejabberd -------------------------------------------------------------------------------------


def test_ejabberd(tmp_path: Path) -> None:
    assert migrate(tmp_path, "ejabberd.yml", EJABBERD) == {
        "LEGACY_EJABBERD_KEYS": "a4-_" * 11,
        "PUBLIC_URL": "https://example.org:5443",
        "REGISTRATION_ACL": "example.org",
    }
    assert "a component cannot be called" in notes(tmp_path, "ejabberd.yml", EJABBERD)


def test_ejabberds_key_for_each_host(tmp_path: Path) -> None:
    one_key, two_key = "b25l" * 11, "dHdv" * 11
    text = f"""
    hosts: [A.example, b.example, c.example]
    modules: {{mod_ping: {{}}}}
    host_config:
      a.example: {{modules: {{mod_unified_push: {{jwk: {{kty: oct, k: {one_key}}}}}}}}}
    append_host_config:
      b.example: {{modules: {{mod_unified_push:
        {{jwk: {{kty: oct, k: {two_key}}}, push_url: "https://push.@HOST@/up"}}}}}}
    """
    both = migrate(tmp_path, "ejabberd.yml", text)
    assert both["LEGACY_EJABBERD_KEYS"] == f"{one_key},{two_key}"
    assert both["REGISTRATION_ACL"] == "a.example,b.example"
    one = migrate(tmp_path, "ejabberd.yml", text, "b.example")
    assert one == {
        "LEGACY_EJABBERD_KEYS": two_key,
        "PUBLIC_URL": "https://push.b.example",
        "REGISTRATION_ACL": "b.example",
    }


@pytest.mark.parametrize(
    ("jwk", "said"),
    [
        ("", "ejabberd made up a key"),
        ("jwk: {kty: RSA, n: x}", "is left out"),
        ("jwk: {kty: oct, k: 12}", "is left out"),
        ("jwk: {kty: oct, k: a+/b}", "is left out"),
        ("jwk: {kty: oct, k: mysecret}", "must have 32 bytes at least"),
        ("jwk: SECRET_MACRO", "is left out"),
    ],
)
def test_a_key_that_does_not_carry_over(jwk: str, said: str, tmp_path: Path) -> None:
    text = f"hosts: [example.org]\nmodules:\n  mod_unified_push: {{{jwk}}}\n"
    assert said in notes(tmp_path, "ejabberd.yml", text)
    assert "LEGACY_EJABBERD_KEYS" not in migrate(tmp_path, "ejabberd.yml", text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "- a",
        "text",
        "a: b: c",
        "{" * 3000,
        "hosts: x",
        "hosts: []",
        "hosts: [a.example]\nmodules: []",
        "!!python/object/apply:os.system [true]",
        "a: &a [*a]",
    ],
)
def test_what_is_not_ejabberds(text: str, tmp_path: Path) -> None:
    refusal(tmp_path, "ejabberd.yml", text)


# --- files ----------------------------------------------------------------------------------------


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 1_000_001)
    (tmp_path / "latin").write_bytes(b'-- \xe4\nVirtualHost "x"')
    for name, said in (
        ("large", "more than"),
        ("latin", "UTF-8"),
        ("no", "no such"),
        ("", "no such"),
    ):
        with pytest.raises(BadConfig, match=said):
            files.migrate(tmp_path / name)


def test_a_file_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    assert "XMPP_COMPONENT_JID" in migrate(tmp_path, "prosody.cfg", COMPONENT)
    assert "LEGACY_UP_SECRETS" in migrate(tmp_path, "up.conf", UP)
    assert "LEGACY_EJABBERD_KEYS" in migrate(tmp_path, "ejabberd.conf", EJABBERD)


@given(st.text(min_size=1, max_size=40))
def test_what_is_written_is_read_again_or_left_out(secret: str) -> None:
    migrated = Migrated()
    migrated.set("XMPP_COMPONENT_SECRET", secret)
    if not migrated.settings.get("XMPP_COMPONENT_SECRET"):
        assert migrated.notes
        return
    [line] = migrated.lines()
    before = dict(os.environ)
    try:
        os.environ.pop("XMPP_COMPONENT_SECRET", None)
        environ.Env.read_env(io.StringIO(f"{line}\n"))
        assert Reader(Path("no such file")).text("XMPP_COMPONENT_SECRET") == secret
    finally:
        os.environ.clear()
        os.environ.update(before)
