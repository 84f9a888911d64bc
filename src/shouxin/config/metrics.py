"""Figures about the running house for Prometheus: requests with their time, and the state of the house."""

import hmac
import os
import time
from collections.abc import Callable

import prometheus_client
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, multiprocess

from shouxin.config.gauges import Gauges

REQUESTS = prometheus_client.Histogram(
    "shouxin_request_seconds", "Time to answer a request", ["view", "method", "status"]
)
BODIES_CUT = prometheus_client.Counter(
    "shouxin_bodies_cut",
    "Requests that did not come in whole, by the status they were answered with; gone: the caller hung up",
    ["status"],
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
OTHER = "other"


class Measured:
    """Counts and times every request under the name of its view, so that no address of a customer becomes a label.

    Nor does a method that does not exist: whoever invents methods adds no figures.
    """

    def __init__(self, answer: Callable[[HttpRequest], HttpResponse]) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.answer(request)
        view = request.resolver_match.view_name if request.resolver_match else "none"
        method = request.method if request.method in METHODS else OTHER
        REQUESTS.labels(view, method, response.status_code).observe(time.perf_counter() - began)
        return response


@require_safe
@never_cache
def read(request: HttpRequest) -> HttpResponse:
    """The figures in Prometheus' text form, to whoever shows SHOUXIN_METRICS_TOKEN where one is set."""
    token = settings.ENVIRONMENT.metrics_token
    shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and not hmac.compare_digest(shown.encode(), token.encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    text = prometheus_client.generate_latest(_registry())
    return HttpResponse(text, content_type=prometheus_client.CONTENT_TYPE_LATEST)


def _registry() -> CollectorRegistry:
    """The figures of all processes of this server where several share a folder, else of this one."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.MultiProcessCollector(registry)
    else:
        registry.register(REQUESTS)
        registry.register(BODIES_CUT)
    registry.register(Gauges())
    return registry
