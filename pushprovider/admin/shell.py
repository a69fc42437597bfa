"""What our own pages share: who may see them, and how they are rendered."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from pushprovider.admin.site import site


def require(request: HttpRequest, permission: str) -> None:
    """Refuse whoever lacks a permission on one of our models."""
    if not request.user.has_perm(f"pushprovider.{permission}"):
        raise PermissionDenied


def render(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    """Return a page within the admin's frame."""
    return TemplateResponse(request, template, {**site.each_context(request), **context})
