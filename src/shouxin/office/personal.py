"""The personal data the product keeps, field by field: what for, on which ground, how long, how guarded (PIPL).

One table for the notice of art. 17, the page, the API and the command line. `tests/office/test_personal_data.py`
fails for a field of a model that could hold personal data and stands neither here nor in NOT_PERSONAL.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from django.apps import apps
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise
Mask = Literal["", "telephone", "bank_account", "id_number", "email", "address"]

BASES: dict[str, Text] = {
    "13-2": _("PIPL art. 13(2): needed to conclude or perform a contract, or for managing staff by company rules"),
    "13-3": _("PIPL art. 13(3): needed to fulfil a statutory duty"),
    "13-6": _("PIPL art. 13(6): made public by the person or lawfully, used within reason"),
}
KEPT: dict[str, Text] = {
    "customer": _("as long as we do business, then as long as the policy keeps files; deleted or restricted after"),
    "papers": _("as long as the accounting papers they stand on (at least ten years)"),
    "staff": _("as long as employed, then as long as the acts recorded under the name"),
    "trail": _("as long as the audit trail; at least six months in reach (Cybersecurity Law)"),
    "run": _("until the clean-up after the run, at most a day"),
    "week": _("until nobody has asked for them in a week"),
}


@dataclass(frozen=True)
class Field:
    """One field. `sensitive`: PIPL art. 28. `masked`: how it is shown unless somebody gives a reason; "": not masked.

    `only`: masked, or personal at all, for natural persons alone.
    """

    model: str
    name: str
    what: Text
    purpose: Text
    basis: str
    kept: str
    sensitive: bool = False
    masked: Mask = ""
    only_natural: bool = False

    @property
    def path(self) -> str:
        """How the field is named: customers.Customer.telephone."""
        return f"{self.model}.{self.name}"

    @property
    def sealed(self) -> bool:
        """Whether it rests encrypted."""
        from shouxin.lib.sealed import SealedField

        return isinstance(apps.get_model(self.model)._meta.get_field(self.name), SealedField)

    def as_row(self) -> dict[str, Any]:
        """The field in words of the reader's language."""
        return {
            "field": self.path,
            "what": str(self.what),
            "purpose": str(self.purpose),
            "basis": str(BASES[self.basis]),
            "retention": str(KEPT[self.kept]),
            "sensitive": self.sensitive,
            "masked": self.masked,
            "encrypted": self.sealed,
            "natural_persons_only": self.only_natural,
        }


_CUSTOMER, _PERSON, _NOTICE, _MAIL = "customers.Customer", "office.Person", "collection.Notice", "customers.Mail"
_APPLICATION, _APPLYING = "credit.Application", _("to decide about an application for credit")
_IDENTIFY = _("to know with whom we contract and to rate its credit")
_REACH = _("to reach the customer about orders, invoices and letters")
_RELATED = _("to know who stands behind a customer and to tell namesakes apart")
_AGENCY = _("to see that whoever signs for a customer may do so")
_BLACKLIST = _(
    "to guard against new business with those who broke faith; of deleted persons only what knows them again"
)
_STAFF = _("to sign in, to give posts, and to say on letters whom to call")
_SHARED = _("to tell persons to whom their data are given")
_ACTS = _("to tell who did what, and why")

