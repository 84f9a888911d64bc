"""All addresses. Each package brings its own list; a new package adds one line here."""

from django.urls import include, path

from shouxin.config import health, metrics

PACKAGES = [
    # path("customers/", include("shouxin.customers.urls")),
]
HOUSE = [
    path("api/v1/", include("shouxin.config.api")),
    path("healthz", health.alive, name="alive"),
    path("readyz", health.ready, name="ready"),
    path("metrics", metrics.read, name="metrics"),
    path("language/", include("django.conf.urls.i18n")),
    path("accounts/", include("allauth.urls")),
    path("api/v1/", include("shouxin.config.api")),
]
urlpatterns = [*PACKAGES, *HOUSE]
handler500 = "shouxin.config.health.failed"
