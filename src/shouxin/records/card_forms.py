"""The forms of the card editor: one question with its scale, one veto or cap, grade bounds, limit methods (B2.1)."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shouxin.customers.facts import name_of
from shouxin.office import book
from shouxin.office.book import ANSWERS
from shouxin.office.factor_words import FACTORS as FACTOR_WORDS
from shouxin.office.factor_words import ORIENTATIONS
from shouxin.rules.policy import FACTORS, Grade, Policy
from shouxin.rules.scorecard import FACTS, NUMBER, YES_NO

from . import labels

NEW_GROUP = "+"
BANDS_MAX = 12
Chapter = dict[str, Any]


def fact_choices() -> list[tuple[str, str]]:
    """Every fact somebody feeds, in words."""
    return [(key, name_of(key)) for key in FACTS]


def _plain(value: Decimal | int | None) -> str:
    """A number as it is typed: no trailing zeros, never 1E+3."""
    return "" if value is None else format(Decimal(value).normalize(), "f")


def _input() -> forms.NumberInput:
    return forms.NumberInput(attrs={"class": "form-control", "step": "any"})


def _points(label: Any, *, required: bool = True) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, min_value=0, max_value=100, decimal_places=2, required=required, widget=_input()
    )


def _bound() -> forms.DecimalField:
    return forms.DecimalField(required=False, max_digits=20, decimal_places=6, widget=_input())


class ScaleForm(forms.Form):
    """The answers to one fact and what each is worth, in fields named `WORTH`.

    For a number: upper bounds that ascend, the last band open; for words: one worth per answer.
    """

    WORTH = "points"

    def lay_out(self, answers: Sequence[str]) -> None:
        """Put the fields of the scale on the form."""
        self.answers = answers
        self.words = () if answers == NUMBER else answers
        for word in self.words:
            self.fields[f"{self.WORTH}_{word}"] = self.worth(labels.label(ANSWERS, word))
        for number in range(0 if self.words else BANDS_MAX):
            self.fields[f"up_to_{number}"] = _bound()
            self.fields[f"{self.WORTH}_{number}"] = self.worth("", required=False)
        if not self.words:
            self.fields[f"{self.WORTH}_last"] = self.worth(_("above"))

    def worth(self, label: Any, *, required: bool = True) -> forms.DecimalField:
        """The field of what one answer is worth."""
        return _points(label, required=required)

    def initial_scale(self, bands: Sequence[Chapter]) -> dict[str, Any]:
        """What the fields of the scale say at first."""
        initial = {}
        closed = [band for band in bands if band.get("up_to") is not None]
        for number, band in enumerate(closed):
            worth = _plain(band[self.WORTH])
            initial |= {f"up_to_{number}": _plain(band["up_to"]), f"{self.WORTH}_{number}": worth}
        for band in bands:
            if band not in closed:
                initial[f"{self.WORTH}_{_word(band.get('value'))}"] = _plain(band[self.WORTH])
        return initial

    @property
    def scale(self) -> list[tuple[Any, Any]]:
        """(bound, worth) of each row of a numeric scale, for the template."""
        rows = range(0 if self.words else BANDS_MAX)
        return [(self[f"up_to_{number}"], self[f"{self.WORTH}_{number}"]) for number in rows]

    @property
    def last(self) -> Any:
        """The worth of whatever is above the last bound."""
        return self[f"{self.WORTH}_last"]

    @property
    def answered(self) -> list[Any]:
        """The worth of each word."""
        return [self[f"{self.WORTH}_{word}"] for word in self.words]

    def clean(self) -> dict[str, Any]:
        """Half-filled rows and bounds that do not ascend are refused here already."""
        given: dict[str, Any] = self.cleaned_data
        last = None
        for number in range(0 if self.words else BANDS_MAX):
            bound, worth = given.get(f"up_to_{number}"), given.get(f"{self.WORTH}_{number}")
            if (bound is None) != (worth is None):
                self.add_error(f"up_to_{number}", _("A band needs its bound and its worth."))
            elif bound is not None and last is not None and bound <= last:
                self.add_error(f"up_to_{number}", _("The bounds must ascend: this one overlaps the band before."))
            last = bound if bound is not None else last
        return given

    def bands(self) -> Iterator[Chapter]:
        """The scale as the policy writes it."""
        given, worth = self.cleaned_data, self.WORTH
        for word in self.words:
            yield {"value": word == "true" if self.answers == YES_NO else word, worth: given[f"{worth}_{word}"]}
        if not self.words:
            for number in range(BANDS_MAX):
                if given.get(f"up_to_{number}") is not None:
                    yield {"up_to": given[f"up_to_{number}"], worth: given[f"{worth}_{number}"]}
            yield {"up_to": None, worth: given[f"{worth}_last"]}


class QuestionForm(ScaleForm):
    """A question about one fact with the points of each answer.

    `row` is the question as it stands on the card, None for a new one; `groups` are (key, words).
    """

    text_zh = forms.CharField(label=gettext_lazy("Question in Chinese"), max_length=80)
    text_en = forms.CharField(label=gettext_lazy("Question in English"), max_length=80)
    group = forms.ChoiceField(label=gettext_lazy("Group"))
    group_zh = forms.CharField(label=gettext_lazy("New group in Chinese"), max_length=40, required=False)
    group_en = forms.CharField(label=gettext_lazy("New group in English"), max_length=40, required=False)
    unknown_points = _points(gettext_lazy("Points where the answer is not known"))
    fresh_days = forms.IntegerField(
        label=gettext_lazy("Too old after days"), min_value=0, max_value=3660, required=False,
        help_text=gettext_lazy("Empty: however old"),
    )  # fmt: skip

    def __init__(
        self, *args: Any, fact: str, row: Chapter | None, group: str, groups: Sequence[tuple[str, str]], **kwargs: Any
    ) -> None:
        self.fact, self.row = fact, row
        super().__init__(*args, initial=self._initial(row, group), **kwargs)
        self.fields["group"].choices = [*groups, (NEW_GROUP, _("a new group"))]
        self.lay_out(FACTS[fact])

    def _initial(self, row: Chapter | None, group: str) -> dict[str, Any]:
        if row is None:
            return {"group": group, "unknown_points": 0}
        initial = {name: row.get(name) for name in ("fresh_days",)} | {"group": group}
        initial |= {"text_zh": row["text"]["zh"], "text_en": row["text"]["en"]}
        initial["unknown_points"] = _plain(row.get("unknown_points", 0))
        return initial | self.initial_scale(row["bands"])

    def clean(self) -> dict[str, Any]:
        """A new group needs its names as well."""
        given = super().clean()
        if given.get("group") == NEW_GROUP and not (given.get("group_zh") and given.get("group_en")):
            self.add_error("group", _("Name the new group in both languages."))
        return given

    @property
    def question(self) -> Chapter:
        """The question as the policy writes it, without its key."""
        given = self.cleaned_data
        fresh = {} if given["fresh_days"] is None else {"fresh_days": given["fresh_days"]}
        return {
            "text": {"zh": given["text_zh"], "en": given["text_en"]},
            "fact": self.fact,
            "points_max": Decimal(0),
            "unknown_points": given["unknown_points"],
            **fresh,
            "bands": list(self.bands()),
        }


def _word(value: Any) -> str:
    """The name of a word's field; the open band of numbers is the last."""
    if value is None:
        return "last"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _share(label: Any, *, low: int, required: bool) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, min_value=low, max_value=1, decimal_places=4, required=required, widget=_input()
    )


