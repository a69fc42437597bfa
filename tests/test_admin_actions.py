"""What operators do: block, unblock, revoke, erase, send a test push; and who may."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from pushprovider.admin import endpoints
from pushprovider.admin.groups import make_groups
from pushprovider.models import Account, Message, MessageState, Registration, Sender
from pushprovider.naming import endpoint_hash
from pushprovider.stats import Count
from tests.cast import ApplicationServer, Phone, counted


def member(name: str) -> Client:
    """Return a browser of a member of a group."""
    user = User.objects.create_user(name, is_staff=True)
    user.groups.add(Group.objects.get(name=name))
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.fixture
def people(store: None) -> Iterator[None]:
    """The groups, and nobody in them afterwards."""
    from django.apps import apps

    make_groups(apps.get_app_config("pushprovider"), using="default")
    yield
    LogEntry.objects.all().delete()
    User.objects.all().delete()


@pytest.fixture
def operator(people: None) -> Client:
    """A browser of an operator's."""
    return member("operator")


@pytest.fixture
def viewer(people: None) -> Client:
    """A browser of somebody who may only look."""
    return member("viewer")


def act(browser: Client, rows: list[Model], action: str, **more: str) -> Any:
    """Post an action on rows, as the list's form does."""
    address = reverse(f"admin:pushprovider_{rows[0]._meta.model_name}_changelist")
    form = {"action": action, "_selected_action": [str(row.pk) for row in rows], **more}
    return browser.post(address, form)


def shown(browser: Client, what: Model | type[Model]) -> str:
    """Return the page of a row, or a model's list."""
    name = f"admin:pushprovider_{what._meta.model_name}"
    is_list = isinstance(what, type)
    address = (
        reverse(f"{name}_changelist") if is_list else reverse(f"{name}_change", args=[what.pk])
    )
    return browser.get(address).content.decode()


def log() -> list[tuple[str, str, str]]:
    """Return the audit log, oldest first."""
    entries = LogEntry.objects.order_by("pk").select_related("user")
    return [(str(one.user), one.object_repr, one.change_message) for one in entries]


def test_it_blocks_after_a_question(operator: Client, phone: Phone) -> None:
    server = ApplicationServer()
    endpoint = phone.register()
    server.post(endpoint)
    juliet = Account.objects.get()
    question = act(operator, [juliet], "block")
    assert question.status_code == 200
    assert b"juliet@localhost" in question.content
    assert b'name="reason"' in question.content
    assert not Account.objects.get().is_blocked

    assert act(operator, [juliet], "block", post="yes", reason="spam").status_code == 302
    juliet.refresh_from_db()
    assert juliet.is_blocked
    assert juliet.blocked_reason == "spam"
    assert phone.states() == ["gone"]
    assert phone.waiting() == []
    assert server.post(endpoint).status == 410
    assert log() == [("operator", "juliet@localhost", "Blocked. Reason: spam")]
    assert counted(Count.SETTLED) == {"gone": 1}

    assert act(operator, [juliet], "unblock").status_code == 302
    assert server.post(endpoint).status == 201
    assert log()[1] == ("operator", "juliet@localhost", "Unblocked. No reason given.")


def test_it_revokes_after_a_question(operator: Client, phone: Phone) -> None:
    server = ApplicationServer()
    endpoint = phone.register()
    server.post(endpoint)
    row = phone.registration()
    assert act(operator, [row], "revoke").status_code == 200
    assert phone.registration().revoked_at is None
    act(operator, [row], "revoke", post="yes", reason="stolen")
    row.refresh_from_db()
    assert (row.revoked_at is not None, row.revoked_reason) == (True, "operator")
    assert phone.states() == ["gone"]
    assert server.post(endpoint).status == 410
    [(who, what, why)] = log()
    assert (who, why) == ("operator", "Revoked. Reason: stolen")
    assert what.endswith("of juliet@localhost")


def test_it_revokes_all_of_a_user(operator: Client, phone: Phone) -> None:
    phone.register("chat")
    phone.register("news")
    act(operator, [Account.objects.get()], "revoke_endpoints", post="yes")
    assert Registration.objects.filter(revoked_at=None).count() == 0
    assert len(log()) == 2


def test_it_sends_a_test_push(operator: Client, phone: Phone) -> None:
    phone.register()
    answer = act(operator, [phone.registration()], "send_test_push")
    assert answer.status_code == 302
    [message] = phone.messages()
    assert message.state == MessageState.QUEUED
    assert b"test push" in bytes(message.payload)
    assert counted(Count.ACCEPTED) == {"high": 1}
    assert message.uid in log()[0][2]


def test_it_sends_no_test_push_to_what_has_ended(operator: Client, phone: Phone) -> None:
    phone.register()
    act(operator, [phone.registration()], "revoke", post="yes")
    act(operator, [phone.registration()], "send_test_push")
    assert phone.messages() == []


def test_an_endpoint_of_somebody_blocked_is_shown_so_and_gets_no_test_push(
    operator: Client, phone: Phone
) -> None:
    phone.register()
    row = phone.registration()
    juliet = Account.objects.get()
    act(operator, [juliet], "block", post="yes")
    listed, page, user = (shown(operator, one) for one in (Registration, row, juliet))
    assert 'class="pill bad">blocked<' in page
    assert 'class="pill good">active<' not in listed + page + user
    assert ("Send test push" in page, "Revoke" in page) == (False, True)
    act(operator, [row], "send_test_push")
    assert f"Endpoint {endpoint_hash(bytes(row.key))} has ended" in shown(operator, Registration)
    assert phone.messages() == []


