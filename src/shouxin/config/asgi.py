"""The application as our own web server runs it: Django behind the front that takes requests in."""

from shouxin.config.wsgi import application as django  # first: it sets Django up

# isort: split
from django.conf import settings
from django.urls import get_resolver, reverse

from shouxin.config.front import Front
from shouxin.config.server import THREADS
from shouxin.lib import collector

OUTSIDERS = ("credit:application_form", "credit:reference_form")
DOORS = {
    **{reverse(form, args=["-"]).removesuffix("-"): "" for form in OUTSIDERS},
    "/api/": reverse("api:me"),
    "/": reverse("office:account"),
}
application = Front(
    django,
    threads=THREADS,
    seconds=settings.ENVIRONMENT.body_seconds,
    proxies=settings.ENVIRONMENT.proxies,
    doors=DOORS,
)
get_resolver().url_patterns  # noqa: B018 - read now, so that the first request need not wait for every page's module
collector.leave_what_stays()
