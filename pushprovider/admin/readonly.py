"""Lists that do not count, and pages that read like answers: verbs in place of Save."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from pushprovider.admin.finding import is_key
from pushprovider.admin.pages import PagedList

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:  # Django's class takes no parameters at run time
    Base = admin.ModelAdmin


class ReadOnlyAdmin(Base):
    """Rows are made by phones and application servers, not by hand."""

    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # facets count
    sortable_by: ClassVar[tuple[str, ...]] = ()  # most columns have no index
    ordering: ClassVar[tuple[str, ...]] = ("-id",)
    #: (action, label) of the buttons on a row's page, and which of them end something.
    verbs: ClassVar[tuple[tuple[str, str], ...]] = ()
    endings: ClassVar[frozenset[str]] = frozenset()

    # --- permissions ----------------------------------------------------------------------------

    def has_add_permission(self, _request: HttpRequest, *_args: Any) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _row: Any = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _row: Any = None) -> bool:
        return False

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """True for those who may act, which is Django's permission to change."""
        return self._may(request, "change")

    def has_erase_permission(self, request: HttpRequest) -> bool:
        """True for those who may delete everything about somebody."""
        return self._may(request, "delete")

    def _may(self, request: HttpRequest, verb: str) -> bool:
        return bool(request.user.has_perm(f"{self.opts.app_label}.{verb}_{self.opts.model_name}"))

    # --- the list -------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        del request, kwargs
        return PagedList

    def decorate(self, rows: Sequence[Any]) -> None:
        """Fetch what a page of rows needs beyond its own table, in one query for all of them."""

    def get_search_results(
        self, _request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """Search by indexes only; Django's own search reads every row."""
        text = search_term.strip()
        return (self.find(queryset, text) if text else queryset), False

    def find(self, queryset: Any, _text: str) -> Any:
        """Return the rows that a text means."""
        return queryset.none()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Refuse actions that this operator may not do, instead of ignoring them."""
        if request.method == "POST":
            asked = set(request.POST.getlist("action")) & {str(name) for name in self._names()}
            if asked - set(self.get_actions(request)):
                raise PermissionDenied
            chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
            if not all(key.isdecimal() for key in chosen):
                raise BadRequest("Rows are named by their numbers.")
            # No row has a number that the database has no room for.
            form = request.POST.copy()
            form.setlist(ACTION_CHECKBOX_NAME, [key for key in chosen if is_key(key)])
            request.POST = form  # type: ignore[assignment]  # Django's own is as good when changed
            if request.POST.get("select_across", "0") != "0":
                raise BadRequest("There is no action on all rows at once.")
        return super().changelist_view(request, extra_context)

    def _names(self) -> list[str]:
        return [getattr(action, "__name__", str(action)) for action in self.actions or ()]

    @staticmethod
    def keys(rows: QuerySet[Any]) -> list[int]:
        """Return the chosen rows' keys."""
        return list(rows.values_list("pk", flat=True))

    @staticmethod
    def operator(request: HttpRequest) -> int:
        """Return the key of the operator, for the audit log."""
        return int(request.user.pk or 0)

    def back(self, request: HttpRequest) -> HttpResponse | None:
        """Return to the row's page if the verb was pressed there, else to the list."""
        key = request.POST.get("back", "")
        if key.isdecimal():
            return redirect(f"admin:pushprovider_{self.opts.model_name}_change", key)
        return None

    # --- one row --------------------------------------------------------------------------------

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002  # Django passes it by name
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show what is known of a row. Its verbs are posted to the list's actions."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        row = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            messages.warning(request, f"This {self.opts.verbose_name} does not exist any more.")
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        allowed = self.get_actions(request)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "row": row,
            "verbs": [
                (name, label, name in self.endings)
                for name, label in self.verbs_of(row)
                if name in allowed
            ],
            **self.about(row),
            **(extra_context or {}),
        }
        template = f"admin/pushprovider/{self.opts.model_name}.html"
        return TemplateResponse(request, template, context)

    def verbs_of(self, _row: Any) -> Sequence[tuple[str, str]]:
        """Return the verbs that make sense for a row as it is."""
        return self.verbs

    def about(self, row: Model) -> dict[str, Any]:
        """Return what the page of a row shows."""
        return {"title": str(row)}