def test_it_says_how_many_test_pushes_were_left_out(
    operator: Client, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "TESTS", 2)
    for app in ("chat", "news", "mail"):
        phone.register(app)
    act(operator, list(Registration.objects.all()), "send_test_push")
    page = shown(operator, Registration)
    assert "Test pushes on their way: 2." in page
    assert "Left out: 1." in page
    assert len(phone.messages()) == 2


def test_it_erases_everything_about_somebody(operator: Client, phone: Phone) -> None:
    server = ApplicationServer()
    endpoint = phone.register()
    server.post(endpoint, user_agent="Mastodon/4")
    romeo = Phone("romeo@localhost/phone")
    romeo.register()
    juliet = Account.objects.get(jid="juliet@localhost")
    act(operator, [juliet], "block", post="yes", reason="juliet asked for it")
    act(operator, [phone.registration()], "revoke", post="yes")
    question = act(operator, [juliet], "erase")
    assert question.status_code == 200
    assert b'name="reason"' not in question.content  # the log would not keep it
    assert b"keeps only that somebody was erased" in question.content
    assert Account.objects.filter(pk=juliet.pk).exists()

    assert act(operator, [juliet], "erase", post="yes").status_code == 302
    assert [row.jid for row in Account.objects.all()] == ["romeo@localhost"]
    assert Registration.objects.count() == 1
    assert (Message.objects.count(), Sender.objects.count()) == (0, 0)
    assert "juliet" not in str(log())
    assert log()[-1] == ("operator", "an erased user", "Erased, with everything about it.")
    assert server.post(endpoint).status == 404


def test_a_jid_finds_what_was_done_to_the_user_and_to_the_endpoints(
    operator: Client, phone: Phone
) -> None:
    romeo = Phone("romeo@localhost/phone")
    for one in (phone, romeo):
        one.register()
        act(operator, [one.registration()], "revoke", post="yes")
    act(operator, [Account.objects.get(jid="juliet@localhost")], "block", post="yes")
    for text, number in (
        ("juliet@localhost", 2),
        ("xmpp:Juliet@LOCALHOST/phone", 2),
        ("romeo@localhost", 1),
        ("operator", 3),
        ("et@localhost", 0),
        ("localhost", 0),
    ):
        page = operator.get(reverse("admin:admin_logentry_changelist"), {"q": text})
        assert len(page.context["cl"].result_list) == number, text


@pytest.mark.parametrize("confirmed", [{}, {"post": "yes"}])
@pytest.mark.parametrize("action", ["block", "unblock", "revoke_endpoints", "erase"])
def test_a_viewer_may_not_act_on_users(
    viewer: Client, phone: Phone, action: str, confirmed: dict[str, str]
) -> None:
    phone.register()
    assert act(viewer, [Account.objects.get()], action, **confirmed).status_code == 403
    assert not Account.objects.get().is_blocked
    assert log() == []


@pytest.mark.parametrize("action", ["revoke", "send_test_push"])
def test_a_viewer_may_not_act_on_endpoints(viewer: Client, phone: Phone, action: str) -> None:
    phone.register()
    assert act(viewer, [phone.registration()], action, post="yes").status_code == 403
    assert phone.registration().revoked_at is None
    assert phone.messages() == []


def test_a_viewer_sees_no_verbs(viewer: Client, phone: Phone) -> None:
    phone.register()
    for row in (Account.objects.get(), phone.registration()):
        address = reverse(f"admin:pushprovider_{row._meta.model_name}_change", args=[row.pk])
        page = viewer.get(address)
        assert page.status_code == 200
        assert b'name="action"' not in page.content


def test_a_verb_leads_back_to_its_page(operator: Client, phone: Phone) -> None:
    phone.register()
    key = str(Account.objects.get().pk)
    answer = act(operator, [Account.objects.get()], "block", post="yes", back=key)
    assert answer.headers["Location"] == f"/admin/pushprovider/account/{key}/change/"


def test_odd_choices_are_refused(operator: Client, phone: Phone) -> None:
    phone.register()
    address = reverse("admin:pushprovider_account_changelist")
    odd = {"action": "block", "_selected_action": "1 OR 1=1", "post": "yes"}
    assert operator.post(address, odd).status_code == 400
    all_of_them = odd | {"_selected_action": "1", "select_across": "1"}
    assert operator.post(address, all_of_them).status_code == 400
    assert (
        operator.post(address, {"action": "nonsense", "_selected_action": "1"}).status_code == 302
    )
    assert not Account.objects.get().is_blocked


def test_a_number_too_great_for_a_row_is_no_row(operator: Client, phone: Phone) -> None:
    phone.register()
    juliet = Account.objects.get()
    for model in (Account, Registration):
        address = reverse(f"admin:pushprovider_{model._meta.model_name}_changelist")
        action = "block" if model is Account else "send_test_push"
        form = {"action": action, "_selected_action": "9" * 23, "post": "yes", "back": "9" * 23}
        assert operator.post(address, form, follow=True).status_code == 200
    act(operator, [juliet, Account(pk=10**22)], "block", post="yes")
    assert Account.objects.get().is_blocked
    assert len(log()) == 1


def test_deleting_is_no_action(operator: Client, phone: Phone) -> None:
    phone.register()
    act(operator, [Account.objects.get()], "delete_selected", post="yes")
    key = Account.objects.get().pk
    address = reverse("admin:pushprovider_account_delete", args=[key])
    assert operator.post(address, {"post": "yes"}).status_code == 403
    assert Account.objects.count() == 1
