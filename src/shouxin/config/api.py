"""The API, assembled: each package's router, the description, the page that shows it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, re_path
from ninja.openapi.docs import DocsBase

from shouxin import __version__
from shouxin.collection.api import router as collection
from shouxin.credit.api import router as credit
from shouxin.credit.securities_api import router as securities
from shouxin.customers.api import router as customers
from shouxin.customers.data_requests_api import router as data_requests
from shouxin.customers.dossier_api import router as dossier
from shouxin.customers.evidence_api import router as evidence
from shouxin.customers.parties_api import router as parties
from shouxin.office.api import router as office
from shouxin.office.attachments_api import router as attachments
from shouxin.office.door import SCOPES_KEY, Door, not_found
from shouxin.office.imports.api import router as imports
from shouxin.office.privacy.api import router as privacy
from shouxin.office.webhooks.api import router as webhooks
from shouxin.orders.api import router as orders
from shouxin.receivables.api import router as receivables
from shouxin.receivables.reports_api import router as ledger
from shouxin.records.api import router as reports
from shouxin.records.application_api import router as applications
from shouxin.records.file_api import router as files
from shouxin.records.fitted_api import router as fitted_cards
from shouxin.records.grade_review_api import router as grade_reviews
from shouxin.records.granted_views import router as granted
from shouxin.records.letters_api import router as letters
from shouxin.records.market_api import router as market
from shouxin.records.outside_api import router as outside
from shouxin.records.parties_api import router as groups
from shouxin.reviews.api import router as reviews

ROUTERS = [
    office,
    customers,
    data_requests,
    privacy,
    parties,
    credit,
    securities,
    orders,
    reports,
    outside,
    applications,
    granted,
    grade_reviews,
    fitted_cards,
    files,
    letters,
    market,
    attachments,
    evidence,
    groups,
    reviews,
    dossier,
    imports,
    webhooks,
    receivables,
    ledger,
    collection,
]
"""A package that speaks over the API adds its router here; paths are written in full in the package."""


class PlainDocs(DocsBase):
    """The description as one page of our own: no script, nothing from outside, so that the strictest CSP lets it be."""

    def render_page(self, request: HttpRequest, api: Any, **_kwargs: Any) -> HttpResponse:
        """Every path with its calls, parameters, body and answers."""
        schema = api.openapi
        calls = [
            _call(address, method, call, schema)
            for address, verbs in schema["paths"].items()
            for method, call in verbs.items()
        ]
        schemas = [(name, each, _fields(each)) for name, each in sorted(schema["components"]["schemas"].items())]
        return render(request, "office/api_docs.html", {"schema": schema, "calls": calls, "schemas": schemas})


def _call(address: str, method: str, call: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """One call as the page needs it."""
    content = call.get("requestBody", {}).get("content", {})
    return {
        "address": address,
        "method": method.upper(),
        "summary": call.get("description") or call["summary"],
        "scopes": call[SCOPES_KEY],
        "parameters": [each | {"kind": _kind(each["schema"])} for each in call.get("parameters", [])],
        "body": [(kind, _reference(each["schema"])) for kind, each in content.items()],
        "answers": [
            (status, [_reference(each["schema"]) for each in answer.get("content", {}).values()])
            for status, answer in call["responses"].items()
        ],
    }


def _fields(schema: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """(name, type, pattern, meaning) of each field of a shape."""
    properties = schema.get("properties", {})
    return [
        (name, _kind(each), each.get("pattern", ""), each.get("description", "")) for name, each in properties.items()
    ]


def _kind(schema: dict[str, Any]) -> str:
    """The type in words, its alternatives parted by strokes."""
    if "anyOf" in schema:
        return " | ".join(_kind(each) for each in schema["anyOf"])
    return _reference(schema)


def _reference(schema: dict[str, Any]) -> str:
    """The name of the schema, with [] for a list of it."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array":
        return f"{_reference(schema['items'])}[]"
    return str(schema.get("type") or schema.get("title", ""))


api = Door(
    title="Shouxin 授信·守信",
    version=__version__,
    description="Customer credit, by the company's own regulation. Amounts are JSON strings with two decimals.",
    urls_namespace="api",
    docs=PlainDocs(),
)
for router in ROUTERS:
    api.add_router("", router)

urlpatterns = [path("", api.urls), re_path("", not_found)]
"""To be included below `api/v1/`."""
