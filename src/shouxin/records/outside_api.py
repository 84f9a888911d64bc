"""Outsiders asked over the API: referees by mail, the customer by a link of its own (B2.3)."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.urls import reverse
from ninja import Router, Status
from pydantic import BaseModel, Field

from shouxin.credit import form_links, references
from shouxin.credit.models import Reference
from shouxin.customers import registry
from shouxin.lib.api import Body, IsoDay, told_once
from shouxin.office import policies, sight
from shouxin.office.pages import moment

from .application_api import Kind, ReferenceOut, application_of, reference_row

router = Router(tags=["applications"])


class NewReference(Body):
    """A bank or supplier to be asked by mail."""

    kind: Literal["bank", "trade"]
    name: Annotated[str, Field(max_length=200)]
    email: Annotated[str, Field(max_length=254)]


class NewLink(Body):
    """A link by which the customer fills in the form itself; with `email` it is sent there."""

    request_type: Kind
    email: Annotated[str, Field(max_length=254)] = ""


class LinkOut(BaseModel):
    """The address, told once (null where the answer is given again), and the last day it works."""

    address: str | None
    expires_on: IsoDay


@router.post("/applications/{int:pk}/references", response={201: ReferenceOut})
def ask_reference(request: HttpRequest, pk: int, new: NewReference) -> Any:
    """Ask a bank or a supplier by mail; it answers by a link of its own. Needs the customer's consent."""
    call, found = moment(request), application_of(request, pk)
    edition = policies.in_force(call["today"])
    made = references.ask(
        found, **new.model_dump(), address=address_of(request, "credit:reference_form"), edition=edition, **call
    )
    return Status(201, reference_row(made, found, references.may_read(call["by"], call["today"])))


@router.post("/references/{int:pk}/remind", response=ReferenceOut)
def remind_reference(request: HttpRequest, pk: int) -> dict[str, Any]:
    """Ask a referee who has not answered again, by a new link; the old one serves no more. Once a day at most."""
    call = moment(request)
    rows = Reference.objects.select_related("application")
    found = sight.get_visible(rows, call["by"], pk, on=call["today"], path="application__customer")
    address, edition = address_of(request, "credit:reference_form"), policies.in_force(call["today"])
    done = references.remind(found, address=address, edition=edition, **call)
    return reference_row(done, found.application, references.may_read(call["by"], call["today"]))


@router.post("/customers/{reference}/form-links", response={201: LinkOut})
@told_once("address")
def make_link(request: HttpRequest, reference: str, new: NewLink) -> Any:
    """A link by which the customer fills in the application itself, once, without an account."""
    call = moment(request)
    customer = registry.visible_customer(reference, by=call["by"], on=call["today"])
    address = address_of(request, "credit:application_form")
    edition = policies.in_force(call["today"])
    made = form_links.invite(customer, new.request_type, address=address, to=new.email, edition=edition, **call)
    return Status(201, {"address": address(made.token), "expires_on": made.link.expires_on})


def address_of(request: HttpRequest, name: str) -> Any:
    """token -> the full address of a public page."""
    return lambda token: request.build_absolute_uri(reverse(name, args=[token]))
