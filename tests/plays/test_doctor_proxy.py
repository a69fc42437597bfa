"""The doctor names each mistake of a reverse proxy: a real nginx, with one mistake a site."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.real.doctor import Diagnosis, doctor
from tests.real.listening import mute
from tests.real.nginx import Nginx, Site
from tests.real.ports import free_port
from tests.real.provider import Provider
from tests.real.unpacking import unpacking

pytest_plugins = ["tests.real.steady"]

PASS = "        proxy_pass http://pushprovider;\n        proxy_connect_timeout 2s;\n"
LIMIT = "client_max_body_size 128k;"
HTTP = "    proxy_http_version 1.1;\n"


def instead(lines: str) -> list[tuple[str, str]]:
    """Replace what the example does with everything but websockets."""
    return [(PASS, f"        {lines}\n")]


def more(lines: str) -> list[tuple[str, str]]:
    """Add lines to the server block."""
    return [(HTTP, f"{HTTP}    {lines}\n")]


#: The mistake, what the doctor calls it, and a word of what it says.
BROKEN: list[tuple[Site, str, str]] = [
    (Site("redirect", instead("return 301 https://$host/up$request_uri;")), "web.redirect", "301"),
    (Site("login", more("deny all;")), "web.login", "403"),
    (Site("dead", instead(f"proxy_pass http://127.0.0.1:{free_port()};")), "web.down", "503"),
    (Site("page", instead("return 200 hello;")), "web.foreign", "200"),
    (Site("path", [(PASS, PASS.replace("provider;", "provider/x/;"))]), "web.foreign", "404"),
    *(
        (Site(f"no-{name}", more(f'proxy_set_header {name} "";')), "proxy.request-headers", name)
        for name in ("TTL", "Topic", "Urgency", "Authorization", "Content-Encoding")
    ),
    *(
        (Site(f"no-{name}", more(f"proxy_hide_header {name};")), "proxy.answer-headers", name)
        for name in ("Location", "Retry-After")
    ),
    (
        Site("no-cors", more("proxy_hide_header Access-Control-Allow-Origin;")),
        "proxy.cors",
        "removes",
    ),
    (
        Site("two-cors", more("add_header Access-Control-Allow-Origin * always;")),
        "proxy.cors",
        "doubles",
    ),
    (Site("small", [(LIMIT, "client_max_body_size 2k;")]), "proxy.body-small", "4,096"),
    (
        Site("pages", instead(f"{PASS} proxy_intercept_errors on; error_page 404 /404.html;")),
        "proxy.error-pages",
        "404",
    ),
    (
        Site("options", more("if ($request_method = OPTIONS) { return 204; }")),
        "proxy.options",
        "204",
    ),
    (Site("methods", more("if ($request_method = PUT) { return 405; }")), "proxy.method", "PUT"),
    (
        Site("websocket", [("    proxy_set_header Upgrade $http_upgrade;\n", "")]),
        "proxy.websocket",
        "/ws/live/",
    ),
]
DOUBTFUL: list[tuple[Site, str, str]] = [
    (Site("unlimited", [(LIMIT, "client_max_body_size 0;")]), "proxy.body-unlimited", "2 MB"),
    (
        Site("scheme", [("    proxy_set_header X-Forwarded-Proto $scheme;", "    #")]),
        "proxy.scheme",
        "https",
    ),
    (Site("host", [("Host $host;", "Host upstream.example;")]), "proxy.host", "upstream.example"),
    (
        Site("matrix", more("location /_matrix/ { return 301 https://matrix.example; }")),
        "proxy.matrix",
        "301",
    ),
    (Site("soon", days=10.5), "certificate.soon", "10 days left"),
]
CERTIFICATES: list[tuple[Site, str]] = [
    (Site("expired", days=-2), "expired"),
    (Site("last-day", days=0.5), "0 days left"),
    (Site("by-itself", by_itself=True), "signed by itself"),
    (Site("other-host", host="elsewhere.example"), "elsewhere.example"),
]
GOOD = Site("good")

Ask = Callable[..., Diagnosis]


@pytest.fixture(scope="module")
def product(steadies: Callable[[str], Provider]) -> Provider:
    """The product, which nothing is wrong with."""
    return steadies("prosody")


@pytest.fixture(scope="module")
def nginx(product: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """All sites of this page."""
    wrong = [site for site, *_ in BROKEN + DOUBTFUL] + [site for site, _ in CERTIFICATES]
    sites = [GOOD, *wrong]
    started = Nginx(tmp_path_factory.mktemp("nginx"), product.port, sites)
    started.start()
    yield started
    started.stop()


@pytest.fixture
def ask(product: Provider, nginx: Nginx) -> Ask:
    """Have the doctor look at a site."""

    def look(site: Site, **settings: object) -> Diagnosis:
        trusted = {"SSL_CERT_FILE": nginx.authority.file} | settings
        return doctor(product, "--only", "web", "--url", site.url, **trusted)

    return look


def name(value: object) -> str:
    return value.name if isinstance(value, Site) else ""


def test_the_example_is_right(ask: Ask) -> None:
    found = ask(GOOD)
    assert (found.exit_code, found.wrong, found.doubtful) == (0, set(), set())
    assert set(found.findings) == {"certificate.fine", "proxy.fine"}


def test_the_example_redirects_pages_only(nginx: Nginx) -> None:
    plain = f"http://127.0.0.1:{nginx.plain_port}"
    for path in ("push/x", "up/push/x", "message/x", "_matrix/push/v1/notify"):
        assert httpx.post(f"{plain}/{path}", trust_env=False).status_code == 404
    assert httpx.get(f"{plain}/", trust_env=False).status_code == 301


@pytest.mark.parametrize(("site", "code", "word"), BROKEN, ids=name)
def test_it_names_what_is_broken(ask: Ask, site: Site, code: str, word: str) -> None:
    ask(site).assert_only(code, word)


@pytest.mark.parametrize(("site", "code", "word"), DOUBTFUL, ids=name)
def test_it_names_what_is_worth_a_look(ask: Ask, site: Site, code: str, word: str) -> None:
    found = ask(site)
    assert (found.exit_code, found.wrong, found.doubtful) == (0, set(), {code})
    found.assert_says(code, word)


@pytest.mark.parametrize(("site", "words"), CERTIFICATES, ids=name)
def test_it_tells_bad_certificates_apart(ask: Ask, site: Site, words: str) -> None:
    ask(site).assert_only("certificate.bad", words)


def test_it_tells_an_issuer_that_nobody_knows(ask: Ask, tmp_path: Path) -> None:
    ask(GOOD, SSL_CERT_FILE="/dev/null").assert_only("certificate.bad", "issuer")


def test_it_tells_that_another_server_answers(ask: Ask) -> None:
    ask(GOOD, SECRET_KEY="of another server 0123456789 abcdefghi").assert_only("web.other-server")


def test_it_notices_a_proxy_that_unpacks_bodies(product: Provider) -> None:
    with unpacking(product.url) as url:
        found = doctor(product, "--only", "web", "--url", url)
    found.assert_only("proxy.body-changed", "bytes")


def test_it_tells_that_nothing_answers(product: Provider) -> None:
    found = doctor(product, "--only", "web", "--url", f"http://127.0.0.1:{free_port()}")
    found.assert_only("web.refused")


def test_it_tells_that_something_listens_and_does_not_answer(product: Provider) -> None:
    with mute() as port:
        found = doctor(product, "--only", "web", "--url", f"http://127.0.0.1:{port}")
    found.assert_only("web.timeout")


def test_it_tells_a_host_without_an_address(product: Provider) -> None:
    found = doctor(product, "--only", "web", "--url", "https://push.invalid")
    found.assert_only("web.unresolved")
