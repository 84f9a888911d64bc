"""The kit on one page: every component with made-up figures, for looking at and for tests. Not part of the product."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import engines
from django.urls import include, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shouxin.lib.lists import Batch, Column, Listing
from shouxin.lib.questions import Ask

HERE = Path(__file__).parent / "templates"


@dataclass
class Debtor:
    """A row of the sample list."""

    pk: int
    code: str
    name: str
    grade: str
    limit: Decimal | None
    owed: Decimal
    overdue: Decimal
    days: int
    due_on: date
    standing: str


NAMES = ["上海艾克米机械", "宁波海曙轴承", "苏州工业园区精密模具制造", "广州白云电器"]
NAMES += ["武汉长江钢构", "成都蜀锦纺织", "青岛海丽五金", "沈阳北方重装"]
STANDINGS = {"good": ("Good", "green"), "watched": ("Watched", "amber"), "stopped": ("Supply stopped", "red")}


def debtors(count: int = 57) -> list[Debtor]:
    """Made-up debtors, the same every time."""
    return [
        Debtor(
            pk=at + 1,
            code=f"C{at + 1:04d}",
            name=f"{NAMES[at % len(NAMES)]}有限公司",
            grade="ABCD"[at * 7 % 4],
            limit=None if at % 9 == 5 else Decimal(at * 37 % 11 * 100_000),
            owed=Decimal(at * 7919 % 100_003) * Decimal("13.37") - (Decimal(40_000) if at % 8 == 3 else 0),
            overdue=Decimal(at * 104_729 % 10_007) * Decimal("5.5") * (at % 3),
            days=at * 17 % 131,
            due_on=date(2026, 11, 24) - timedelta(at * 17 % 131),
            standing=list(STANDINGS)[at % 3],
        )
        for at in range(count)
    ]


COLUMNS = [
    Column("name", gettext_lazy("Customer"), sort="name", link=lambda row: f"/_kit/{row.pk}/", drawer=True),
    Column("code", gettext_lazy("Customer code"), sort="code"),
    Column("grade", gettext_lazy("Grade"), "grade", sort="grade"),
    Column("limit", gettext_lazy("Limit"), "amount", sort="limit"),
    Column("owed", gettext_lazy("Receivable"), "amount", sort="owed", total="owed"),
    Column("overdue", gettext_lazy("Overdue"), "amount", sort="overdue", total="overdue"),
    Column("days", gettext_lazy("Days overdue"), "number", sort="days"),
    Column("due_on", gettext_lazy("Due on"), "date", sort="due_on"),
    Column("standing", gettext_lazy("Status"), "status", lambda row: STANDINGS[row.standing]),
]
ASKS = [
    Ask("name", gettext_lazy("Customer"), where="name__icontains"),
    Ask("grade", gettext_lazy("Grade"), "select", where="grade", choices=[(g, g) for g in "ABCD"]),
    Ask("owed", gettext_lazy("Receivable"), "amount", where="owed__gte"),
    Ask("since", gettext_lazy("Due on"), "date", where="due_on__gte"),
    Ask("code", gettext_lazy("Customer code"), where="code__icontains"),
]


class SampleForm(forms.Form):
    """One of each kind of field."""

    customer = forms.CharField(label=gettext_lazy("Customer"))
    amount = forms.DecimalField(label=gettext_lazy("Limit"), help_text="12,000,000.00", max_value=1000)
    grade = forms.ChoiceField(label=gettext_lazy("Grade"), choices=[(g, g) for g in "ABCD"])
    due = forms.DateField(label=gettext_lazy("Due on"), widget=forms.DateInput(attrs={"type": "date"}))
    file = forms.FileField(label=gettext_lazy("Import"), required=False)
    sure = forms.BooleanField(label=gettext_lazy("Reason"), required=False)
    note = forms.CharField(label=gettext_lazy("Reason"), widget=forms.Textarea(attrs={"rows": 3}), required=False)


class Guest:
    """Somebody to greet in the corner; holds no post, is in no database."""

    is_authenticated = True
    is_active = False
    pk = None
    username, name, department = "bo", "薄云", "信用管理部"


REASONS = [
    {
        "code": "limit_exceeded",
        "message": "超出信用额度 62,300.00 元",
        "measured": "562,300.00",
        "allowed": "500,000.00",
        "cure": "收回 62,300.00 元，或将订单减至 37,700.00 元，或申请临时额度。",
    },
    {
        "code": "overdue_days",
        "message": "最长逾期 47 天",
        "measured": "47 天 (INV-2026-0913)",
        "allowed": "30 天",
        "cure": "收回发票 INV-2026-0913 的 88,000.00 元。",
    },
]


def _drawings() -> dict[str, Any]:
    months = [f"{month}月" for month in range(1, 13)]
    ages = ["未到期", "1–30", "31–60", "61–90", "91–180", "180+"]
    owed = [Decimal(v) for v in (4210000, 880000, 420500, 150000, 98000, 41000)]
    return {
        "ageing": {
            "labels": ages,
            "series": [{"name": "余额", "values": owed}],
            "unit": "amount",
        },
        "stacked": {
            "labels": months,
            "series": [
                {"name": name, "values": [Decimal((m * 31 + at * 17) % 90 + 20) * 10000 / (at + 1) for m in range(12)]}
                for at, name in enumerate(ages)
            ],
            "unit": "amount",
            "colours": "ages",
        },
        "dso": {
            "labels": months,
            "series": [
                {"name": "DSO", "values": [41 + m * 7 % 9 for m in range(12)]},
                {"name": "BPDSO", "values": [33 + m * 5 % 4 for m in range(11)] + [None]},
            ],
            "unit": "days",
            "mark": {"name": "目标 45", "value": 45},
        },
        "grades": {
            "labels": list("ABCD"),
            "series": [{"name": "客户数", "values": [38, 61, 22, 7]}],
            "unit": "count",
            "colours": "grades",
        },
        "exposure": {
            "labels": NAMES[:5],
            "series": [
                {"name": name, "values": [Decimal((at * 13 + k * 29) % 60 + 5) * 10000 for k in range(5)]}
                for at, name in enumerate(["已预留", "未发货", "未开票", "应收", "票据"])
            ],
            "unit": "amount",
            "colours": "buckets",
            "mark": {"name": "额度", "value": 1_200_000},
        },
    }


def kit(request: HttpRequest) -> HttpResponse:
    """Every component once."""
    request.user = Guest()  # type: ignore[assignment]
    listing = Listing(
        request,
        debtors(),
        COLUMNS,
        ASKS,
        key="kit",
        order="-owed",
        batch=[Batch(gettext_lazy("Send notices"), "/_kit/", "mail"), Batch(gettext_lazy("Export"), "/_kit/")],
        title=_("Customers"),
    )
    if listing.wants_export:
        return listing.export()
    if not request.GET:
        messages.success(request, _("Saved."))
    form = SampleForm({"customer": "", "amount": "12345", "grade": "B", "due": "2026-11-31"})
    at = datetime(2026, 11, 24, 9, 30, tzinfo=timezone.get_default_timezone())
    context = {
        "listing": listing,
        "form": form,
        "reasons": REASONS,
        "exposure": {
            "reserved": Decimal(80000),
            "undelivered": Decimal(60000),
            "unbilled": Decimal(45000),
            "receivable": Decimal(250000),
            "bills": Decimal(40000),
            "deposits": Decimal(20000),
        },
        "limit": Decimal(500000),
        "low": Decimal(400000),
        "steps": [
            {"label": _("Submitted"), "state": "done", "by": "Ann", "at": at},
            {"label": _("Investigated"), "state": "done", "by": "Bo", "at": at},
            {"label": _("Assessed"), "state": "current", "hint": "Bo"},
            {"label": _("Approved"), "state": "todo"},
        ],
        "events": [
            {"at": at, "by": "Bo", "title": "评定等级 B", "text": "得分 78.5，建议额度 500,000.00", "colour": "blue"},
            {"at": at, "by": "Ann", "title": "提交申请", "colour": "green", "address": "#"},
        ],
        "tabs": [
            {"label": _("Overview"), "address": "?", "current": True},
            {"label": _("Invoices"), "address": "?a", "count": 12},
            {"label": _("Audit trail"), "address": "?b", "count": 0},
        ],
        "facts": [
            {"label": _("Customer code"), "value": "C0001"},
            {"label": _("Address"), "value": "上海市闵行区申长路 988 弄 3 号"},
            {"label": _("Due on"), "value": None},
        ],
        "drawings": _drawings(),
        "amount": Decimal("-1234567.89"),
    }
    return _shown(request, "kit.html", context)


def detail(request: HttpRequest, key: int) -> HttpResponse:
    """A customer beside the list, and as a page."""
    return _shown(request, "detail.html", {"debtor": next(each for each in debtors() if each.pk == key)})


def suggest(request: HttpRequest) -> HttpResponse:
    """The customer search, over the made-up names."""
    asked = request.GET.get("q", "")
    found = [
        {"name": each.name, "hint": each.code, "address": f"/_kit/{each.pk}/", "grade": each.grade}
        for each in debtors(8)
        if asked and asked in each.name + each.code
    ]
    return render(request, "components/suggestions.html", {"suggestions": found})


def progress(request: HttpRequest) -> HttpResponse:
    """A job that is over when one asks again."""
    return render(
        request, "components/progress.html", {"label": "invoices.xlsx", "state": "done", "total": 3, "done": 3}
    )


def _shown(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    text = (HERE / "kit" / name).read_text("utf-8")
    return HttpResponse(engines["django"].from_string(text).render(context, request))


urlpatterns = [
    path("_kit/", kit, name="home"),
    path("_kit/<int:key>/", detail),
    path("_kit/progress/", progress, name="kit_progress"),
    path("customers/", include(([path("", kit, name="list"), path("suggest/", suggest, name="suggest")], "customers"))),
    path("credit/", include(([path(x, kit, name=x) for x in ("applications", "line_requests")], "credit"))),
    path("orders/", include(([path(x, kit, name=x) for x in ("desk", "holds", "reservations")], "orders"))),
    path("money/", include(([path(x, kit, name=x) for x in ("invoices", "receipts", "ageing")], "receivables"))),
    path("collection/", include(([path(x, kit, name=x) for x in ("today", "worklist", "notices")], "collection"))),
    path("records/", include(([path(x, kit, name=x) for x in ("figures", "proof")], "records"))),
    path("office/", include(([path(x, kit, name=x) for x in ("policy", "trail", "people")], "office"))),
    path("imports/", include(([path("", kit, name="list")], "imports"))),
    path("language/", include("django.conf.urls.i18n")),
    path("accounts/", include("allauth.urls")),
]