FIELDS: tuple[Field, ...] = (
    Field(_CUSTOMER, "name", _("name"), _IDENTIFY, "13-2", "customer", only_natural=True),
    Field(_CUSTOMER, "short_name", _("short name"), _IDENTIFY, "13-2", "customer", only_natural=True),
    Field("customers.OtherName", "name", _("other names"), _IDENTIFY, "13-2", "customer", only_natural=True),
    Field(_CUSTOMER, "uscc", _("unified social credit code of a sole trader"), _IDENTIFY, "13-6", "customer",
          only_natural=True),
    Field(_CUSTOMER, "id_number", _("identity number"), _IDENTIFY, "13-2", "customer", True, "id_number", True),
    Field(_CUSTOMER, "legal_representative", _("legal representative"), _IDENTIFY, "13-6", "customer"),
    Field(_CUSTOMER, "contact", _("contact"), _REACH, "13-2", "customer"),
    Field(_CUSTOMER, "telephone", _("telephone"), _REACH, "13-2", "customer", masked="telephone"),
    Field(_CUSTOMER, "email", _("e-mail for letters"), _REACH, "13-2", "customer", masked="email"),
    Field(_CUSTOMER, "address", _("address"), _REACH, "13-2", "customer", masked="address", only_natural=True),
    Field(_CUSTOMER, "region", _("region"), _REACH, "13-2", "customer", only_natural=True),
    Field(_CUSTOMER, "bank", _("bank"), _("to know payments by their account and to pay back"), "13-2", "customer",
          only_natural=True),
    Field(_CUSTOMER, "bank_account", _("bank account"), _("to know payments by their account and to pay back"), "13-2",
          "customer", True, "bank_account"),
    Field("customers.Fact", "value", _("facts such as lawsuits and lists of debtors"), _IDENTIFY, "13-6", "customer",
          only_natural=True),
    Field("customers.Fact", "particulars", _("entries of public lists"), _IDENTIFY, "13-6", "customer",
          only_natural=True),
    Field("customers.FactCheck", "note", _("remarks on facts"), _IDENTIFY, "13-2", "customer"),
    Field("customers.FactMark", "why", _("remarks on facts"), _IDENTIFY, "13-2", "customer"),
    Field("customers.DataRequest", "why", _("what a person asked for"),
          _("to answer what persons ask about their data"), "13-3", "customer"),
    Field("customers.DataRequest", "changes", _("fields to be corrected"),
          _("to answer what persons ask about their data"), "13-3", "customer"),
    Field("customers.DataRequest", "answer", _("what was answered"), _("to answer what persons ask about their data"),
          "13-3", "customer"),
    Field("customers.RelatedPerson", "name", _("name"), _RELATED, "13-6", "customer"),
    Field("customers.RelatedPerson", "id_number", _("identity number"), _RELATED, "13-2", "customer", True,
          "id_number"),
    Field("customers.RelatedPerson", "note", _("how a person was identified"), _RELATED, "13-2", "customer"),
    Field("customers.Agent", "name", _("agent"), _AGENCY, "13-2", "customer"),
    Field("customers.Agent", "id_number", _("identity number"), _AGENCY, "13-2", "customer", True, "id_number"),
    Field("customers.Agent", "telephone", _("telephone"), _AGENCY, "13-2", "customer", masked="telephone"),
    Field("customers.Agent", "scope", _("scope of the power"), _AGENCY, "13-2", "customer"),
    Field("customers.Agent", "evidence", _("where the power is kept"), _AGENCY, "13-2", "customer"),
    Field("customers.Agent", "revoked_why", _("who revoked the power"), _AGENCY, "13-2", "customer"),
    Field("customers.BlacklistCase", "why", _("what happened"), _BLACKLIST, "13-2", "customer"),
    Field("customers.BlacklistCase", "evidence", _("evidence"), _BLACKLIST, "13-2", "customer"),
    Field("customers.BlacklistCase", "appeal", _("what the customer objects"), _BLACKLIST, "13-2", "customer"),
    Field("customers.Fact", "note", _("remarks on facts"), _IDENTIFY, "13-2", "customer"),
    Field("credit.Security", "provider", _("who gives a security"),
          _("to know who answers for the debts besides the customer"), "13-2", "customer", True, only_natural=True),
    Field("credit.Security", "subject", _("what secures the debts"),
          _("to know who answers for the debts besides the customer"), "13-2", "customer", only_natural=True),
    Field("reviews.Review", "facts", _("what the annual review found"), _IDENTIFY, "13-2", "customer",
          only_natural=True),
    Field("reviews.Review", "remark", _("assessments of the annual review"), _IDENTIFY, "13-2", "customer",
          only_natural=True),
    Field("records.Digest", "paper", _("names in digests for departments"),
          _("to tell departments of evaluation results"), "13-2", "papers", only_natural=True),
    Field("receivables.Receipt", "payer", _("payer"), _("to match money with what is owed"), "13-3", "papers"),
    Field(_NOTICE, "to", _("address a letter went to"), _("to prove that a letter was sent"), "13-2", "papers",
          masked="email"),
    Field(_NOTICE, "body", _("text of a letter"), _("to prove what was demanded"), "13-2", "papers"),
    Field(_NOTICE, "letter", _("parts of a letter"), _("to prove what was demanded"), "13-2", "papers"),
    Field(_APPLICATION, "details", _("boxes of an application: contact, telephone, e-mail, bank account"), _APPLYING,
          "13-2", "customer", True),
    Field(_APPLICATION, "investigation", _("what an investigation found"), _APPLYING, "13-2", "customer"),
    Field("credit.ApplicationEdit", "changes", _("old and new contents of an application's boxes"), _APPLYING, "13-2",
          "customer", True),
    Field("credit.Reference", "name", _("whom we asked for a reference"), _APPLYING, "13-2", "customer"),
    Field("credit.Reference", "email", _("address of a referee"), _APPLYING, "13-2", "customer", masked="email"),
    Field("credit.Reference", "answer", _("what a referee wrote"), _APPLYING, "13-2", "customer"),
    Field(_MAIL, "to", _("address a letter went to"), _("to prove that a letter was sent"), "13-2", "papers",
          masked="email"),
    Field(_MAIL, "body", _("text of a letter"), _("to prove what was written"), "13-2", "papers"),
    Field(_MAIL, "paper", _("parts of a letter"), _("to prove what was written"), "13-2", "papers"),
    Field(_PERSON, "username", _("sign-in name"), _STAFF, "13-2", "staff"),
    Field(_PERSON, "first_name", _("first name"), _STAFF, "13-2", "staff"),
    Field(_PERSON, "last_name", _("last name"), _STAFF, "13-2", "staff"),
    Field(_PERSON, "name", _("name"), _STAFF, "13-2", "staff"),
    Field(_PERSON, "email", _("e-mail"), _STAFF, "13-2", "staff"),
    Field(_PERSON, "telephone", _("telephone at work"), _STAFF, "13-2", "staff"),
    Field(_PERSON, "password", _("digest of the password"), _STAFF, "13-2", "staff"),
    Field("office.Attachment", "name", _("names of files kept as evidence"), _IDENTIFY, "13-2", "customer",
          only_natural=True),
    Field("office.Attachment", "note", _("remarks on files kept as evidence"), _IDENTIFY, "13-2", "customer",
          only_natural=True),
    Field("office.AttachmentContent", "bytes", _("files kept as evidence"), _IDENTIFY, "13-2", "customer", True,
          only_natural=True),
    Field("office.DataSharing", "contact", _("whom to reach at a recipient of data"), _SHARED, "13-3", "trail"),
    Field("office.DataSharingVersion", "wording", _("whom to reach at a recipient of data"), _SHARED, "13-3", "trail"),
    Field("office.TrailEntry", "by_name", _("who acted"), _ACTS, "13-3", "trail"),
    Field("office.TrailEntry", "label", _("name of the thing acted upon"), _ACTS, "13-3", "trail"),
    Field("office.TrailEntry", "particulars", _("particulars of an act"), _ACTS, "13-3", "trail"),
    Field("office.IdempotencyKey", "answer", _("answers kept for repeated requests"),
          _("to answer the same request the same way"), "13-2", "trail"),
    Field("lib.Kept", "content", _("names in figures kept for a while"), _("to show large books quickly"), "13-2",
          "week", only_natural=True),
    Field("lib.ImportRun", "errors", _("refused cells of a file"), _("to show what to mend in the file"), "13-2",
          "run"),
)  # fmt: skip

