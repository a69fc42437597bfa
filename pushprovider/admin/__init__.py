"""What operators see and do, over Django's own admin."""

# Django imports this package and nothing below it: each of these registers its models.
from pushprovider.admin import accounts, audit, endpoints, groups, messages, people  # noqa: F401
