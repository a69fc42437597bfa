"""The pages that Django's own handler serves; pushprovider/http/urls.py has the push paths."""

from django.urls import path

from pushprovider.admin.site import site
from pushprovider.http.health import healthz
from pushprovider.http.pages import home

urlpatterns = [
    path("", home),
    path("healthz", healthz),
    path("admin/", site.urls),
]
