"""Logs: one line an event, readable on a terminal and JSON everywhere else. Nothing personal is logged on purpose."""

import logging.config
import os
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from shouxin.rules import ids


def configure(level: str) -> None:
    """Send what Django, the libraries and Shouxin say through structlog to stderr, from `level` upwards."""
    before = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso"),
    ]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(_handlers(level, before))


def _handlers(level: str, before: list[structlog.typing.Processor]) -> dict[str, object]:
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_last_steps()],
        "foreign_pre_chain": before,
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            **{name: {"level": max(level, "WARNING", key=logging.getLevelName)} for name in ("procrastinate", "axes")},
            # A stranger's Host header is answered 400 and told in the line of its request, not as a fault of ours.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
        },
    }


def _last_steps() -> list[structlog.typing.Processor]:
    shown: structlog.typing.Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if sys.stderr.isatty() or os.environ.get("SHOUXIN_TERMINAL"):
        shown = structlog.dev.ConsoleRenderer()
    return [structlog.processors.format_exc_info, harmless, shown]


_SECRET_NAMES = re.compile("passw|secret|token|authorization|cookie|session|api_?key", re.I)
_NUMBERS = re.compile(r"(?<![0-9A-Za-z])([0-9]{11,14}|[0-9]{15,18}[0-9Xx])(?![0-9A-Za-z])")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def harmless(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The event without secrets, full numbers or addresses of persons, or signs that forge a second line (I-24)."""
    for name, value in event.items():
        if _SECRET_NAMES.search(name):
            event[name] = "***"
        elif isinstance(value, str):
            event[name] = _plain(value, lines=name == "exception")
        elif isinstance(value, (list, tuple, dict)):
            event[name] = _plain(str(value))
    return event


def _plain(text: str, *, lines: bool = False) -> str:
    text = _MAIL.sub(lambda found: ids.mask_email(found[0]), _NUMBERS.sub(lambda found: f"****{found[0][-4:]}", text))
    text = _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
    return text if lines else text.replace("\n", "\\n").replace("\t", "\\t")
