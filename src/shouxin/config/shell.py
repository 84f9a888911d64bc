"""What every page knows of who looks at it: menu, posts, page or fragment, demo sign-ins."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from shouxin.demo import load
from shouxin.lib import menu
from shouxin.office import clock, pause, posts
from shouxin.office.models import POST_LABELS


def shell(request: HttpRequest) -> dict[str, Any]:
    """Names for templates: `layout`, `side`, `my_posts`, `paused_since`, …; none asks the database unused."""
    return {
        "layout": "fragment.html" if wants_fragment(request) else "base.html",
        "side": SimpleLazyObject(lambda: menu.drawn_for(_held(request), request.path)),
        "my_posts": SimpleLazyObject(lambda: [POST_LABELS[post] for post in sorted(_held(request))]),
        "demo_signins": SimpleLazyObject(load.signins),
        "paused_since": SimpleLazyObject(pause.since_lately),
    }


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part to put into a page that is already there."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Request-Type") != "full"


def _held(request: HttpRequest) -> frozenset[Any]:
    user = getattr(request, "user", None)
    return posts.posts_of(user, on=clock.today()) if user is not None else frozenset()
