"""The amount of a form as people write it, and how large it may be."""

from decimal import Decimal

import pytest
from django import forms

from shouxin.credit.forms import LineForm
from shouxin.credit.security_forms import SecurityForm
from shouxin.customers.forms import CustomerForm
from shouxin.customers.party_forms import AgentForm, SigningForm
from shouxin.lib.fields import AmountField
from shouxin.office.people_views import AppointForm
from shouxin.records.application_forms import ApplicationForm, DecisionForm

TOO_LARGE = "below ten trillion"


@pytest.mark.parametrize(
    ("least", "text", "amount"),
    [
        pytest.param(0, "50,000", "50000.00", id="grouped"),
        pytest.param(0, "5万", "50000.00", id="in ten thousands"),
        pytest.param(0, "0", "0.00", id="nothing, where nothing may be"),
        pytest.param(None, "-1,200.50", "-1200.50", id="negative, where it may be"),
        pytest.param(0, "9,999,999,999,999.99", "9999999999999.99", id="the largest"),
    ],
)
def test_an_amount_is_read_as_people_write_it(least: int | None, text: str, amount: str) -> None:
    assert AmountField(least=least).clean(text) == Decimal(amount)


@pytest.mark.parametrize(
    ("options", "text", "words"),
    [
        pytest.param({}, "0", "above 0", id="nothing"),
        pytest.param({"least": 0}, "-0.01", "0 or more", id="less than nothing"),
        pytest.param({"least": 0}, "10,000,000,000,000", TOO_LARGE, id="one too large"),
        pytest.param({"least": None}, "-123456789012345678", TOO_LARGE, id="far too large"),
        pytest.param({}, "1,23,4", "such as 12,000.00", id="grouped wrongly"),
        pytest.param({}, "1.234", "such as 12,000.00", id="a tenth of a cent"),
    ],
)
def test_what_is_no_amount_is_told_what_would_be_one(options: dict[str, int], text: str, words: str) -> None:
    with pytest.raises(forms.ValidationError, match=words):
        AmountField(**options).clean(text)


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (LineForm, "limit"),
        (ApplicationForm, "requested_limit"),
        (DecisionForm, "limit"),
        (SecurityForm, "value"),
        (CustomerForm, "registered_capital"),
        (CustomerForm, "paid_in_capital"),
        (AgentForm, "amount_max"),
        (SigningForm, "amount"),
        (AppointForm, "amount_max"),
    ],
)
def test_every_form_takes_amounts_alike(form: type[forms.Form], field: str) -> None:
    assert form.base_fields[field].clean("50,000") == 50000