NOT_PERSONAL: frozenset[str] = frozenset(
    {
        "collection.Day.counts", "collection.Day.aging", "collection.Day.faults", "collection.Day.proof",
        "collection.CustomerDay.owed", "collection.CustomerDay.reasons", "collection.Notice.items",
        "collection.Notice.claimed", "collection.Notice.number", "orders.CreditDecision.reasons",
        "orders.CreditDecision.request", "orders.CreditDecision.facts", "receivables.Receipt.names",
        "receivables.ProofRun.differences", "credit.LineRequest.suggested", "credit.Rating.sheet",
        "reviews.Campaign.portfolio", "credit.FittedCard.table", "credit.RefusedFit.particulars",
        "customers.Mail.paper_name",
        "office.ImpactAssessment.processing", "office.ImpactAssessment.necessity", "office.ImpactAssessment.impact",
        "office.ImpactAssessment.measures", "office.ImpactAssessment.opinion",
        "office.Webhook.secret", "office.PolicyVersion.text", "office.PolicyDraft.text", "office.SignInVersion.rules",
        "lib.ImportRun.mapping", "lib.ImportRun.options", "lib.ImportRun.totals",
        "lib.ImportRun.fault", "lib.ImportRun.file_name", "lib.Series.name", "lib.Once.name", "lib.Kept.asked",
        "credit.Reservation.number", "customers.Customer.id_number_index", "customers.Customer.bank_account_index",
        "customers.RelatedPerson.id_number_index", "customers.Agent.id_number_index",
    }
)  # fmt: skip
"""Fields whose name or type could hold personal data and that do not: figures, rules, codes, file names."""


