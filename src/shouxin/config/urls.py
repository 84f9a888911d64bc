"""All addresses. Each package brings its own list; a new package adds one line here."""

from django.urls import include, path

from shouxin.config import health, metrics

PACKAGES = [
    path("records/", include("shouxin.records.urls")),
    path("orders/", include("shouxin.orders.urls")),
    path("office/", include("shouxin.office.urls")),
]
HOUSE = [
    path("api/v1/", include("shouxin.config.api")),
    path("healthz", health.alive, name="alive"),
    path("readyz", health.ready, name="ready"),
    path("metrics", metrics.read, name="metrics"),
    path("language/", include("django.conf.urls.i18n")),
    path("accounts/", include("allauth.urls")),
]
urlpatterns = [*PACKAGES, *HOUSE]
handler500 = "shouxin.config.health.failed"
