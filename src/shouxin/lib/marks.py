"""Which tests carry which clause of the regulation, read from the tests' source."""

import ast
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path


def marked_tests(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Clause id -> (file, function) of every test below `folder` that carries `@pytest.mark.clause`."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for path in sorted(folder.rglob("test_*.py")):
        for name, clauses in _marks(ast.parse(path.read_text("utf-8"))):
            for clause in clauses:
                found[clause].append((path.relative_to(folder).as_posix(), name))
    return dict(found)


def _marks(tree: ast.Module) -> Iterable[tuple[str, list[str]]]:
    """(test, its clauses) of a file; marks of a class or of the whole file count for each test inside."""
    inherited = [clause for node in tree.body if isinstance(node, ast.Assign) and _is_pytestmark(node)
                 for clause in _clauses_in(node.value)]  # fmt: skip
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            own = [*inherited, *_of_decorators(node)]
            yield from ((each.name, [*own, *_of_decorators(each)]) for each in node.body if _is_test(each))
        elif _is_test(node):
            yield node.name, [*inherited, *_of_decorators(node)]


def _is_pytestmark(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)


def _is_test(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name.startswith("test_")


def _of_decorators(node: ast.FunctionDef | ast.ClassDef) -> list[str]:
    return [clause for decorator in node.decorator_list for clause in _clauses_in(decorator)]


def _clauses_in(node: ast.expr) -> list[str]:
    """The words inside every `….clause("…")` of an expression."""
    calls = [each for each in ast.walk(node) if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute)]
    words = [word for call in calls if call.func.attr == "clause" for word in call.args]
    return [str(word.value) for word in words if isinstance(word, ast.Constant)]
