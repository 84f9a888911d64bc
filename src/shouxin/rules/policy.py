"""Every number the company may change, as one frozen, dated, versioned object.

The book is written in YAML (`policy.yaml` ships the defaults); whoever loads it hands the plain mapping to
`Policy.model_validate`. Unknown keys are refused, so that no setting is ever silently ignored.
Amounts are in the company's currency unless a currency stands beside them. Shares are fractions of one.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

Amount = Annotated[Decimal, Field(ge=0, max_digits=15, decimal_places=2)]
Share = Annotated[Decimal, Field(ge=0, le=10, decimal_places=4)]
Days = Annotated[int, Field(ge=0, le=3660)]
Points = Annotated[Decimal, Field(ge=0, le=100, decimal_places=2)]
Bound = Annotated[Decimal, Field(max_digits=20, decimal_places=6)]
"""Where a band ends or a trigger fires."""


class Frozen(BaseModel):
    """A page of the book: cannot be changed after reading, and knows no key that is not written here."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Grade(StrEnum):
    """The four credit grades of clause B2.1, best first."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"

    def down(self, steps: int = 1) -> "Grade":
        """The grade `steps` below, D at the lowest."""
        grades = list(Grade)
        return grades[min(grades.index(self) + steps, len(grades) - 1)]

    def worse_than(self, other: "Grade") -> bool:
        """Whether this grade stands below the other."""
        grades = list(Grade)
        return grades.index(self) > grades.index(other)


def worst(*grades: Grade) -> Grade:
    """The lowest of the grades given."""
    return max(grades, key=list(Grade).index)


class Post(StrEnum):
    """The nine posts of the regulation's organisation chapter (C1–C4)."""

    CREDIT_MANAGER = "credit-manager"
    CREDIT_ADMINISTRATOR = "credit-administrator"
    SALES = "sales"
    FINANCE = "finance"
    ARCHIVIST = "archivist"
    VICE_PRESIDENT = "vice-president"
    LEGAL_REPRESENTATIVE = "legal-representative"
    AUDITOR = "auditor"
    SYSTEM_MANAGER = "system-manager"
    SECURITY_MANAGER = "security-manager"


