"""Import runs and number series: the few things kept here that belong to no noun of the business."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ImportRun(models.Model):
    """A file on its way in: uploaded, looked at, taken over. Its rows stay until the run is done."""

    STATES = [
        ("uploaded", _("Uploaded")),
        ("waiting", _("Waiting")),
        ("running", _("Running")),
        ("done", _("Done")),
        ("failed", _("Failed")),
    ]
    kind = models.CharField(max_length=20)
    file_name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    path = models.CharField(max_length=300)
    mapping = models.JSONField(default=dict)
    options = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=STATES, default="uploaded")
    rows = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    done_rows = models.PositiveIntegerField(default=0)
    totals = models.JSONField(default=dict, help_text="sum control: currency -> amount of accepted and refused rows")
    errors = models.JSONField(default=list, help_text="the first faults, for the page; the workbook holds all")
    errors_path = models.CharField(max_length=300, blank=True)
    fault = models.JSONField(default=dict, help_text="why the whole file failed: code and particulars")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]


class Series(models.Model):
    """The last number given in a series such as 'notice-2026'; gaps cannot arise, the row is locked."""

    name = models.CharField(max_length=60, primary_key=True)
    last = models.PositiveBigIntegerField(default=0)


class Kept(models.Model):
    """A figure over every row as it was last worked out (`lib.kept`): may be thrown away at any time."""

    key = models.CharField(max_length=200, primary_key=True)
    content = models.JSONField()
    asked = models.JSONField()
    seconds = models.FloatField(help_text="how long it took")
    at = models.DateTimeField()


class Once(models.Model):
    """A mark that something was done once for this database, such as loading the demo company."""

    name = models.CharField(max_length=60, primary_key=True)
    at = models.DateTimeField()
