"""A flow as a drawing: statuses as boxes in columns by how many steps they lie from the start, verbs on the arrows."""

from collections import defaultdict
from html import escape
from typing import NamedTuple

from shouxin.rules.flow import Flow

WIDTH, HEIGHT = 128, 34
GAP_X, GAP_Y, MARGIN = 150, 62, 44
STYLE = (
    "text{font:13px sans-serif;text-anchor:middle;fill:#1f2a30}"
    ".verb{font-size:12px;fill:#14616b;paint-order:stroke;stroke:#fff;stroke-width:4px}"
    "rect{fill:#e4f0f1;stroke:#14616b}.end{fill:#f4f6f6;stroke:#8b979d}"
    "path{fill:none;stroke:#5b6870;marker-end:url(#to)}.head{fill:#5b6870;stroke:none}"
)
ARROW = (
    '<marker id="to" markerWidth="9" markerHeight="8" refX="8" refY="4" orient="auto">'
    '<path class="head" d="M0 0L9 4L0 8z"/></marker>'
)


class Place(NamedTuple):
    """The middle of a box."""

    x: int
    y: int


def svg(flow: Flow) -> str:
    """The drawing as SVG text; the same flow always gives the same text."""
    places, columns = _places(flow)
    width = MARGIN * 2 + len(columns) * WIDTH + (len(columns) - 1) * GAP_X
    height = MARGIN * 2 + max(len(column) for column in columns) * (HEIGHT + GAP_Y) - GAP_Y
    arrows = [_arrow(places[a], places[b], " · ".join(verbs)) for (a, b), verbs in _edges(flow).items()]
    boxes = [_box(name, place, bool(flow.verbs_from(name))) for name, place in places.items()]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">'
    title = f"<title>{escape(flow.name)}</title><style>{STYLE}</style><defs>{ARROW}</defs>"
    return "\n".join([head, title, *arrows, *boxes, "</svg>"]) + "\n"


def _edges(flow: Flow) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for step in flow.steps:
        for source in sorted(step.sources):
            found[source, step.target].append(step.verb)
    return found


def _places(flow: Flow) -> tuple[dict[str, Place], list[list[str]]]:
    """Where each status stands: its column is the number of steps from the start."""
    depth = {flow.start: 0}
    for _round in flow.statuses:
        for source, target in _edges(flow):
            if source in depth:
                depth.setdefault(target, depth[source] + 1)
    for source, target in _edges(flow):
        depth.setdefault(source, depth.get(target, 0) + 1)  # what the system alone puts a paper into
    columns: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for status in flow.statuses:
        columns[depth[status]].append(status)
    places = {
        name: Place(MARGIN + column * (WIDTH + GAP_X) + WIDTH // 2, MARGIN + row * (HEIGHT + GAP_Y) + HEIGHT // 2)
        for column, names in enumerate(columns)
        for row, name in enumerate(names)
    }
    return places, columns


def _box(name: str, at: Place, goes_on: bool) -> str:
    kind = "" if goes_on else ' class="end"'
    rect = f'<rect{kind} x="{at.x - WIDTH // 2}" y="{at.y - HEIGHT // 2}" width="{WIDTH}" height="{HEIGHT}" rx="5"/>'
    return f'{rect}<text x="{at.x}" y="{at.y + 5}">{escape(name)}</text>'


def _arrow(a: Place, b: Place, verbs: str) -> str:
    """A straight line from side to side; to itself a loop above, up or down beside the column, back in an arc."""
    half, top = WIDTH // 2, HEIGHT // 2
    if a == b:
        line = f"M{a.x - 16} {a.y - top}C{a.x - 34} {a.y - 46} {a.x + 34} {a.y - 46} {a.x + 16} {a.y - top}"
        return _labelled(line, a.x, a.y - 36, verbs)
    if a.x == b.x:
        down = 1 if b.y > a.y else -1
        side = 22 * down
        line = f"M{a.x + side} {a.y + top * down}L{b.x + side} {b.y - top * down}"
        return _labelled(line, a.x + side * 2, (a.y + b.y) // 2 + 4, verbs)
    if b.x > a.x or a.y != b.y:
        side = half if b.x > a.x else -half
        line = f"M{a.x + side} {a.y}L{b.x - side} {b.y}"
        return _labelled(line, (a.x + b.x) // 2, (a.y + b.y) // 2 - 4, verbs)
    high = a.y - top
    line = f"M{a.x} {high}C{a.x} {high - 34} {b.x} {high - 34} {b.x} {high}"
    return _labelled(line, (a.x + b.x) // 2, high - 28, verbs)


def _labelled(line: str, x: int, y: int, verbs: str) -> str:
    return f'<path d="{line}"/><text class="verb" x="{x}" y="{y}">{escape(verbs)}</text>'