class ItemForm(ScaleForm):
    """One line of the net-worth card: the fact it reads, the share of net worth each answer adds or takes."""

    WORTH = "share"
    text_zh = forms.CharField(label=gettext_lazy("Name in Chinese"), max_length=80)
    text_en = forms.CharField(label=gettext_lazy("Name in English"), max_length=80)

    def __init__(self, *args: Any, fact: str, row: Chapter | None, **kwargs: Any) -> None:
        text = {f"text_{language}": words for language, words in row["text"].items()} if row else {}
        super().__init__(*args, initial=text | (self.initial_scale(row["bands"]) if row else {}), **kwargs)
        self.fact = fact
        self.lay_out(FACTS[fact])

    def worth(self, label: Any, *, required: bool = True) -> forms.DecimalField:
        """From minus to plus the whole net worth."""
        return _share(label, low=-1, required=required)

    @property
    def item(self) -> Chapter:
        """The line as the policy writes it, without its key."""
        text = {"zh": self.cleaned_data["text_zh"], "en": self.cleaned_data["text_en"]}
        return {"text": text, "fact": self.fact, "bands": list(self.bands())}


class WorkingAssetsForm(ScaleForm):
    """The working-asset model's bands: up to which assessment value which share of working assets."""

    WORTH = "share"

    def __init__(self, *args: Any, policy: Policy, **kwargs: Any) -> None:
        bands = [{"up_to": up_to, "share": share} for up_to, share in policy.limits.working_assets]
        super().__init__(*args, initial=self.initial_scale(bands), **kwargs)
        self.lay_out(NUMBER)

    def worth(self, label: Any, *, required: bool = True) -> forms.DecimalField:
        """From nothing to the whole of the working assets."""
        return _share(label, low=0, required=required)

    @property
    def pairs(self) -> list[list[Any]]:
        """The bands as the policy writes them."""
        return [[band["up_to"], band["share"]] for band in self.bands()]


