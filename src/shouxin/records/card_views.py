"""The card editor (B2.1): a person's draft of scorecard, vetoes, bounds and limit methods, looked at and tried out."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouxin.customers.facts import name_of
from shouxin.customers.models import Customer
from shouxin.office import book, card, drafts, policies, posts, sight
from shouxin.office.drafts import Draft
from shouxin.office.pages import acting, blame, page, require_duty, version_of
from shouxin.office.refusals import BadForm, NotVisible
from shouxin.rules.scorecard import FACTS

from . import labels, trial
from .card_forms import (
    BoundsForm,
    ItemForm,
    LimitsForm,
    QuestionForm,
    TriggerForm,
    WorkingAssetsForm,
    fact_choices,
)

TRIED_MAX = 1000
"""So many customers are rated twice while one waits; the command line takes them all."""


@page
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """The card as drafted: what it asks and is worth, what is wrong with it, what differs from the one in force."""
    call = acting(request)
    draft = drafts.of(call["by"], call["on"])
    return render(request, "records/card.html", _told(draft, _is_author(call)))


def _told(draft: Draft, author: bool) -> dict[str, Any]:
    policy = draft.policy
    return {
        "draft": draft,
        "author": author,
        "groups": [
            (labels.said(group.text), group.weight, [(q.key, book.question_row(q)) for q in group.questions])
            for group in policy.scorecard
        ],
        "total": sum(group.weight for group in policy.scorecard),
        "triggers": [
            (each, labels.said(each.text), book.condition(each), name_of(each.fact)) for each in policy.triggers
        ],
        "bounds": BoundsForm(policy=policy),
        "methods": [book.METHODS[key] for key in policy.limits.use],
        "facts": fact_choices(),
        "changes": draft.changes,
        "forget": reverse("credit:card_drop", args=["draft", "all"]),
    }


def _is_author(call: dict[str, Any]) -> bool:
    return bool(posts.posts_of(call["by"], on=call["on"]) & set(policies.AUTHORS))


def _require_author(request: HttpRequest) -> dict[str, Any]:
    require_duty(request, *policies.AUTHORS, verb="put_policy", about="policy")
    return acting(request)


def _save(request: HttpRequest, edit: Callable[[dict[str, Any]], None], said: str) -> None:
    drafts.change(edit, version=version_of(request), **acting(request))
    messages.success(request, said)


# --- questions -----------------------------------------------------------------------------------


@page
@require_http_methods(["GET", "POST"])
def question(request: HttpRequest, key: str = "") -> HttpResponse:
    """Write one question: its words, its group, the points of each answer. `act` look: only say what it would be."""
    call = _require_author(request)
    draft = drafts.of(call["by"], call["on"])
    form = _question_form(request, draft, key)
    if request.POST.get("act") == "look":
        return render(request, "records/card_look.html", _look(form, draft, key))
    if request.method == "POST" and form.is_valid():
        try:
            _save(request, _put_question(form, key), _("Written into your draft."))
        except BadForm as refusal:
            blame(form, refusal)
        else:
            return redirect("credit:card")
    told = {"form": form, "draft": draft, "key": key, "fact": name_of(form.fact), "look": None}
    return render(request, "records/card_question.html", told, status=422 if form.errors else 200)


def _question_form(request: HttpRequest, draft: Draft, key: str) -> QuestionForm:
    chapters = drafts.plain(draft.policy)
    group, row = card.question(chapters, key) if key else ("", None)
    fact = row["fact"] if row else request.POST.get("fact") or request.GET.get("fact", "")
    if fact not in FACTS:
        raise NotVisible
    groups = [(each.key, labels.said(each.text)) for each in draft.policy.scorecard]
    return QuestionForm(request.POST or None, fact=fact, row=row, group=group or groups[0][0], groups=groups)


def _put_question(form: QuestionForm, key: str) -> Callable[[dict[str, Any]], None]:
    def edit(chapters: dict[str, Any]) -> None:
        given = form.cleaned_data
        name = key or card.free_key(chapters, form.fact)
        new = given["group"] == "+"
        group = card.free_key(chapters, f"group_{form.fact}") if new else given["group"]
        text = {"zh": given["group_zh"], "en": given["group_en"]} if new else None
        card.put_question(chapters, {"key": name, **form.question}, group=group, group_text=text)

    return edit


def _look(form: QuestionForm, draft: Draft, key: str) -> dict[str, Any]:
    """What the scale says in words, what the card would then be worth, and what is wrong."""
    if not form.is_valid():
        return {"form": form, "look": None}
    before = {q.key for group in draft.policy.scorecard for q in group.questions} - {key}
    try:
        policy = policies.parse(drafts.edited(draft, _put_question(form, key)), drafts.NAME)
    except BadForm as refusal:
        blame(form, refusal)
        return {"form": form, "look": None}
    asked = next(q for group in policy.scorecard for q in group.questions if q.key not in before)
    total = sum(group.weight for group in policy.scorecard)
    look = {"scale": list(book.bands(asked.bands)), "points_max": asked.points_max, "total": total}
    return {"form": form, "look": look}


@page
@require_POST
def drop(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """Take a question, or a veto or cap, out of the draft; `draft` forgets the whole draft."""
    call = _require_author(request)
    if kind == "draft":
        drafts.drop(call["by"])
        messages.success(request, _("Your draft is forgotten; the policy in force stands."))
        return redirect("credit:card")
    found = {"question": (card.question, card.drop_question), "trigger": (card.trigger, card.drop_trigger),
             "item": (card.item, card.drop_item)}  # fmt: skip
    if kind not in found:
        raise NotVisible
    look, remove = found[kind]
    look(drafts.plain(drafts.of(call["by"], call["on"]).policy), key)
    _save(request, lambda chapters: remove(chapters, key), _("Taken out of your draft."))
    return redirect("credit:card_limits" if kind == "item" else "credit:card")


# --- vetoes, bounds, limits ----------------------------------------------------------------------


@page
@require_http_methods(["GET", "POST"])
def trigger(request: HttpRequest, key: str = "") -> HttpResponse:
    """Write one veto or cap."""
    call = _require_author(request)
    draft = drafts.of(call["by"], call["on"])
    row = card.trigger(drafts.plain(draft.policy), key) if key else None
    form = TriggerForm(request.POST or None, row=row)

    def edit(chapters: dict[str, Any]) -> None:
        name = key or card.free_key(chapters, form.cleaned_data["fact"])
        card.put_trigger(chapters, {"key": name, **form.trigger})

    if request.method == "POST" and form.is_valid() and _saved(request, form, edit):
        return redirect("credit:card")
    told = {"form": form, "draft": draft, "key": key}
    return render(request, "records/card_trigger.html", told, status=422 if form.errors else 200)


@page
@require_POST
def bounds(request: HttpRequest) -> HttpResponse:
    """From how many points each grade begins."""
    call = _require_author(request)
    draft = drafts.of(call["by"], call["on"])
    form = BoundsForm(request.POST, policy=draft.policy)
    if form.is_valid() and _saved(request, form, lambda c: card.put_grade_bounds(c, form.cleaned_data)):
        return redirect("credit:card")
    return render(request, "records/card.html", _told(draft, author=True) | {"bounds": form}, status=422)


@page
@require_http_methods(["GET", "POST"])
def limits(request: HttpRequest) -> HttpResponse:
    """Which limit methods count and with what settings; the weights of feature analysis."""
    call = _require_author(request)
    draft = drafts.of(call["by"], call["on"])
    form = LimitsForm(request.POST or None, policy=draft.policy)
    if (
        request.method == "POST"
        and form.is_valid()
        and _saved(request, form, lambda c: card.put_limits(c, form.limits, dict(form.features)))
    ):
        return redirect("credit:card")
    told = {"form": form, "draft": draft, "names": [*LimitsForm.PLAIN, "collection_weights"],
            "feature_names": LimitsForm.FEATURES}  # fmt: skip
    told |= {"items": [(each, labels.said(each.text), each.bands) for each in draft.policy.limits.net_worth_card],
             "working_assets": draft.policy.limits.working_assets, "facts": fact_choices()}  # fmt: skip
    told |= {"plain": [form[name] for name in told["names"]], "model": [form[name] for name in told["feature_names"]]}
    return render(request, "records/card_limits.html", told, status=422 if form.errors else 200)


@page
@require_http_methods(["GET", "POST"])
def item(request: HttpRequest, key: str = "") -> HttpResponse:
    """Write one line of the net-worth card: its words, the share of net worth each answer adds or takes."""
    call = _require_author(request)
    draft = drafts.of(call["by"], call["on"])
    row = card.item(drafts.plain(draft.policy), key) if key else None
    fact = row["fact"] if row else request.POST.get("fact") or request.GET.get("fact", "")
    if fact not in FACTS:
        raise NotVisible
    form = ItemForm(request.POST or None, fact=fact, row=row)

    def edit(chapters: dict[str, Any]) -> None:
        card.put_item(chapters, {"key": key or card.free_key(chapters, fact), **form.item})

    return _scale_page(request, form, draft, edit, key=key, title=name_of(fact), fact=fact)


@page
@require_http_methods(["GET", "POST"])
def bands(request: HttpRequest) -> HttpResponse:
    """The working-asset model's bands."""
    call = _require_author(request)
    draft = drafts.of(call["by"], call["on"])
    form = WorkingAssetsForm(request.POST or None, policy=draft.policy)

    def edit(chapters: dict[str, Any]) -> None:
        card.put_limits(chapters, {"working_assets": form.pairs}, {})

    return _scale_page(request, form, draft, edit, title=_("Bands of working assets"))


