"""A chapter is written anew and nothing else is touched."""

from decimal import Decimal

import pytest

from shouxin.lib import yaml_text
from shouxin.lib.yaml_splice import splice

BOOK = """# the book
one:
  a: 1   # why one
  list:
  - x
# about two
two: [1, 2]

three:
- {key: k}
"""


@pytest.mark.parametrize(
    ("chapter", "value", "kept"),
    [
        ("one", {"a": Decimal("2.50"), "yes": True}, ["# about two", "two: [1, 2]", "- {key: k}", "# the book"]),
        ("two", (Decimal(7), None, "no"), ["  a: 1   # why one", "# about two", "- {key: k}"]),
        ("three", [{"key": "k2", "text": {"zh": "“引号”: 与#", "en": "a: b"}}], ["  a: 1   # why one", "two: [1, 2]"]),
        ("four", {"new": "0.5"}, ["  a: 1   # why one", "two: [1, 2]", "- {key: k}"]),
    ],
)
def test_a_chapter_is_replaced(chapter, value, kept):
    text = splice(BOOK, chapter, value)
    read, before = yaml_text.read(text).value, yaml_text.read(BOOK).value
    expected = list(value) if isinstance(value, tuple) else value
    assert read[chapter] == expected
    assert {key: each for key, each in read.items() if key != chapter} == {
        key: each for key, each in before.items() if key != chapter
    }
    assert all(line in text.splitlines() for line in kept)