class TriggerForm(forms.Form):
    """A veto (D) or a cap (B, C): when a fact says so, the grade is at best this."""

    text_zh = forms.CharField(label=gettext_lazy("Name in Chinese"), max_length=80)
    text_en = forms.CharField(label=gettext_lazy("Name in English"), max_length=80)
    fact = forms.ChoiceField(label=gettext_lazy("Fact"))
    when = forms.ChoiceField(
        label=gettext_lazy("Condition"),
        choices=[("true", gettext_lazy("it is so (yes)")), ("more_than", gettext_lazy("the number is above")),
                 ("equals", gettext_lazy("the word is")), ("missing", gettext_lazy("nothing is known"))],
    )  # fmt: skip
    value = forms.CharField(
        label=gettext_lazy("Number or word"), max_length=40, required=False,
        help_text=gettext_lazy("For “above” and “is” alone."),
    )  # fmt: skip
    grade = forms.ChoiceField(
        label=gettext_lazy("At best"), choices=[("D", gettext_lazy("D: veto")), ("C", "C"), ("B", "B")]
    )

    def __init__(self, *args: Any, row: Chapter | None, **kwargs: Any) -> None:
        super().__init__(*args, initial=_trigger_initial(row) if row else None, **kwargs)
        self.fields["fact"].choices = fact_choices()

    def clean(self) -> dict[str, Any]:
        """A condition that the fact could never meet is refused."""
        given: dict[str, Any] = self.cleaned_data
        answers, when, value = FACTS.get(given.get("fact", ""), ()), given.get("when"), given.get("value", "").strip()
        number = _number(value)
        if when == "true" and answers != YES_NO:
            self.add_error("when", _("This fact is never just yes or no."))
        elif when == "more_than" and (answers != NUMBER or number is None):
            self.add_error("value", _("Write a number; the fact must be one too."))
        elif when == "equals" and value not in answers:
            self.add_error("value", _("One of: %(answers)s") % {"answers": ", ".join(answers)})
        return given

    @property
    def trigger(self) -> Chapter:
        """The trigger as the policy writes it, without its key."""
        given = self.cleaned_data
        condition: Chapter = {
            "true": {},
            "more_than": {"more_than": _number(given["value"])},
            "equals": {"equals": given["value"].strip()},
            "missing": {"missing": True},
        }[given["when"]]
        text = {"zh": given["text_zh"], "en": given["text_en"]}
        return {"text": text, "fact": given["fact"], **condition, "grade": given["grade"]}


def _trigger_initial(row: Chapter) -> Chapter:
    when = next((name for name in ("more_than", "equals") if row.get(name) is not None), "true")
    value = row.get(when)
    return {
        "text_zh": row["text"]["zh"], "text_en": row["text"]["en"], "fact": row["fact"], "grade": str(row["grade"]),
        "when": "missing" if row.get("missing") else when,
        "value": _plain(value) if isinstance(value, Decimal | int) else value,
    }  # fmt: skip


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except ArithmeticError:
        return None
    return number if number.is_finite() else None