def _scale_page(
    request: HttpRequest, form: Any, draft: Draft, edit: Callable[[dict[str, Any]], None], **told: Any
) -> HttpResponse:
    if request.method == "POST" and form.is_valid() and _saved(request, form, edit):
        return redirect("credit:card_limits")
    told |= {
        "form": form,
        "draft": draft,
        "plain": [form[name] for name in ("text_zh", "text_en") if name in form.fields],
    }
    return render(request, "records/card_shares.html", told, status=422 if form.errors else 200)


def _saved(request: HttpRequest, form: Any, edit: Callable[[dict[str, Any]], None]) -> bool:
    try:
        _save(request, edit, _("Written into your draft."))
    except BadForm as refusal:
        blame(form, refusal)
        return False
    return True


# --- tried out -----------------------------------------------------------------------------------


@page
@require_GET
def preview(request: HttpRequest) -> HttpResponse:
    """The draft tried on real customers: the grades before and after, who moves, and why. Nothing is written."""
    call = _require_author(request)
    draft = drafts.of(call["by"], call["on"])
    seen = sight.visible(Customer, call["by"], on=call["on"]).order_by("pk")
    ids = list(seen.values_list("pk", flat=True))
    chosen = ids[:: -(-len(ids) // TRIED_MAX)] if ids else []
    old = policies.in_force(call["on"]).policy
    found = trial.run(chosen, as_of=call["on"], old=old, new=draft.policy)
    told = {"draft": draft, "found": found, "all": len(ids), "moved": trial.told(found, old, draft.policy)}
    return render(request, "records/card_preview.html", told | {"drawing": trial.drawing(found)})
