"""What operators see of old endpoints: that they are old, and whose."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from pushprovider.models import Message, Registration
from tests.cast import ApplicationServer, Phone
from tests.legacy.tokens import FOLDER, PUSH, ejabberd, said_ejabberd, said_up, up

pytestmark = pytest.mark.usefixtures("moved")


@pytest.fixture
def operator(client: Client, store: None) -> Iterator[Client]:
    """A browser that is logged in as somebody who may see everything."""
    client.force_login(User.objects.create_superuser("ops", password="secret"))
    yield client
    User.objects.all().delete()


def page(operator: Client, name: str, *args: object) -> str:
    answer = operator.get(reverse(f"admin:pushprovider_{name}", args=args))
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_old_endpoint_says_who_issued_it(operator: Client, server: ApplicationServer) -> None:
    server.post(PUSH + ejabberd(said_ejabberd()))
    row = Registration.objects.get()
    assert '<span class="pill plain" title="legacy">ejabberd</span>' in page(
        operator, "registration_changelist"
    )
    assert "legacy: ejabberd" in page(operator, "registration_change", row.pk)
    message = Message.objects.get()
    assert 'title="legacy">ejabberd' in page(operator, "message_changelist")
    assert "another server issued, legacy: ejabberd" in page(operator, "message_change", message.pk)


def test_an_endpoint_of_ours_says_so(
    operator: Client, phone: Phone, server: ApplicationServer
) -> None:
    server.post(phone.register())
    assert "this server" in page(operator, "registration_change", phone.registration().pk)
    assert 'title="legacy"' not in page(operator, "registration_changelist")
    assert "an endpoint of this server" in page(operator, "message_change", phone.messages()[0].pk)


def test_an_imported_one_says_from_where_and_shows_no_token(operator: Client) -> None:
    call_command("import_prosody", data_path=FOLDER / "prosody-data", host="notify.example.org")
    row = Registration.objects.filter(resource="Conversations.r4nD").first()
    assert row is not None
    text = page(operator, "registration_change", row.pk)
    assert "legacy: Prosody (storage)" in text
    assert "notify.example.org" in text
    assert "the device keeps it" in text
    tokens = [path.name[:10] for path in FOLDER.glob("prosody-data/notify*/*/*.dat")]
    assert len(tokens) == 8
    assert not [token for token in tokens if token in text]


@pytest.mark.parametrize(("choice", "number"), [("own", 1), ("old", 2), ("up", 1), ("ejabberd", 1)])
def test_the_list_narrows_to_them(
    choice: str, number: int, operator: Client, phone: Phone, server: ApplicationServer
) -> None:
    phone.register("own")
    server.post(PUSH + up(said_up("romeo@localhost/a")))
    server.post(PUSH + ejabberd(said_ejabberd("nurse@localhost/b")))
    address = reverse("admin:pushprovider_registration_changelist")
    text = operator.get(address, {"legacy": choice}).content.decode()
    assert sum(name in text for name in ("juliet@", "romeo@", "nurse@")) == number