LEADS: dict[str, str] = {
    _CUSTOMER: "pk",
    "customers.OtherName": "customer",
    "customers.Fact": "customer",
    "customers.FactCheck": "fact__customer",
    "customers.FactMark": "fact__customer",
    "customers.DataRequest": "customer",
    "customers.RelatedPerson": "ties__customer",
    "customers.Agent": "customer",
    "customers.BlacklistCase": "customer",
    "credit.Security": "customer",
    "reviews.Review": "customer",
    "receivables.Receipt": "customer",
    _NOTICE: "customer",
    _APPLICATION: "customer",
    "credit.ApplicationEdit": "application__customer",
    "credit.Reference": "application__customer",
    _MAIL: "customer",
    "office.Attachment": "customer",
}
"""By which path a model leads to the customer whose file it belongs to: all of it goes into the copy of art. 45."""

OF_NO_CUSTOMER: dict[str, str] = {
    _PERSON: "data of our own staff",
    "office.AttachmentContent": "the files are handed over as they came in; the copy names each of them",
    "office.DataSharing": "data of the recipients; what each is given stands in the copy under given_to",
    "office.DataSharingVersion": "data of the recipients; what each is given stands in the copy under given_to",
    "office.TrailEntry": "tells what our staff did; who looked at a file is answered by who-saw",
    "office.IdempotencyKey": "repeats what stands in the file, for the caller alone",
    "records.Digest": "one paper about many customers, made of what stands in their files",
    "lib.Kept": "figures about many customers, made of what stands in their files",
    "lib.ImportRun": "cells that were refused, of no customer; gone within a day",
}
"""The other models of the catalogue, and why they do not go into the copy of one customer."""


def catalogue() -> Iterator[dict[str, Any]]:
    """Every field in words, in the order of the table."""
    return (field.as_row() for field in FIELDS)


def masked_fields(model: str) -> dict[str, Field]:
    """The fields of a model that are masked, by name."""
    return {field.name: field for field in FIELDS if field.model == model and field.masked}
