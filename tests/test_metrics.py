"""What Prometheus reads, and who may."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from pushprovider.fields import now_ms
from pushprovider.http import answers, metrics
from pushprovider.http.headers import ENCODINGS
from pushprovider.http.matrix import RESULTS
from pushprovider.models import MessageState, RevocationReason
from pushprovider.stats import HOUR_MS, Count, Counts, write
from pushprovider.store import housekeeping, registrations, status
from pushprovider.store.attempts import Answer as Outcome
from pushprovider.store.attempts import Work
from pushprovider.store.settle import write_down
from pushprovider.store.totals import Sums
from tests.cast import Answer, ApplicationServer, Phone, Stranger, ask
from tests.test_docs import table

URL = "https://push.example.org/metrics"
DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
TOKEN = "a token of the tests"
NAMES = {
    "pushprovider_messages_total",
    "pushprovider_accepted_total",
    "pushprovider_encodings_total",
    "pushprovider_matrix_total",
    "pushprovider_legacy_accepted_total",
    "pushprovider_rejected_total",
    "pushprovider_queue_messages",
    "pushprovider_queue_oldest_seconds",
    "pushprovider_delivery_seconds",
    "pushprovider_xmpp_connected",
    "pushprovider_xmpp_reconnects_total",
    "pushprovider_registrations",
    "pushprovider_revocations_total",
}


@pytest.fixture(autouse=True)
def _token(settings: Settings) -> Iterator[None]:
    settings.METRICS_TOKEN = TOKEN
    metrics._sums.cache_clear()
    yield
    metrics._sums.cache_clear()


def scrape(authorization: str = f"Bearer {TOKEN}") -> Answer:
    headers = {"authorization": authorization} if authorization else {}
    return ask("GET", URL, headers=headers)


def samples() -> dict[str, float]:
    """Return every sample, such as `pushprovider_accepted_total{urgency=high}`."""
    answer = scrape()
    assert answer.status == 200
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(answer.body.decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            found[sample.name + (f"{{{labels}}}" if labels else "")] = sample.value
    return found


def deliver_all(phone: Phone, after: int) -> None:
    """Let the phone have answered everything, `after` milliseconds after it was accepted."""
    waiting = [message for message in phone.messages() if message.state <= MessageState.SENT]
    done = [Outcome(message.uid, phone.jid, MessageState.DELIVERED) for message in waiting]
    write_down(Work(answers=done), now_ms() + after)


# --- who may ------------------------------------------------------------------------------------


def test_without_a_token_set_there_is_no_such_page(store: None, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    for authorization in ("", "Bearer", "Bearer ", f"Bearer {TOKEN}"):
        assert scrape(authorization).status == 404


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer \xff"],
)
def test_a_wrong_token_is_refused(authorization: str, store: None) -> None:
    answer = scrape(authorization)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert b"pushprovider_" not in answer.body


def test_the_scheme_may_be_written_in_any_case(store: None) -> None:
    assert scrape(f"bearer {TOKEN}").status == 200


def test_a_token_may_have_any_letters(store: None, settings: Settings) -> None:
    settings.METRICS_TOKEN = "jelszó"
    assert scrape("Bearer " + "jelszó".encode().decode("latin-1")).status == 200


def test_only_get_and_head(store: None) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    assert ask("POST", URL, headers=headers).status == 405
    head = ask("HEAD", URL, headers=headers)
    assert (head.status, head.body) == (200, b"")


def test_the_host_does_not_matter(store: None) -> None:
    headers = {"authorization": f"Bearer {TOKEN}", "host": "192.0.2.7:8000"}
    assert ask("GET", URL, headers=headers).status == 200


# --- what is there ------------------------------------------------------------------------------


def test_every_name_is_there_from_the_start(store: None) -> None:
    said = samples()
    families = {re.sub(r"(_bucket|_count|_sum)?(\{.*)?$", "", name) for name in said}
    assert families == NAMES
    assert set(said.values()) == {0}


def test_every_label_is_there_from_the_start(store: None) -> None:
    said = samples()
    for state in ("delivered", "expired", "replaced", "cancelled", "evicted", "gone"):
        assert said[f"pushprovider_messages_total{{state={state}}}"] == 0
    for state in ("active", "expired", "revoked"):
        assert said[f"pushprovider_registrations{{state={state}}}"] == 0
    for reason in RevocationReason:
        assert said[f"pushprovider_revocations_total{{reason={reason.value}}}"] == 0


def test_it_knows_every_reason_of_a_rejection() -> None:
    sample = {"seconds": 1, "allowed": "GET"}
    reasons = set()
    for _, function in inspect.getmembers(answers, inspect.isfunction):
        if function.__annotations__.get("return") == "Refused":
            needed = inspect.signature(function).parameters
            reasons.add(function(**{name: sample[name] for name in needed}).reason)
    assert set(metrics.REJECTIONS) == reasons


def test_what_came_encoded_how(phone: Phone, server: ApplicationServer) -> None:
    endpoint = phone.register()
    for encoding in ("aes128gcm", "AESGCM", "aesgcm128", "", "gzip"):
        server.post(endpoint, content_encoding=encoding)
    server.post(endpoint)
    said = samples()
    found = {
        label: said[f"pushprovider_encodings_total{{encoding={label}}}"] for label in ENCODINGS
    }
    assert found == {"aes128gcm": 1, "aesgcm": 2, "none": 2, "other": 1}


def test_the_gateway_is_counted(store: None) -> None:
    write(Counts({(Count.MATRIX, "accepted"): 2, (Count.MATRIX, "rejected"): 1}), now_ms())
    said = samples()
    assert {label: said[f"pushprovider_matrix_total{{result={label}}}"] for label in RESULTS} == {
        **dict.fromkeys(RESULTS, 0),
        "accepted": 2,
        "rejected": 1,
    }


def test_a_message_from_acceptance_to_delivery(phone: Phone, server: ApplicationServer) -> None:
    endpoint = phone.register()
    server.post(endpoint, urgency="high", ttl="60")
    said = samples()
    assert said["pushprovider_accepted_total{urgency=high}"] == 1
    assert said["pushprovider_queue_messages"] == 1
    assert 0 <= said["pushprovider_queue_oldest_seconds"] < 30
    deliver_all(phone, after=2000)
    said = samples()
    assert said["pushprovider_messages_total{state=delivered}"] == 1
    assert said["pushprovider_queue_messages"] == 0
    assert said["pushprovider_queue_oldest_seconds"] == 0
    assert said["pushprovider_delivery_seconds_count"] == 1
    assert 2 <= said["pushprovider_delivery_seconds_sum"] < 32


def test_the_histogram_is_cumulative(store: None) -> None:
    counts = {(Count.DELAY, "5"): 3, (Count.DELAY, "1000"): 2, (Count.DELAY, "inf"): 1}
    write(Counts({**counts, (Count.DELAY_MS, ""): 4_004_000}), now_ms())
    said = samples()
    buckets = [value for name, value in said.items() if "_bucket" in name]
    assert buckets == sorted(buckets)
    assert said["pushprovider_delivery_seconds_bucket{le=0.005}"] == 3
    assert said["pushprovider_delivery_seconds_bucket{le=1.0}"] == 5
    assert said["pushprovider_delivery_seconds_bucket{le=3600.0}"] == 5
    assert said["pushprovider_delivery_seconds_bucket{le=+Inf}"] == 6
    assert said["pushprovider_delivery_seconds_sum"] == 4004


def test_registrations_by_state(phone: Phone) -> None:
    now = now_ms()
    long_ago = now - 40 * 24 * HOUR_MS
    for app, when in (("a", now), ("b", now), ("c", now), ("d", long_ago), ("e", long_ago)):
        phone.register(app, now=when)
    for app, reason in (("b", RevocationReason.DEVICE), ("e", RevocationReason.OWNER)):
        registrations.revoke([phone.registration(app).pk], reason, now)
    said = samples()
    states = [said[f"pushprovider_registrations{{state={s}}}"] for s in ("active", "expired")]
    assert [*states, said["pushprovider_registrations{state=revoked}"]] == [2, 1, 2]
    assert said["pushprovider_revocations_total{reason=device}"] == 1


def test_it_tells_whether_the_stream_is_up(store: None) -> None:
    for value, expected in (("up", 1), ("down", 0)):
        status.tell(status.XMPP, value, now_ms())
        assert samples()["pushprovider_xmpp_connected"] == expected


def test_a_rejection_is_counted(store: None, stranger: Stranger) -> None:
    write(Counts({(Count.REJECTED, "unknown_token"): 2, (Count.REJECTED, "new"): 1}), now_ms())
    said = samples()
    assert said["pushprovider_rejected_total{reason=unknown_token}"] == 2
    assert said["pushprovider_rejected_total{reason=new}"] == 1


def test_nothing_secret_or_personal_is_in_it(phone: Phone, server: ApplicationServer) -> None:
    endpoint = phone.register()
    server.post(endpoint, ttl="60", user_agent="juliets own server")
    text = scrape().body.decode()
    for secret in ("juliet", "localhost", endpoint[-43:], phone.registration().application[:8]):
        assert secret not in text


# --- that it stays right ------------------------------------------------------------------------


def test_trimming_does_not_make_a_counter_go_down(store: None, settings: Settings) -> None:
    settings.STATS_DAYS = 1
    now = now_ms()
    for days in (0, 1, 2, 3):
        write(Counts({(Count.RECONNECTED, ""): 1}), now - days * 24 * HOUR_MS)
    assert samples()["pushprovider_xmpp_reconnects_total"] == 4
    housekeeping.trim(now)
    assert samples()["pushprovider_xmpp_reconnects_total"] == 4
    metrics._sums.cache_clear()  # as after a restart
    assert samples()["pushprovider_xmpp_reconnects_total"] == 4


def test_the_sums_are_right_while_hours_pass(store: None) -> None:
    sums, start = Sums(), now_ms()
    for hour in range(6):
        now = start + hour * HOUR_MS
        write(Counts({(Count.RENEWED, ""): 1}), now)
        assert [sums.read(now)[Count.RENEWED] for _ in "12"] == [{"": hour + 1}] * 2


def test_a_clock_that_went_back_counts_no_less(store: None) -> None:
    sums, now = Sums(), now_ms()
    write(Counts({(Count.RENEWED, ""): 1}), now)
    assert sums.read(now)[Count.RENEWED] == {"": 1}
    assert sums.read(now - 9 * HOUR_MS)[Count.RENEWED] == {"": 1}


# --- what comes with it -------------------------------------------------------------------------


def names_in(text: str) -> set[str]:
    """Return the names of metrics, without a histogram's suffixes."""
    found = set(re.findall(r"\bpushprovider_[a-z_]+", text))
    return {re.sub(r"^(pushprovider_delivery_seconds)_\w+$", r"\1", name) for name in found}


def test_the_alerts_use_these_names() -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus-alerts.yml").read_text(encoding="utf-8"))
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    used = set().union(*(names_in(rule["expr"]) for rule in alerts))
    assert used
    assert used <= NAMES
    assert all(rule["annotations"]["summary"] for rule in alerts)
    assert len({rule["alert"] for rule in alerts}) == len(alerts)


def test_the_dashboard_uses_these_names() -> None:
    board = json.loads((DEPLOY / "grafana-dashboard.json").read_text(encoding="utf-8"))
    queries = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    assert set().union(*map(names_in, queries)) == NAMES


def test_the_manual_lists_every_metric() -> None:
    stated = [names_in(cells[0]) for cells in table("docs/operators.md", "metric")]
    assert set().union(*stated) == NAMES