class Text(Frozen):
    """A phrase in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Company(Frozen):
    """Whose book this is: the name on letters, the currency amounts are in, the zone that makes the business date."""

    name: Text
    currency: str = Field(pattern="^[A-Z]{3}$")
    timezone: str
    bank: str = ""
    account: str = ""
    telephone: str = ""
    address: str = ""


class Discount(Frozen):
    """A cash discount: `percent` off when paid within `days` (2/10 is percent 2, days 10)."""

    percent: Annotated[Decimal, Field(ge=0, lt=100, decimal_places=2)]
    days: Days


Severity = Literal["warn", "hold", "decline"]


class GradeTerms(Frozen):
    """What a grade means (clause B2.1): the score it begins at and the limit, term and discount that follow from it."""

    score_min: Points
    meaning: Text
    limit_coefficient: Share
    limit_max: Amount | None = Field(description="the most a customer of this grade may owe; null: no cap by grade")
    term_days: Days
    term_days_max: Days
    discount: Discount | None
    overdue_days_max: Days = Field(description="an order is held once an item is overdue by more days than this")
    document_max: Amount | None = Field(description="the largest single order; null: no cap")
    review_months: Annotated[int, Field(ge=1, le=36)]
    exceptions_by: Post
    severity: dict[str, Severity] = Field(default_factory=dict, description="reason code -> severity, for this grade")


class Band(Frozen):
    """Points for a value up to and including `up_to`; null closes the scale. For words, `value` names the answer."""

    up_to: Bound | None = None
    value: str | bool | None = None
    points: Points


class Question(Frozen):
    """One question of the scorecard: the fact it reads, the points its answer earns."""

    key: str = Field(pattern="^[a-z_0-9]+$")
    text: Text
    fact: str = Field(pattern="^[a-z_0-9]+$")
    points_max: Points
    bands: tuple[Band, ...] = Field(min_length=1)
    unknown_points: Points = Decimal(0)
    fresh_days: Days | None = Field(default=None, description="a fact older than this counts as unknown; null: never")


class QuestionGroup(Frozen):
    """A chapter of the scorecard; the points of its questions add up to its weight."""

    key: str
    text: Text
    weight: Points
    questions: tuple[Question, ...] = Field(min_length=1)


class Trigger(Frozen):
    """When `fact` is true (or above `more_than`, or the word `equals`), the grade is at best `grade`: a veto if D."""

    key: str
    text: Text
    fact: str
    more_than: Bound | None = None
    equals: str | None = None
    missing: bool = Field(default=False, description="fires when the fact is not known at all")
    grade: Grade


MethodKey = Literal[
    "sales_volume",
    "collections",
    "net_worth",
    "paid_in_capital",
    "working_assets",
    "feature_analysis",
    "net_worth_card",
]


class Addition(Frozen):
    """A share of net worth for a value up to and including `up_to`; null closes the scale, `value` names a word."""

    up_to: Bound | None = None
    value: str | bool | None = None
    share: Annotated[Decimal, Field(ge=-1, le=1, decimal_places=4)]


class CardItem(Frozen):
    """One line of the net-worth card: the fact it reads and the share of net worth its answer adds or takes."""

    key: str = Field(pattern="^[a-z_0-9]+$")
    text: Text
    fact: str = Field(pattern="^[a-z_0-9]+$")
    bands: tuple[Addition, ...] = Field(min_length=1)


class Methods(Frozen):
    """The limit methods of domain chapter 1.4 that are combined by taking the least."""

    use: tuple[MethodKey, ...]
    sales_months: Annotated[int, Field(ge=1, le=36)]
    collection_weights: tuple[Annotated[int, Field(ge=1)], ...] = Field(min_length=1)
    net_worth_share: Share
    paid_in_capital_share: Share
    concentration_max: Amount | None
    round_down_to: Amount
    working_assets: tuple[tuple[Bound | None, Share], ...]
    net_worth_card: tuple[CardItem, ...] = Field(
        default=(), description="the heuristic card: shares of net worth that add up to a limit; empty: not used"
    )


FACTOR_GROUPS: Mapping[str, tuple[str, ...]] = {
    "own": ("impression", "organisation", "products", "competition", "operation", "prospects"),
    "priority": ("margin", "demands", "attraction", "strength", "security", "substitutes"),
    "credit": ("payment", "bank", "profitability", "balance_sheet", "solvency", "capital"),
}
"""The 18 factors of feature analysis in their three groups (domain 1.4, method 2)."""

FACTORS = tuple(factor for group in FACTOR_GROUPS.values() for factor in group)
Orientation = Literal["sales", "balanced", "finance"]
ORIENTATIONS: tuple[Orientation, ...] = ("sales", "balanced", "finance")
Weight = Annotated[Decimal, Field(ge=0, le=100, decimal_places=2)]


def _weights(*numbers: int) -> dict[str, Decimal]:
    return {factor: Decimal(number) for factor, number in zip(FACTORS, numbers, strict=True)}


USUAL_WEIGHTS: Mapping[Orientation, dict[str, Decimal]] = {
    "sales": _weights(5, 5, 6, 5, 5, 6, 8, 6, 8, 7, 4, 5, 9, 5, 5, 4, 4, 3),
    "balanced": _weights(4, 6, 6, 5, 7, 5, 6, 4, 4, 4, 6, 3, 12, 7, 6, 6, 6, 3),
    "finance": _weights(3, 5, 4, 4, 6, 4, 4, 2, 2, 2, 6, 2, 16, 10, 9, 9, 8, 4),
}
"""No authoritative table was found: a beginning, to be edited (domain 1.4)."""


class FeatureModel(Frozen):
    """Feature analysis 特征分析模型: 18 factors scored 1 to 10, weighed by what the company looks for first.

    Up to `no_credit_up_to` the limit is nothing; up to `watch_up_to` the customer is to be watched closely.
    """

    orientation: Orientation = "balanced"
    unknown: Literal["zero", "excluded"] = "zero"
    coverage_min: Share = Field(default=Decimal("0.5"), description="with less of the weight scored it does not count")
    no_credit_up_to: Share = Decimal("0.2")
    watch_up_to: Share = Decimal("0.45")
    fresh_days: Days | None = Field(default=550, description="a factor scored longer ago counts as not scored")
    weights: dict[Orientation, dict[str, Weight]] = Field(default_factory=lambda: dict(USUAL_WEIGHTS))

    @model_validator(mode="after")
    def _weighs_every_factor(self) -> "FeatureModel":
        for orientation in ORIENTATIONS:
            weights = self.weights.get(orientation, {})
            if sorted(weights) != sorted(FACTORS):
                raise ValueError("needs a weight for each of the 18 factors, in each orientation")
            if not sum(weights.values()):
                raise ValueError("the weights must add up to more than 0")
        return self


class NewCustomer(Frozen):
    """How a customer without a payment record is treated: a grade cap and a first limit, raised step by step."""

    paid_invoices_min: Annotated[int, Field(ge=0)]
    grade_max: Grade
    limit_max: Amount


class DowngradeStep(Frozen):
    """One rung of the ladder (B2.5): from this many days overdue, so many grades down, or straight to a grade."""

    overdue_days_min: Annotated[int, Field(ge=1)]
    steps: Annotated[int, Field(ge=0, le=3)] = 0
    to: Grade | None = None
    standing: Literal["watched", "stopped", "cash_only"] | None = None
    no_increase: bool = False


class Downgrade(Frozen):
    """How late payment lowers the grade (B2.5), and what a way back up takes."""

    amount_min: Amount = Field(description="overdue items below this in sum never cost a grade")
    ladder: tuple[DowngradeStep, ...]
    late_payments_count: Annotated[int, Field(ge=1)]
    late_payments_months: Annotated[int, Field(ge=1)]
    late_payments_steps: Annotated[int, Field(ge=0, le=3)]
    upgrade_clean_months: Annotated[int, Field(ge=1)]
    lift_standing: bool = Field(
        default=True,
        description="whether a standing the daily run set falls away with the debt; people's never does",
    )


class Aging(Frozen):
    """The upper bounds, in days and inclusive, of the ageing buckets after "not due"; the last bucket is open."""

    up_to: tuple[Annotated[int, Field(ge=1)], ...] = Field(min_length=1)


class DunningStage(Frozen):
    """One stage of the dunning procedure (C3.6): from this many days overdue (negative: before the due date)."""

    stage: Annotated[int, Field(ge=0, le=9)]
    name: Text
    overdue_days_min: Annotated[int, Field(ge=-60, le=3660)]
    owner: Post
    notice: bool = Field(description="whether a letter goes to the customer")
    evidence: bool = Field(description="whether the letter is meant to interrupt the limitation period")
    deadline_days: Days
    standing: Literal["watched", "stopped"] | None = None


class Dunning(Frozen):
    """The dunning procedure: stages; net claims up to `amount_min` lead to nothing; the least gap between letters."""

    amount_min: Amount
    quiet_days: Days
    catch_up_days_max: Days = Field(default=31, description="the daily run makes up for so many missed days by itself")
    stages: tuple[DunningStage, ...] = Field(min_length=1)


class Authority(Frozen):
    """Who may sign up to how much of the resulting total limit; null is without bound (clause C2, domain 4.3)."""

    post: Post
    amount_max: Amount | None


class Approval(Frozen):
    """The authority table and the cases that always go to a certain post."""

    authority: tuple[Authority, ...] = Field(min_length=1)
    grade_d_by: Post
    unlimited_by: Post
    over_suggestion_by: Post
    temporary_days_max: Days
    split_days: Days = Field(description="requests within so many days are added up when authority is asked")


class OrderCheck(Frozen):
    """The order check: how hard each reason bites, and its thresholds."""

    severity: dict[str, Severity]
    overdue_amount_min: Amount = Field(description="overdue sums up to this are a rounding residue and hold nothing")
    overdue_amount_max: Amount | None = Field(description="hold when more than this is overdue in sum; null: no rule")
    dunning_stage_max: Annotated[int, Field(ge=0, le=9)]
    line_grace_days: Days
    review_grace_days: Days
    reservation_days: Annotated[int, Field(ge=1, le=366)]
    reservation_days_max: Annotated[int, Field(ge=1, le=3660)] = 366
    watch_share: Share = Field(description="share of the limit from which a customer page shows the watch colour")
    release_days: Annotated[int, Field(ge=1, le=366)]
    release_tolerance: Share = Field(description="a released order may come back larger by this share")


class CalendarBook(Frozen):
    """The rest days: the country's own, and the company's or the yearly notice's overrides."""

    country: str = Field(pattern="^[A-Z]{2}$")
    holidays: tuple[date, ...] = ()
    workdays: tuple[date, ...] = ()
    due_date_shift: Literal["none", "next", "previous"]


