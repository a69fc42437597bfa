"""The Django app."""

from django.apps import AppConfig


class PushproviderConfig(AppConfig):
    """Its models, and the system checks of its settings."""

    name = "pushprovider"
    verbose_name = "Push"

    def ready(self) -> None:
        """Register the system checks."""
        from pushprovider import systemchecks

        systemchecks.install()
