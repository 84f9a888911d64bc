"""The system page: is the installation fit, what runs, what waits, and how to mend what is wrong."""

import platform
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from shouxin import __version__
from shouxin.config import doctor, gauges
from shouxin.office import policies, posts
from shouxin.office.pages import acting, page
from shouxin.rules.policy import Post

LOOKERS = (Post.SYSTEM_MANAGER, Post.AUDITOR)
JOB_STATES = {
    "todo": (gettext_lazy("waiting"), "blue"),
    "doing": (gettext_lazy("running"), "amber"),
    "succeeded": (gettext_lazy("done"), "green"),
    "failed": (gettext_lazy("failed"), "red"),
    "cancelled": (gettext_lazy("cancelled"), "grey"),
    "aborted": (gettext_lazy("aborted"), "grey"),
}
FAILED_JOBS = 20


@page
@require_GET
def system(request: HttpRequest) -> HttpResponse:
    """For the system manager and the auditor: no customer, no amount."""
    who = acting(request)
    posts.require(who["by"], *LOOKERS, on=who["on"], about="system", verb="read_system")
    findings = doctor.examine()
    house = gauges.house()
    told = {
        "findings": findings,
        "wrong": [finding for finding in findings if not finding.ok],
        "figures": _figures(house),
        "jobs": [(*JOB_STATES.get(state, (state, "grey")), count) for state, count in sorted(house.jobs.items())],
        "failed": _failed(),
        "about": _about(who["on"]),
    }
    return render(request, "config/system.html", told)


def _figures(house: gauges.House) -> list[dict[str, Any]]:
    """What should happen daily and what must not pile up, red where it is wrong."""
    return [
        _figure(_("Workers"), house.workers, wrong=not house.workers, hint=_("heard of in the last two minutes")),
        _figure(_("Jobs waiting"), house.jobs.get("todo", 0)),
        _figure(_("Jobs failed"), house.jobs.get("failed", 0), wrong=bool(house.jobs.get("failed"))),
        _aged(_("Last daily run"), house.day_age),
        _aged(_("Last proof"), house.proof_age),
        _figure(_("Differences"), house.proof_differences, wrong=house.proof_differences > 0,
                hint=_("found by the last proof")),
        _figure(_("Letters waiting"), sum(house.notices.values())),
        _figure(_("Database"), f"{house.database_bytes / 1024**2:,.0f}", unit="MB"),
    ]  # fmt: skip


def _figure(label: str, value: Any, *, wrong: bool = False, unit: str = "", hint: str = "") -> dict[str, Any]:
    return {"label": label, "value": value, "unit": unit, "hint": hint, "colour": "red" if wrong else ""}


def _aged(label: str, days: int | None) -> dict[str, Any]:
    """A daily duty: today or yesterday is in order, older is not."""
    if days is None:
        return _figure(label, "—", hint=_("never"), wrong=True)
    return _figure(label, days, unit=_("days ago"), wrong=days > 1)


def _failed() -> list[dict[str, Any]]:
    """The jobs that failed last: which, when, how often it was tried; its reason stands in the log."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT job.id, job.task_name, job.attempts, max(event.at) FROM procrastinate_jobs AS job"
            " LEFT JOIN procrastinate_events AS event ON event.job_id = job.id"
            " WHERE job.status = 'failed' GROUP BY job.id ORDER BY job.id DESC LIMIT %s",
            [FAILED_JOBS],
        )
        return [dict(zip(("number", "task", "attempts", "at"), row, strict=True)) for row in cursor.fetchall()]


def _about(today: Any) -> list[dict[str, Any]]:
    environment = settings.ENVIRONMENT
    return [
        {"label": "Shouxin", "value": __version__},
        {"label": "Python", "value": platform.python_version()},
        {"label": _("Address"), "value": environment.url},
        {"label": _("Time zone"), "value": environment.timezone},
        {"label": _("Policy version"), "value": f"v{policies.in_force(today).number}"},
        {"label": _("Mail"), "value": environment.mail.host or _("none: letters wait in the outbox")},
        {"label": _("Figures for Prometheus"), "value": f"{environment.url}/metrics"},
    ]