class Lines(Frozen):
    """Life of a line: how long it runs, how far ahead it may begin, when its end is announced."""

    months: Annotated[int, Field(ge=1, le=60)]
    expiry_notice_days: tuple[Days, ...]
    ahead_days_max: Days = 366


SecurityKind = Literal[
    "mortgage", "pledge", "joint_guarantee", "general_guarantee", "bank_guarantee", "deposit", "insurance"
]
SECURITY_KINDS: tuple[SecurityKind, ...] = get_args(SecurityKind)
PartOfOne = Annotated[Decimal, Field(ge=0, le=1, decimal_places=4)]


def _usual_shares() -> dict[SecurityKind, Decimal]:
    shares = ("0.6", "0.7", "0.5", "0.2", "1", "1", "0.8")
    return dict(zip(SECURITY_KINDS, map(Decimal, shares), strict=True))


class Securities(Frozen):
    """How far collateral, guarantees, deposits and credit insurance raise a line, and when their end is announced."""

    shares: dict[SecurityKind, PartOfOne] = Field(default_factory=_usual_shares)
    grades: tuple[Grade, ...] = (Grade.A, Grade.B, Grade.C)
    raise_share_max: Share = Decimal(1)
    raise_max: Amount | None = None
    notice_days: tuple[Days, ...] = (60, 30, 7)

    @model_validator(mode="after")
    def _knows_every_kind(self) -> "Securities":
        if missing := sorted(set(SECURITY_KINDS) - set(self.shares)):
            raise ValueError(f"securities.shares: missing {', '.join(missing)}")
        return self