class BoundsForm(forms.Form):
    """From how many points each grade begins."""

    def __init__(self, *args: Any, policy: Policy, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for grade in (Grade.A, Grade.B, Grade.C):
            self.fields[grade.value] = _points(grade.value)
            self.fields[grade.value].initial = _plain(policy.grades[grade].score_min)

    def clean(self) -> dict[str, Any]:
        """The bounds fall from A to C and stay above 0."""
        given: dict[str, Any] = self.cleaned_data
        bounds = [given[grade] for grade in "ABC" if grade in given]
        if len(bounds) == 3 and not bounds[0] > bounds[1] > bounds[2] > 0:
            raise forms.ValidationError(_("The bounds must fall from A to C and stay above 0."))
        return given


class LimitsForm(forms.Form):
    """Which methods count, their settings, and the weights of feature analysis."""

    use = forms.MultipleChoiceField(
        label=gettext_lazy("Methods whose least is taken"), choices=[(key, word) for key, word in book.METHODS.items()],
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    sales_months = forms.IntegerField(label=gettext_lazy("Months of sales"), min_value=1, max_value=36)
    collection_weights = forms.RegexField(
        r"^\s*[1-9][0-9]{0,3}(\s*,\s*[1-9][0-9]{0,3}){0,35}\s*$",
        label=gettext_lazy("Weights of collections, newest month first"), max_length=200,
    )  # fmt: skip
    net_worth_share = forms.DecimalField(
        label=gettext_lazy("Share of net worth"), min_value=0, max_value=10, decimal_places=4
    )
    paid_in_capital_share = forms.DecimalField(
        label=gettext_lazy("Share of paid-in capital"), min_value=0, max_value=10, decimal_places=4
    )
    concentration_max = forms.DecimalField(
        label=gettext_lazy("The most for one customer"), min_value=0, max_digits=15, decimal_places=2, required=False,
        help_text=gettext_lazy("Empty: no cap"),
    )  # fmt: skip
    round_down_to = forms.DecimalField(
        label=gettext_lazy("Rounded down to"), min_value=0, max_digits=15, decimal_places=2
    )
    orientation = forms.ChoiceField(label=gettext_lazy("Weights in use"), choices=[*ORIENTATIONS.items()])
    unknown = forms.ChoiceField(
        label=gettext_lazy("A factor nobody scored"),
        choices=[("zero", gettext_lazy("counts 0")), ("excluded", gettext_lazy("is left out"))],
    )
    coverage_min = forms.DecimalField(
        label=gettext_lazy("Least share of the weight scored"), min_value=0, max_value=1, decimal_places=4
    )
    no_credit_up_to = forms.DecimalField(
        label=gettext_lazy("No credit up to"), min_value=0, max_value=1, decimal_places=4
    )

    PLAIN = ("sales_months", "net_worth_share", "paid_in_capital_share", "concentration_max", "round_down_to")
    FEATURES = ("orientation", "unknown", "coverage_min", "no_credit_up_to")

    def __init__(self, *args: Any, policy: Policy, **kwargs: Any) -> None:
        super().__init__(*args, initial=self._initial(policy), **kwargs)
        for orientation in ORIENTATIONS:
            for factor in FACTORS:
                self.fields[f"{orientation}_{factor}"] = forms.DecimalField(
                    label=str(FACTOR_WORDS[factor]), min_value=0, max_value=100, decimal_places=2, widget=_input()
                )

    def _initial(self, policy: Policy) -> Chapter:
        limits, features = policy.limits, policy.features
        initial: Chapter = {"use": list(limits.use)}
        initial["collection_weights"] = ", ".join(map(str, limits.collection_weights))
        initial |= {name: _shown(getattr(limits, name)) for name in self.PLAIN}
        initial |= {name: _shown(getattr(features, name)) for name in self.FEATURES}
        for orientation, weights in features.weights.items():
            initial |= {f"{orientation}_{factor}": _plain(weight) for factor, weight in weights.items()}
        return initial

    @property
    def weights(self) -> list[tuple[Any, list[Any]]]:
        """(factor, its weight in each orientation), for the template."""
        return [(FACTOR_WORDS[factor], [self[f"{each}_{factor}"] for each in ORIENTATIONS]) for factor in FACTORS]

    @property
    def limits(self) -> Chapter:
        """What the chapter `limits` gets."""
        given = self.cleaned_data
        weights = [int(each) for each in given["collection_weights"].split(",")]
        return {"use": given["use"], "collection_weights": weights} | {name: given[name] for name in self.PLAIN}

    @property
    def features(self) -> Mapping[str, Any]:
        """What the chapter `features` gets."""
        given = self.cleaned_data
        weights = {each: {factor: given[f"{each}_{factor}"] for factor in FACTORS} for each in ORIENTATIONS}
        return {name: given[name] for name in self.FEATURES} | {"weights": weights}


def _shown(value: Any) -> Any:
    return _plain(value) if isinstance(value, Decimal) else value
