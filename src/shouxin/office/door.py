"""The door of the API: who calls, in which transaction, answered once, and every refusal as a problem.

A write is one transaction from the key to the answer: what is refused or fails leaves nothing behind but the line a
refusal leaves in the trail. A 2xx answer is sent after the commit.
"""

import functools
import hashlib
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.core import signals
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, Error, IntegrityError, InterfaceError, OperationalError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import HttpBearer
from ninja.utils import check_csrf
from pydantic.json_schema import models_json_schema

from shouxin.lib import complaints
from shouxin.lib.api import BadCursor, ExactParser, Problem, ReadableRenderer, problem

from . import clock, idempotency, kept_answers, scopes, sign_in, sudo, tokens, trail
from .models import Person
from .refusals import BadForm, NotYourDuty, Refusal

READS = frozenset({"GET", "HEAD", "OPTIONS"})
SCOPES_KEY = "x-token-scopes"
"""Where the description of a call tells the scopes that open it, the narrowest first."""
RETRY_SECONDS = 5
LOCK_RETRY_SECONDS = 1
BUSY = frozenset({"55P03", "40P01", "40001"})
"""SQLSTATE of lock not available, deadlock, serialization failure: try again at once."""

SHAPES = "#/components/schemas/{model}"
_TOLD = {"content": {"application/problem+json": {"schema": {"$ref": SHAPES.format(model="Problem")}}}}
PROBLEMS = {
    "4XX": {"description": "Refused: what is wrong, and what would cure it", **_TOLD},
    "503": {"description": "Not now: ask again after Retry-After", **_TOLD},
}
"""What every call may answer beside its own answers."""

logger = logging.getLogger("shouxin.api")


class NoCsrfToken(Refusal):
    """A write by a session of the pages that does not show the token only those pages know. Status 403."""

    code = "csrf"
    status = 403
    message = _l("The request does not show that it comes from a page of this house.")
    cure = _l("Send the value of the CSRF cookie in X-CSRFToken, or call with a token of your own.")


def acting(request: HttpRequest) -> dict[str, Any]:
    """Who acts, on which business day, at which moment: `by`, `on`, `at` for a verb, read once per request."""
    known: dict[str, Any] | None = getattr(request, "_acting", None)
    if known is None:
        by = getattr(request, "auth", None) or request.user
        known = request._acting = {"by": by, "on": clock.today(), "at": clock.now()}  # type: ignore[attr-defined]
    return known


def seen_version(request: HttpRequest) -> int | None:
    """The version in If-Match (`"3"`, `W/"3"` or 3), None without the header. Raises BadForm for anything else."""
    given = request.headers.get("If-Match")
    if given is None:
        return None
    match = re.fullmatch(r'(?:W/)?"?([0-9]{1,9})"?', given.strip())
    if match is None:
        raise BadForm([("If-Match", _('must be the version you have seen, such as "3"'))])
    return int(match[1])


class TokenOrSession(HttpBearer):
    """A bearer token, else the session of the pages with its CSRF token."""

    def __call__(self, request: HttpRequest) -> Person | None:
        """The person who calls, or None. A token that does not work is not replaced by a session."""
        if isinstance(known := getattr(request, "auth", None), Person):
            return known  # the frame has asked already, before the body was read
        if "Authorization" in request.headers:
            return super().__call__(request)
        if not request.user.is_authenticated:
            return None
        if request.method not in READS and check_csrf(request):
            raise NoCsrfToken
        if request.method not in READS and sudo.CALLS.match(request.path_info):
            sudo.require(request)
        return request.user

    def authenticate(self, request: HttpRequest, token: str) -> Person | None:
        """Whose token it is."""
        opened_by = scopes.opening(request.path_info, reads=request.method in READS)
        person = tokens.person_of(token, on=clock.today(), at=clock.now(), opened_by=opened_by)
        if person and (stopped := sign_in.obstacle(person, today=clock.today())):
            raise NotYourDuty(sign_in.OBSTACLES[stopped], code=stopped, cure=_("Sign in on the pages and see to it."))
        return person


class Door(NinjaAPI):
    """The API with its frame; routers are plain ninja routers."""

    def __init__(self, **options: Any) -> None:
        super().__init__(auth=TokenOrSession(), parser=ExactParser(), renderer=ReadableRenderer(), **options)
        self.add_decorator(_one_transaction, mode="view")

    def on_exception(self, request: HttpRequest, exc: Any) -> HttpResponse:
        """Let it pass through the transaction; the frame around the view answers."""
        raise exc

    @functools.cached_property
    def openapi(self) -> Any:
        """What every address can do, as OpenAPI has it. Every call may also answer with a problem, and says which
        scopes of a token open it. Made once: it takes the better part of a second."""
        schema = super().get_openapi_schema()
        schema["components"]["schemas"] |= models_json_schema([(Problem, "serialization")], ref_template=SHAPES)[1][
            "$defs"
        ]
        for address, calls in schema["paths"].items():
            for method, call in calls.items():
                call["responses"] |= PROBLEMS
                call[SCOPES_KEY] = list(scopes.opening(address, reads=method.upper() in READS))
        return schema

    def get_openapi_schema(self, **_where: Any) -> Any:
        """The description, for ninja's own pages."""
        return self.openapi

    def _get_urls(self) -> list[Any]:
        patterns = super()._get_urls()
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                pattern.callback = _framed(pattern.callback)
        return patterns


