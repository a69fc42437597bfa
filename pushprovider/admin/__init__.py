"""What operators see and do in the browser. site.py has the pages, the other files one each."""

from pushprovider.admin import accounts, audit, endpoints, groups, messages, people
from pushprovider.admin.site import site

__all__ = ["accounts", "audit", "endpoints", "groups", "messages", "people", "site"]
