"""The generated part of the documentation: flows drawn from their tables, calls of the API, verbs of the trail.

python -m tools.reference          write what has changed
python -m tools.reference check    exit code 1 where a page lags behind
"""

import importlib
import os
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools import flow_drawing

DOCS = Path(__file__).resolve().parents[1] / "docs"
LANGUAGES = {"en": "en", "zh": "zh-hans"}
WORDS = {
    "en": {"flows": "Flows", "verb": "verb", "from": "from", "to": "to", "duty": "whose duty", "jobs": "the system",
           "calls": "Calls of the API", "call": "call", "does": "does",
           "scope": "narrowest scope of a token", "verbs": "Verbs of the trail",
           "meaning": "what happened"},
    "zh": {"flows": "流程", "verb": "动作", "from": "由", "to": "至", "duty": "谁的职责", "jobs": "系统",
           "calls": "接口清单", "call": "接口", "does": "作用",
           "scope": "令牌所需的最小范围", "verbs": "审计轨迹中的动作", "meaning": "发生了什么"},
}  # fmt: skip
MADE = {
    "en": "Drawn from the tables in the code by `python -m tools.reference`; a test fails when this page lags behind.",
    "zh": "本页由 `python -m tools.reference` 根据代码中的表生成；落后于代码时测试不通过。",
}


def pages() -> dict[Path, str]:
    """Every generated page with its text as it should be."""
    from django.utils import translation

    found = {DOCS / "flows" / f"{flow.name.replace(' ', '-')}.svg": flow_drawing.svg(flow) for flow in flows()}
    for language, code in LANGUAGES.items():
        with translation.override(code):
            found[DOCS / language / "flows.md"] = _flows_page(language)
            found[DOCS / language / "api-calls.md"] = _calls_page(language)
            found[DOCS / language / "trail-verbs.md"] = _verbs_page(language)
    return found


def flows() -> list[Any]:
    """Every flow of the product, by name: whatever module declares one."""
    import shouxin
    from shouxin.rules.flow import Flow

    found = {}
    for module in pkgutil.walk_packages(shouxin.__path__, "shouxin."):
        if ".migrations" not in module.name and module.name.count(".") == 2:
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, Flow):
                    found[value.name] = value
    return [found[name] for name in sorted(found)]


def _flows_page(language: str) -> str:
    from shouxin.office.models import POST_LABELS

    words = WORDS[language]
    parts = [f"# {words['flows']}", MADE[language]]
    for flow in flows():
        rows = [
            f"| `{step.verb}` | {_codes(step.sources)} | `{step.target}` | "
            f"{', '.join(str(POST_LABELS[post]) for post in sorted(step.duty)) or words['jobs']} |"
            for step in flow.steps
        ]
        head = f"| {words['verb']} | {words['from']} | {words['to']} | {words['duty']} |\n|---|---|---|---|"
        parts += [
            f"## {flow.name}",
            f"![{flow.name}](../flows/{flow.name.replace(' ', '-')}.svg)",
            "\n".join([head, *rows]),
        ]
    return "\n\n".join(parts) + "\n"


def _codes(names: Any) -> str:
    return " ".join(f"`{name}`" for name in sorted(names))


def _calls_page(language: str) -> str:
    from shouxin.config.api import api
    from shouxin.office.door import SCOPES_KEY

    words, schema = WORDS[language], api.get_openapi_schema()
    rows = [
        f"| `{method.upper()} {address.removeprefix('/api/v1')}` | {call['summary']} | `{call[SCOPES_KEY][0]}` |"
        for address, calls in sorted(schema["paths"].items())
        for method, call in calls.items()
    ]
    head = f"| {words['call']} | {words['does']} | {words['scope']} |\n|---|---|---|"
    return "\n\n".join([f"# {words['calls']}", MADE[language], "\n".join([head, *rows])]) + "\n"


def _verbs_page(language: str) -> str:
    from shouxin.office.trail_words import VERBS

    words = WORDS[language]
    rows = [f"| `{verb}` | {VERBS[verb]} |" for verb in sorted(VERBS)]
    head = f"| {words['verb']} | {words['meaning']} |\n|---|---|"
    return "\n\n".join([f"# {words['verbs']}", MADE[language], "\n".join([head, *rows])]) + "\n"


def stale() -> Iterator[Path]:
    """The generated pages that do not say what the code says."""
    for path, text in pages().items():
        if not path.exists() or path.read_text("utf-8") != text:
            yield path


def main(words: list[str]) -> int:
    """Write, or only check."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shouxin.config.settings")
    django.setup()
    lagging = list(stale())
    if words == ["check"]:
        print(*lagging, sep="\n")
        return 1 if lagging else 0
    for path, text in pages().items():
        if path in lagging:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
            print(path.relative_to(DOCS.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