def _framed(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @functools.wraps(view)
    def framed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            answer = view(request, *args, **kwargs)
        except Exception as error:
            return refused(request, error)
        if answer.status_code == 405:
            allowed = answer["Allow"]
            answer = problem(405, _("This cannot be done here."), code="method_not_allowed")
            answer["Allow"] = allowed
        return answer

    return framed


@csrf_exempt
def not_found(request: HttpRequest, *_args: Any) -> HttpResponse:
    """No such address below /api/v1."""
    return refused(request, Http404())


# --- one transaction, one answer -----------------------------------------------------------------


def _one_transaction(run: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Around one operation: the caller, the transaction, the key."""
    operation = run.__self__  # type: ignore[attr-defined]

    @functools.wraps(run)
    def wrapped(request: HttpRequest, **path: Any) -> HttpResponse:
        _refuse_unknown_query(request, operation)
        if request.method in READS:
            return run(request, **path)
        error = operation._run_checks(request)  # the caller is known before her body is read or her key is claimed
        if error:
            return error
        _refuse_unknown_body(request, operation)
        if getattr(operation.view_func, "own_transaction", False):
            return run(request, **path)
        with transaction.atomic():
            return _answered_once(request, operation.view_func, lambda: run(request, **path))

    return wrapped


def _answered_once(request: HttpRequest, view: Callable[..., Any], run: Callable[[], HttpResponse]) -> HttpResponse:
    key = request.headers.get("Idempotency-Key")
    if key is None or request.method != "POST" or getattr(view, "done_anew", False):
        return run()
    caller, secrets = acting(request)["by"], getattr(view, "told_once", ())
    known = idempotency.begin(caller, key, path=request.get_full_path(), body=body_of(request), at=clock.now())
    if known:
        refuse_out_of_sight(request, known, though_restricted=getattr(view, "outlives_restriction", False))
        return answered_before(idempotency.without(known, secrets))
    answer = run()
    kept = idempotency.without(idempotency.Answer(answer.status_code, answer.content.decode()), secrets)
    idempotency.finish(caller, key, status=kept.status, text=kept.text)
    return answer


def refuse_out_of_sight(request: HttpRequest, known: idempotency.Answer, *, though_restricted: bool = False) -> None:
    """Raise NotVisible for a kept answer about a customer the caller does not see now (`kept_answers`)."""
    call, path = acting(request), request.get_full_path()
    kept_answers.require_visible(known, path=path, by=call["by"], on=call["on"], though_restricted=though_restricted)


def answered_before(known: idempotency.Answer) -> HttpResponse:
    """The first answer again, marked as such."""
    return answered(known, before=True)


def answered(known: idempotency.Answer, *, before: bool = False) -> HttpResponse:
    """An answer that is text already; `before`: it was given before."""
    answer = HttpResponse(known.text, status=known.status, content_type="application/json; charset=utf-8")
    if before:
        answer["Idempotency-Replayed"] = "true"
    return answer


def claim_of(request: HttpRequest) -> idempotency.Claim | None:
    """What the Idempotency-Key stands for, for a view with a transaction of its own; None without the header."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    caller = acting(request)["by"]
    return idempotency.claim(caller, key, path=request.get_full_path(), body=body_of(request))


def body_of(request: HttpRequest) -> bytes:
    """What identifies the body: its bytes, or for an upload its fields and the digests of its files."""
    if request.content_type != "multipart/form-data":
        return request.body
    parts = [f"{name}={request.POST.getlist(name)}" for name in sorted(request.POST)]
    parts += [f"{name}={each.name}:{_digest(each)}" for name, each in _files(request)]
    return "\n".join(parts).encode()


def _files(request: HttpRequest) -> Iterator[tuple[str, Any]]:
    for name, found in sorted(request.FILES.lists()):
        for each in found:
            yield name, each


def _digest(upload: Any) -> str:
    digest = hashlib.sha256()
    for chunk in upload.chunks():
        digest.update(chunk)
    upload.seek(0)
    return digest.hexdigest()


def _refuse_unknown_query(request: HttpRequest, operation: Any) -> None:
    """A misspelt filter would show everything: it is refused (no setting is silently ignored)."""
    _refuse_unknown(request.GET, _known(operation, "query"))


def _refuse_unknown_body(request: HttpRequest, operation: Any) -> None:
    """Fields sent to a call that reads none of them are refused too; those of a JSON body its model knows (I-34)."""
    if any(model.__ninja_param_source__ == "body" for model in operation.models):
        return
    if request.content_type in ("multipart/form-data", "application/x-www-form-urlencoded"):
        _refuse_unknown([*request.POST, *request.FILES], _known(operation, "form", "file"))
    elif request.body.strip():
        sent = _parsed(request)
        _refuse_unknown(sent if isinstance(sent, dict) else ["body"], set())


def _parsed(request: HttpRequest) -> Any:
    try:
        return ExactParser().parse_body(request)
    except ValueError as error:
        raise HttpError(400, "unreadable body") from error


def _known(operation: Any, *sources: str) -> set[str]:
    models = [model for model in operation.models if model.__ninja_param_source__ in sources]
    return {name for model in models for name in getattr(model, "__ninja_flatten_map__", model.model_fields)}


def _refuse_unknown(names: Iterable[str], known: set[str]) -> None:
    unknown = [name for name in names if name not in known]
    if unknown:
        raise BadForm([(name, _("is not known here")) for name in unknown])


# --- what went wrong, told as a problem ----------------------------------------------------------


def refused(request: HttpRequest, error: Exception) -> HttpResponse:
    """The problem for whatever went wrong. The failed transaction is over by now: a refusal leaves its line."""
    if isinstance(error, Refusal):
        return _refusal(error)
    if isinstance(error, Error):
        return _database(request, error)
    if isinstance(error, ValidationError):
        return _invalid(error)
    told = next((told for kinds, told in _PLAIN if isinstance(error, kinds)), None)
    return told(error) if told else _broken(request, error)


def _refusal(error: Refusal) -> HttpResponse:
    trail.keep(error)
    return problem(
        error.status,
        str(error.message) % error.params if error.params else str(error.message),
        code=error.code,
        detail=str(error),
        cure=error.cure_text,
        errors=error.errors,
        retry_after=RETRY_SECONDS if error.status == 503 else error.retry_after,
    )


def _invalid(error: ValidationError) -> HttpResponse:
    pairs = [(_field(each["loc"]), complaints.said(each)) for each in error.errors]
    return problem(422, _("Some fields cannot be accepted."), code="bad_form", errors=pairs)


def _field(loc: tuple[Any, ...]) -> str:
    """Where in what the caller sent: ninja's source word and the name of our own parameter are no part of it."""
    source, *parts = loc
    inner = parts[1:] if source == "body" else parts
    return ".".join(map(str, inner)) or str(parts[0] if parts else source)


def _database(request: HttpRequest, error: Error) -> HttpResponse:
    state = getattr(error.__cause__, "sqlstate", None)
    if state in BUSY:
        return problem(
            503, _("Others are writing the same thing just now."), code="busy", retry_after=LOCK_RETRY_SECONDS
        )
    if isinstance(error, (OperationalError, InterfaceError)):
        logger.warning("database away: %s", type(error).__name__)
        return problem(503, _("The database is not available."), code="database_away", retry_after=RETRY_SECONDS)
    if isinstance(error, IntegrityError) and state in ("23505", "23P01"):
        return problem(409, _("Somebody has written the same thing in the meantime."), code="conflict")
    if isinstance(error, DataError):
        return problem(
            422, _("A value is too long, too large, or holds a character that cannot be kept."), code="bad_value"
        )
    return _broken(request, error)


def _unauthenticated(_error: Exception) -> HttpResponse:
    answer = problem(
        401, _("Sign in, or send a token that works."), code="unauthenticated", cure=_("Authorization: Bearer …")
    )
    answer["WWW-Authenticate"] = "Bearer"
    return answer


def _http(error: Any) -> HttpResponse:
    if isinstance(error.__cause__, RequestDataTooBig):
        return _too_big(error)
    if error.status_code == 400:
        detail = _("The body is not JSON that can be accepted here: %(why)s") % {"why": error.__cause__}
        return problem(400, _("The body cannot be read."), code="unreadable_body", detail=detail)
    return problem(error.status_code, str(error), code="http")


def _too_big(_error: Exception) -> HttpResponse:
    return problem(413, _("The body is too large."), code="too_large")


def _broken(request: HttpRequest, error: Exception) -> HttpResponse:
    """Our own fault: told to the log and the developers, never in its details to the caller."""
    signals.got_request_exception.send(sender=Door, request=request)
    logger.error("unexpected failure at %s %s", request.method, request.path, exc_info=error)
    return problem(500, _("Something went wrong on our side."), code="failure")


_PLAIN: list[tuple[tuple[type[Exception], ...], Callable[[Any], HttpResponse]]] = [
    ((AuthenticationError,), _unauthenticated),
    ((HttpError,), _http),
    (
        (Http404,),
        lambda error: problem(
            404, _("There is no such thing, or it is not among those you may see."), code="not_found"
        ),
    ),
    ((PermissionDenied,), lambda error: problem(403, str(NotYourDuty.message), code="forbidden")),
    ((BadCursor,), lambda error: problem(422, str(error), code="bad_cursor", errors=[("cursor", str(error))])),
    ((RequestDataTooBig,), _too_big),
    (
        (BadRequest, MultiPartParserError),
        lambda error: problem(400, _("The form that was sent cannot be read."), code="bad_request"),
    ),
    ((SuspiciousOperation,), lambda error: problem(400, _("The request cannot be accepted."), code="bad_request")),
]
