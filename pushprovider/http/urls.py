"""The paths that senders use. handler.py serves them, not Django's own handler."""

from django.urls import path

from pushprovider.http.message import message
from pushprovider.http.push import push

urlpatterns = [
    path("push/<str:token>", push),
    path("message/<str:uid>", message),
    path("up/push/<str:token>", push),  # where ejabberd's module usually is
]
