"""Why something is not done: refusals that can be shown to the person who asked, with what would cure them.

A refusal is not an accident. Its `code` is for programs, its message and cure for people, its `status` is the
HTTP status every face answers with: 403 duty, 404 sight, 409 moved, 422 form, 503 cannot decide.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from . import field_words

TOO_LONG = _("At most %(most)s characters.")
"""What a text with more than `most` characters is refused with: nothing is cut without a word."""

Text = str | Promise


class Refusal(Exception):
    """Something asked for that is not done. `params` fill the %(names)s of message and cure.

    `trail_line` is the unsaved line that whoever catches the refusal writes once the failed transaction is over
    (`trail.keep`): a refused act leaves a trace although everything else it did is rolled back.
    """

    code = "refused"
    status = 409
    message: Text = _("This cannot be done.")
    cure: Text = ""
    retry_after: int | None = None
    """Seconds after which asking again makes sense, where that is known."""

    def __init__(
        self, message: Text | None = None, *, code: str | None = None, cure: Text | None = None, **params: Any
    ) -> None:
        self.message = self.message if message is None else message
        self.code = code or self.code
        self.cure = self.cure if cure is None else cure
        self.params = params
        self.trail_line: Any = None
        super().__init__(self.message)

    @property
    def errors(self) -> list[tuple[str, str]]:
        """(field, message) pairs where single fields are to blame, in the current language."""
        return []

    @property
    def cure_text(self) -> str:
        """What would cure it, in the current language; empty where nothing would."""
        return _filled(self.cure, self.params)

    @property
    def title(self) -> str:
        """What is refused, in a line; the fields to blame stand beside it."""
        return str(self)

    @property
    def named(self) -> list[tuple[str, str]]:
        """(label, message) pairs as pages show them; `errors` has the keys programs know."""
        return self.errors

    @property
    def told(self) -> str:
        """The refusal as a page tells it, with the labels of the fields."""
        return "; ".join(f"{label}: {text}" if label else text for label, text in self.named) or str(self)

    def __str__(self) -> str:
        return _filled(self.message, self.params)


class NotYourDuty(Refusal):
    """The caller holds none of the posts whose duty this is, or may not do it to this paper. Status 403."""

    code = "not_your_duty"
    status = 403
    message = _("This is not among your duties.")
    cure = _("Ask a holder of the post whose duty it is.")


class NotVisible(Refusal):
    """There is no such thing, or the caller may not know whether there is. Status 404."""

    code = "not_found"
    status = 404
    message = _("There is no such thing, or it is not among those you may see.")


class Moved(Refusal):
    """The thing is not, or no longer, in the state the caller took it to be in. Status 409."""

    code = "moved"
    status = 409
    message = _("Somebody has changed this in the meantime.")
    cure = _("Reload it and look again.")


class VersionUnsaid(Refusal):
    """A signature over the API that does not say which version it signs. Status 428."""

    code = "version_unsaid"
    status = 428
    message = _("Say which version you have seen.")
    cure = _("Read it, and send its version in If-Match.")


class BadForm(Refusal):
    """What was filled in cannot be accepted. `errors`: (field, message) pairs, all of them. Status 422.

    `labels`: what the form calls its fields; others are looked up in `field_words`.
    """

    code = "bad_form"
    status = 422
    message = _("Some fields cannot be accepted.")
    cure = _("Correct the fields named and send it again.")

    def __init__(
        self,
        errors: Iterable[tuple[str, Text]] | Mapping[str, Text] = (),
        *,
        labels: Mapping[str, Text] | None = None,
        **options: Any,
    ) -> None:
        self._labels = labels or {}
        pairs = errors.items() if isinstance(errors, Mapping) else errors
        self._errors = list(pairs)
        super().__init__(**options)

    @property
    def errors(self) -> list[tuple[str, str]]:
        """(field, message) pairs in the current language; field "" where the form as a whole is to blame."""
        return [(field, str(text)) for field, text in self._errors]

    @property
    def title(self) -> str:
        """That some fields cannot be accepted."""
        return super().__str__()

    @property
    def named(self) -> list[tuple[str, str]]:
        """(label, message) pairs in the current language."""
        return [(str(self._labels.get(field) or field_words.label(field)), text) for field, text in self.errors]

    def __str__(self) -> str:
        told = "; ".join(f"{field}: {text}" if field else text for field, text in self.errors)
        return told or super().__str__()


class BeingWorkedOut(Refusal):
    """A report over books too large to be read while one waits; the worker has begun with it. Status 503."""

    code = "being_worked_out"
    status = 503
    message = _("This is being worked out.")
    cure = _("Ask again in a minute.")


class CannotDecide(Refusal):
    """Something needed for the answer is missing (a rate, the policy, a proof): no answer is safer. Status 503."""

    code = "cannot_decide"
    status = 503
    message = _("This cannot be decided now.")
    cure = _("Try again later.")


def fitting(text: str, most: int, field: str = "reason") -> str:
    """The text without blanks around it and without signs that no paper holds; BadForm where it is longer than `most`.

    What people wrote is kept whole or refused: nothing is cut without a word.
    """
    kept = text.replace("\x00", "").strip()
    if len(kept) > most:
        raise BadForm([(field, TOO_LONG % {"most": most})])
    return kept


def _filled(text: Text, params: Mapping[str, Any]) -> str:
    return str(text) % params if params else str(text)