class Figures(Frozen):
    """How the figures of domain 5.2 are measured."""

    period_days: Annotated[int, Field(ge=1, le=366)]
    year_days: Literal[360, 365]


class Market(Frozen):
    """The recommended list (A8), and what counts as an opportunity for sales (C3.7)."""

    grade_min: Grade = Grade.B
    months_min: Annotated[int, Field(ge=0, le=600)] = 12
    clean_months_min: Annotated[int, Field(ge=0, le=600)] = 12
    paid_invoices_min: Annotated[int, Field(ge=0)] = 6
    headroom_share_min: Share = Decimal("0.5")
    upgrade_points_max: Points = Decimal(8)
    quiet_months: Annotated[int, Field(ge=1, le=120)] = 6


class AnnualReview(Frozen):
    """What the annual review proposes (B2.4): when better terms are earned, when a line is larger than what is needed.

    Shares are of the line held, but for `raise_on_time_min` (by amount) and `sales_fall_warned` (of last year's sales).
    `overdue_share_warned` is of what a grade owes, `unrated_share_warned` of all customers reviewed.
    """

    raise_months_min: Annotated[int, Field(ge=0, le=600)] = 12
    raise_on_time_min: Share = Decimal("0.95")
    raise_use_min: Share = Decimal("0.7")
    raise_step_max: Annotated[Decimal, Field(ge=0, le=10)] = Decimal("0.5")
    unused_below: Share = Decimal("0.2")
    unused_room: Annotated[Decimal, Field(ge=1, le=10)] = Decimal("1.5")
    sales_fall_warned: Share = Decimal("0.3")
    overdue_share_warned: Share = Decimal("0.2")
    unrated_share_warned: Share = Decimal("0.1")


