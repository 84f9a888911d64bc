"""The policy as shipped, and the same policy with some settings changed."""

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

import shouxin.rules
from shouxin.rules.policy import Policy

SHIPPED = Path(shouxin.rules.__file__).with_name("policy.yaml")


@cache
def _settings() -> dict[str, Any]:
    settings: dict[str, Any] = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    return settings


@cache
def book() -> Policy:
    """The policy as shipped."""
    return Policy.model_validate(_settings())


def changed(changes: dict[str, Any]) -> Policy:
    """The policy as shipped with settings replaced; a path names keys and, in lists, numbers from 0."""
    settings = deepcopy(_settings())
    for path, value in changes.items():
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        place: Any = settings
        for part in parents:
            place = place[part]
        place[last] = value
    return Policy.model_validate(settings)
