"""A list page by page, newest first, without COUNT(*): on big tables it is slow."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.http import HttpRequest

#: Skipping rows costs a little for each; whoever wants what is further back should filter.
LAST_PAGE = 200


class PagedList(ChangeList):
    """Fetches one row more than a page has, to know if there is another page."""

    model_admin: Any

    def get_results(self, request: HttpRequest) -> None:
        """Fill in what Django's templates ask of a list."""
        self.title = str(self.opts.verbose_name_plural).capitalize()
        if not 1 <= self.page_num <= LAST_PAGE:
            raise IncorrectLookupParameters
        size = self.list_per_page
        first = (self.page_num - 1) * size
        # Only keys are sorted and skipped: that needs nothing but an index.
        keys = list(self.queryset.values_list("pk", flat=True)[first : first + size + 1])
        self.has_older = len(keys) > size and self.page_num < LAST_PAGE
        found = {row.pk: row for row in self.root_queryset.filter(pk__in=keys[:size])}
        rows = [found[key] for key in keys[:size] if key in found]
        self.model_admin.decorate(rows)
        self.result_list = rows
        self.result_count = len(rows)
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = bool(rows)
        self.can_show_all = False
        self.multi_page = False  # the numbers of Django's pagination would need a count
        self.paginator = self.model_admin.get_paginator(request, rows, size)

    @property
    def newer(self) -> str:
        """The query string of the page before, or nothing on the first one."""
        return self.get_query_string({PAGE_VAR: self.page_num - 1}) if self.page_num > 1 else ""

    @property
    def older(self) -> str:
        """The query string of the page after, or nothing on the last one."""
        return self.get_query_string({PAGE_VAR: self.page_num + 1}) if self.has_older else ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Django calls it "Select user to view".
        self.title = str(self.opts.verbose_name_plural).capitalize()
