"""The Django app."""

from django.apps import AppConfig


class PushproviderConfig(AppConfig):
    name = "pushprovider"
    verbose_name = "Push"