class Digest(Frozen):
    """How often each department is told of evaluation results (B2.6), and how many missed periods are caught up."""

    cadence: Literal["weekly", "monthly"] = "weekly"
    catch_up_max: Annotated[int, Field(ge=1, le=60)] = 8
    ahead_days: Days = 30


OFFICE_POSTS = (Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER, Post.VICE_PRESIDENT, Post.LEGAL_REPRESENTATIVE)


class Unmasking(Frozen):
    """Which posts may read a masked particular of a customer in full, each time with a reason (PIPL art. 51)."""

    telephone: tuple[Post, ...] = (Post.SALES, Post.FINANCE, *OFFICE_POSTS)
    email: tuple[Post, ...] = (Post.SALES, Post.FINANCE, *OFFICE_POSTS)
    address: tuple[Post, ...] = (Post.SALES, Post.FINANCE, *OFFICE_POSTS)
    bank_account: tuple[Post, ...] = (Post.FINANCE, *OFFICE_POSTS)
    id_number: tuple[Post, ...] = OFFICE_POSTS


class PersonalData(Frozen):
    """How personal data are guarded: who may unmask them, and after how many hours what is finished is cleared away.

    An impact assessment is looked at again after so many months, told so many days before, and kept for so many years
    after it was in force: at least three (PIPL art. 56).
    """

    unmask: Unmasking = Unmasking()
    purge_hours: Annotated[int, Field(ge=1, le=720)] = 24
    keep_years: Annotated[int, Field(ge=1, le=50)] = 10
    assessment_months: Annotated[int, Field(ge=1, le=60)] = 12
    assessment_notice_days: Annotated[int, Field(ge=0, le=365)] = 30
    assessment_keep_years: Annotated[int, Field(ge=3, le=50)] = 3


class Evidence(Frozen):
    """What is kept as evidence: the largest file in megabytes, and the longer edge of a kept photo in pixels."""

    file_mb_max: Annotated[int, Field(ge=1, le=50)] = 20
    photo_edge_max: Annotated[int, Field(ge=800, le=10_000)] = 2560


RequestKind = Literal["new", "raise", "lower", "temporary", "renewal"]
Item = Literal[
    "uscc", "address", "legal_representative", "registered_capital", "contact", "bank_account", "main_products",
    "expected_purchases", "trade_references", "consent", "statements", "payment_record", "sales_opinion", "security",
    "reason", "last_day",
]  # fmt: skip
"""What an application may have to bring along (domain 4.1)."""


CHECKLISTS: dict[RequestKind, tuple[Item, ...]] = {
    "new": (
        "uscc", "address", "legal_representative", "contact", "main_products", "expected_purchases",
        "trade_references", "consent", "statements", "reason",
    ),
    "raise": ("statements", "expected_purchases", "payment_record", "reason"),
    "lower": ("reason",),
    "temporary": ("reason", "last_day", "payment_record"),
    "renewal": ("statements", "payment_record", "reason"),
}  # fmt: skip
SERVICE_DAYS: dict[RequestKind, int] = {"new": 10, "raise": 7, "lower": 3, "temporary": 3, "renewal": 7}


