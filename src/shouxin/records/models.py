"""What is kept of looking back: the digests told to departments."""

from django.db import models

from shouxin.office.models import APPEND_ONLY


class Digest(models.Model):
    """What one department was told of one period (B2.6); `department` empty: the credit office, of everybody."""

    department = models.CharField(max_length=60, blank=True)
    first = models.DateField()
    last = models.DateField()
    paper = models.JSONField(help_text="the digest as a paper of lib.documents")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-last", "department"]
        constraints = [models.UniqueConstraint(fields=["department", "first"], name="digest_once_a_period")]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.department or '*'} {self.first}–{self.last}"
