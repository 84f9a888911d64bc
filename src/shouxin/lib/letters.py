"""Papers as PDF: a typst template and a JSON document go in, the bytes of the PDF come out.

What a person has written reaches the template as data and is set as it stands; it is never read as markup. The Chinese
font comes with the product, so that a paper looks the same on every machine.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import typst

FONTS = "pylopdf_fonts_zh_cn"


def pdf(template: str, data: Mapping[str, Any]) -> bytes:
    """The paper set by a template (`package/name.typ` in the packages' `templates`) from data of plain JSON types.

    The same data give the same bytes, whenever and wherever they are set.
    """
    package, name = template.split("/", 1)
    source = resources.files(f"shouxin.{package}") / "templates" / package / name
    return typst.compile(
        source.read_bytes(),
        font_paths=[str(fonts())],
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        timestamp=0,
    )


@lru_cache(maxsize=1)
def fonts() -> Path:
    """The folder with the Chinese fonts."""
    return Path(str(resources.files(FONTS)))


def families() -> list[str]:
    """The font families that letters are set in; none where they are not installed."""
    try:
        return list(typst.Fonts(False, False, [str(fonts())]).families())
    except ModuleNotFoundError:
        return []