class PublicForms(Frozen):
    """Forms that outsiders fill by a link: how long it lives, and what keeps machines out."""

    link_days: Annotated[int, Field(ge=1, le=90)] = 14
    reference_days: Annotated[int, Field(ge=1, le=90)] = 10
    tries_per_hour: Annotated[int, Field(ge=1, le=1000)] = 20
    seconds_min: Annotated[int, Field(ge=0, le=60)] = 3
    files_max: Annotated[int, Field(ge=0, le=20)] = 6


class Applications(Frozen):
    """From application to reply (B2.3): whose opinions in which order, what must be there, by when, through which door.

    `complete_before`: the step at which a missing item has to be excused by a written reason.
    """

    opinions: tuple[Post, ...] = (
        Post.SALES,
        Post.CREDIT_ADMINISTRATOR,
        Post.FINANCE,
        Post.CREDIT_MANAGER,
        Post.VICE_PRESIDENT,
        Post.LEGAL_REPRESENTATIVE,
    )
    complete_before: Literal["submit", "accept", "approve"] = "approve"
    checklist: dict[RequestKind, tuple[Item, ...]] = Field(default=CHECKLISTS)
    service_days: dict[RequestKind, Annotated[int, Field(ge=1, le=120)]] = Field(
        default=SERVICE_DAYS, description="working days from the day after it was handed in to the decision"
    )
    reapply_months: Annotated[int, Field(ge=0, le=36)] = 6
    public_forms: PublicForms = PublicForms()

    @model_validator(mode="after")
    def _every_kind(self) -> "Applications":
        """Each kind of request has its checklist and its days."""
        kinds = set(CHECKLISTS)
        if set(self.checklist) != kinds or set(self.service_days) != kinds:
            raise ValueError("checklist and service_days: new, raise, lower, temporary and renewal are needed")
        return self


class Ground(Frozen):
    """A ground on which a customer may be proposed for the blacklist: what it must show is in its name."""

    code: str = Field(pattern="^[a-z][a-z_]{0,39}$")
    name: Text


def _ground(code: str, zh: str, en: str) -> Ground:
    return Ground(code=code, name=Text(zh=zh, en=en))


GROUNDS = (
    _ground("malicious_default", "恶意拖欠，有能力而拒不付款", "Malicious default: able to pay, refuses"),
    _ground("fraud", "合同诈骗或骗取货物", "Contract fraud, or goods obtained by deceit"),
    _ground("forged_documents", "伪造、变造证照、报表或印章", "Forged licences, statements or seals"),
    _ground("asset_flight", "转移资产、抽逃资金或负责人失联", "Assets moved away, or the owners cannot be found"),
    _ground("public_list", "列入失信被执行人或严重违法失信名单", "On a public list of dishonest debtors or offenders"),
    _ground("repeated_breach", "屡次违约经催告仍不改正", "Repeated breach in spite of warnings"),
    _ground("bribery", "商业贿赂", "Commercial bribery"),
)


class Blacklisting(Frozen):
    """The blacklist's due process (B2.5, B3.1): grounds, days to object, review, persons of the same name."""

    grounds: tuple[Ground, ...] = GROUNDS
    objection_days: Annotated[int, Field(ge=1, le=180)] = 15
    review_months: Annotated[int, Field(ge=1, le=120)] = 24
    hold_same_name: bool = True

    def ground(self, code: str) -> Ground | None:
        """The ground with this code, or None."""
        return next((each for each in self.grounds if each.code == code), None)


