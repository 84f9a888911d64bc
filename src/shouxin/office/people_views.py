"""People and their posts, and one's own account with its tokens."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouxin.lib.fields import AmountField
from shouxin.lib.lists import Column, Listing
from shouxin.lib.questions import Ask
from shouxin.rules.policy import Post

from . import posts, scopes, sign_in, sudo, tokens
from .models import POST_CHOICES, POST_LABELS, ApiToken, Person
from .pages import acting, blame, page
from .refusals import BadForm, NotVisible


class PersonForm(forms.Form):
    """Somebody who is to sign in."""

    username = forms.RegexField(
        r"^[\w.@+-]+$",
        label=gettext_lazy("Sign-in name"),
        max_length=150,
        help_text=gettext_lazy("Letters and digits."),
    )
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80, required=False)
    department = forms.CharField(
        label=gettext_lazy("Department"),
        max_length=80,
        required=False,
        help_text=gettext_lazy("Sales see the customers of their department."),
    )
    telephone = forms.CharField(label=gettext_lazy("Telephone"), max_length=40, required=False)
    email = forms.EmailField(label=gettext_lazy("E-mail"), required=False)
    password = forms.CharField(
        label=gettext_lazy("First password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        validators=[validate_password],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        told = [*password_validators_help_texts(), _("She changes it after signing in.")]
        self.fields["password"].help_text = " ".join(map(str, told))


class AppointForm(forms.Form):
    """A post from a day on."""

    post = forms.ChoiceField(label=gettext_lazy("Post"), choices=POST_CHOICES)
    since = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    amount_max = AmountField(
        label=gettext_lazy("Own authority"),
        required=False,
        least=0,
        help_text=gettext_lazy("Left out: as the policy gives to the post."),
    )


class TokenForm(forms.Form):
    """A token of one's own."""

    label = forms.CharField(
        label=gettext_lazy("What it is for"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    scope = forms.MultipleChoiceField(
        label=gettext_lazy("Scope"), choices=scopes.choices, initial=[scopes.DECIDE],
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "Tick no more than the program needs. An order system sends orders, invoices, receipts and imports; "
            "people, posts, policy and tokens take everything."
        ),
    )  # fmt: skip
    days = forms.IntegerField(label=gettext_lazy("Days until it expires"), required=False)

    def clean_scope(self) -> str:
        """The scopes ticked, parted by blanks."""
        return " ".join(self.cleaned_data["scope"])


# --- people --------------------------------------------------------------------------------------


def _require_reader(request: HttpRequest) -> dict[str, Any]:
    who = acting(request)
    posts.require(who["by"], *posts.READERS, on=who["on"], verb="list_people")
    return who


def _address(row: Person) -> str:
    return reverse("office:person", args=[row.pk])


def _state(row: Person) -> tuple[Any, str]:
    return (gettext_lazy("Active"), "green") if row.is_active else (pgettext_lazy("person", "Disabled"), "grey")


def _columns(held: Any) -> tuple[Column, ...]:
    return (
        Column("username", gettext_lazy("Sign-in name"), sort="username", link=_address, drawer=True),
        Column("name", gettext_lazy("Name"), sort="name"),
        Column("department", gettext_lazy("Department"), sort="department"),
        Column("posts", gettext_lazy("Posts"), value=lambda row: _labels(held(row))),
        Column("state", gettext_lazy("Status"), "status", _state),
        Column("last_login", gettext_lazy("Last signed in"), "moment", sort="last_login"),
    )


def _labels(held: Any) -> str:
    return ", ".join(str(POST_LABELS[post]) for post in sorted(held))


def _of_post(rows: Any, post: str) -> Any:
    return rows.filter(appointments__post=post, appointments__until=None).distinct()


ASKS = (
    Ask("name", gettext_lazy("Name"), where="name__icontains"),
    Ask("department", gettext_lazy("Department"), where="department__icontains"),
    Ask("post", gettext_lazy("Post"), "select", _of_post, POST_CHOICES),
)


@page
@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """Everybody who signs in, with the posts of today."""
    who, known = _require_reader(request), {}
    rows = Person.objects.exclude(username=posts.SYSTEM)
    columns = _columns(lambda row: known.get(row.pk, frozenset()))
    listing = Listing(request, rows, columns, ASKS, key="people", order="username")
    known |= posts.posts_of_many(listing.matching if listing.wants_export else listing.rows, on=who["on"])
    if listing.wants_export:
        return listing.export()
    return render(request, "office/people.html", {"listing": listing, "keeper": _adds_people(who)})


def _adds_people(who: dict[str, Any]) -> bool:
    return Post.SYSTEM_MANAGER in posts.posts_of(who["by"], on=who["on"])


def _is_guardian(who: dict[str, Any]) -> bool:
    return posts.is_guardian(who["by"], on=who["on"])


@page
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Somebody new; her posts are given on her own page."""
    who = acting(request)
    posts.require(who["by"], Post.SYSTEM_MANAGER, on=who["on"], about="person:", verb="add_person", at=who["at"])
    sudo.require(request)
    form = PersonForm(request.POST or None, initial=sudo.kept(request, {}))
    if request.method == "POST" and form.is_valid():
        try:
            made = posts.add_person(**form.cleaned_data, password_given=True, **who)
        except BadForm as refusal:
            blame(form, refusal)
        else:
            messages.success(request, _("%(name)s may sign in now; give her a post.") % {"name": made})
            return redirect("office:person", made.pk)
    return render(request, "office/person_new.html", {"form": form}, status=422 if form.errors else 200)


def _person(request: HttpRequest, number: int) -> Person:
    _require_reader(request)
    found = Person.objects.exclude(username=posts.SYSTEM).filter(pk=number).first() if number < 2**63 else None
    if found is None:
        raise NotVisible
    return found


def _person_to_change(request: HttpRequest, number: int) -> Person:
    """Somebody who is to be changed; her own page is where the forms stand."""
    found = _person(request, number)
    sudo.require(request, back=_address(found))
    return found


@page
@require_GET
def person(request: HttpRequest, number: int) -> HttpResponse:
    """One person: her posts past and present, her tokens, and what the security manager may do."""
    return _person_page(request, _person(request, number))


def _person_page(request: HttpRequest, found: Person, form: AppointForm | None = None) -> HttpResponse:
    who = acting(request)
    told = {
        "found": found,
        "state": _state(found),
        "appointments": found.appointments.select_related("appointed_by").order_by("until", "-since"),
        "tokens": found.api_tokens.order_by("-pk")[:50],
        "now": who["at"],
        "keeper": _is_guardian(who) and found != who["by"],
        "form": form or AppointForm(initial=sudo.kept(request, {"since": who["on"]})),
    }
    return render(request, "office/person.html", told, status=422 if form is not None else 200)


@page
@require_POST
def appoint(request: HttpRequest, number: int) -> HttpResponse:
    """Give her a post from a day on."""
    who, found, form = acting(request), _person_to_change(request, number), AppointForm(request.POST)
    if not form.is_valid():
        return _person_page(request, found, form)
    asked = form.cleaned_data
    try:
        posts.appoint(found, Post(asked["post"]), since=asked["since"] or who["on"], amount_max=asked["amount_max"],
                      **who)  # fmt: skip
    except BadForm as refusal:
        blame(form, refusal)
        return _person_page(request, found, form)
    messages.success(request, _("Appointed."))
    return redirect("office:person", number)


@page
@require_POST
def end_appointment(request: HttpRequest, number: int, post: str) -> HttpResponse:
    """Take the post from her, from today."""
    found = _person_to_change(request, number)
    if post not in list(Post):
        raise NotVisible
    posts.end_appointment(found, Post(post), **acting(request))
    messages.success(request, _("The appointment has ended."))
    return redirect("office:person", number)


@page
@require_POST
def disable(request: HttpRequest, number: int) -> HttpResponse:
    """Nothing of hers works from now on."""
    posts.disable_person(_person_to_change(request, number), **acting(request))
    messages.success(request, _("Disabled: session, tokens and posts no longer work."))
    return redirect("office:person", number)


# --- one's own account ---------------------------------------------------------------------------


@page
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """My posts, my language, my tokens; a new token is shown this once."""
    who, made = acting(request), ""
    beginning = {"scope": [scopes.DECIDE], "days": sign_in.rules().token_days_max}
    form = TokenForm(request.POST or None, initial=sudo.kept(request, beginning))
    if request.method == "POST":
        sudo.require(request)
    if request.method == "POST" and form.is_valid():
        try:
            _token, made = tokens.create(who["by"], by=who["by"], at=who["at"], **form.cleaned_data)
        except BadForm as refusal:
            blame(form, refusal)
        else:
            form = TokenForm(initial=beginning)
    told = {
        "form": form,
        "made": made,
        "authority": [(POST_LABELS[post], bound) for post, bound in posts.authority_of(who["by"], who["on"])],
        "tokens": ApiToken.objects.filter(person=who["by"]).order_by("-pk")[:200],
        "now": who["at"],
    }
    answer = render(request, "office/account.html", told, status=422 if form.errors else 200)
    answer["Cache-Control"] = "no-store"
    return answer


@page
@require_POST
def revoke(request: HttpRequest, number: int) -> HttpResponse:
    """The token works no longer: my own, or anybody's for the security manager."""
    who = acting(request)
    token = ApiToken.objects.select_related("person").filter(pk=number).first() if number < 2**63 else None
    if token is None or (token.person != who["by"] and not _is_guardian(who)):
        raise NotVisible
    back = reverse("office:account") if token.person == who["by"] else _address(token.person)
    sudo.require(request, back=back)
    tokens.revoke(token, **who)
    messages.success(request, _("The token is revoked."))
    return redirect(back)