class Parties(Frozen):
    """Related parties and the checks of a counterparty (B1.1 to B1.3)."""

    pool_percent_min: Annotated[Decimal, Field(ge=0, le=100)] = Decimal(50)
    agent_warning_days: Annotated[int, Field(ge=0, le=366)] = 30
    check_fresh_days: Annotated[int, Field(ge=1, le=3660)] = 180
    lawsuits_max: Annotated[int, Field(ge=0, le=1000)] = 3
    overdue_days_max: Days = 30
    grade_worst: Grade = Grade.C


REASON_CODES = (
    "blacklisted",
    "suspended",
    "stopped",
    "cash_only",
    "no_line",
    "line_expired",
    "limit_exceeded",
    "group_limit_exceeded",
    "overdue_days",
    "overdue_amount",
    "dunning_level",
    "document_too_large",
    "terms_loosened",
    "review_overdue",
    "contract_stopped",
    "unknown_customer",
    "currency_unknown",
    "proof_failed",
)
"""Why an order may not ship on credit, in the order they are evaluated and listed."""

NEVER_WARN = frozenset({"blacklisted", "suspended", "stopped", "cash_only", "no_line", "limit_exceeded",
                        "group_limit_exceeded", "unknown_customer", "currency_unknown", "proof_failed"})  # fmt: skip
"""Reasons that may not be softened to a warning: a limit that only warns is no limit (clause A1)."""


class Policy(Frozen):
    """The whole book. Every decision stores the version of the book it was taken under."""

    company: Company
    grades: dict[Grade, GradeTerms]
    scorecard: tuple[QuestionGroup, ...]
    triggers: tuple[Trigger, ...]
    limits: Methods
    features: FeatureModel = Field(default_factory=FeatureModel)
    new_customer: NewCustomer
    lines: Lines
    securities: Securities = Field(default_factory=Securities)
    downgrade: Downgrade
    aging: Aging
    dunning: Dunning
    approval: Approval
    order_check: OrderCheck
    calendar: CalendarBook
    figures: Figures
    market: Market = Market()
    annual_review: AnnualReview = AnnualReview()
    digest: Digest = Digest()
    personal_data: PersonalData = PersonalData()
    evidence: Evidence = Evidence()
    applications: Applications = Applications()
    blacklist: Blacklisting = Blacklisting()
    parties: Parties = Parties()

    @model_validator(mode="after")
    def _hangs_together(self) -> "Policy":
        """What must hold for the book to be usable at all; softer faults are `faults()`."""
        if list(self.grades) != list(Grade):
            raise ValueError("grades: A, B, C and D are needed, in this order")
        for better, worse in pairwise(self.grades.values()):
            if better.score_min <= worse.score_min:
                raise ValueError("grades: score_min must fall from A to D, or bands overlap")
        if self.grades[Grade.D].score_min != 0:
            raise ValueError("grades.D.score_min: must be 0, or the scores below it have no grade")
        for path, severities in self._severities():
            for code, severity in severities.items():
                if code not in REASON_CODES:
                    raise ValueError(f"{path}.{code}: no such reason code")
                if severity == "warn" and code in NEVER_WARN:
                    raise ValueError(f"{path}.{code}: cannot be 'warn'; a limit that only warns is no limit")
        if missing := [code for code in REASON_CODES if code not in self.order_check.severity]:
            raise ValueError(f"order_check.severity: missing {', '.join(missing)}")
        return self

    def _severities(self) -> list[tuple[str, dict[str, Severity]]]:
        own = [(f"grades.{grade}.severity", terms.severity) for grade, terms in self.grades.items()]
        return [("order_check.severity", self.order_check.severity), *own]

    def severity(self, code: str, grade: Grade | None) -> Severity:
        """How hard a reason bites for a customer of this grade: the grade's own word first, then the general one."""
        own = self.grades[grade].severity if grade else {}
        return own.get(code, self.order_check.severity[code])

    def grade_for(self, score: Decimal) -> Grade:
        """The grade whose band holds the score (0 to 100)."""
        return next(grade for grade, terms in self.grades.items() if score >= terms.score_min)
