"""A real Chromium for the pages: no page may ask another host for anything, break the CSP or log an error."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.people import member

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WIDE, PHONE = (1440, 900), (390, 844)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium. In CI a missing one fails; elsewhere the tests that need it are left out."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no Chromium is installed")
    # Playwright keeps an event loop in this thread; Django would take that for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visits:
    """Pages opened by one test, and everything they did that they may not."""

    browser: Browser
    home: str
    wrongs: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def __call__(
        self, path: str, size: tuple[int, int] = WIDE, language: str = "zh-hans", session: str = "", **options: Any
    ) -> Page:
        """Open a path of the product in a browser of its own; `session` is a session key to be signed in by."""
        width, height = size
        context = self.browser.new_context(viewport={"width": width, "height": height}, **options)
        cookies = {"django_language": language, **({"sessionid": session} if session else {})}
        context.add_cookies([{"name": name, "value": value, "url": self.home} for name, value in cookies.items()])
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: self.wrongs.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.wrongs.append(str(error)))
        page.on("request", lambda asked: self._outside(asked.url))
        page.goto(self.home + path)
        return page

    def _outside(self, address: str) -> None:
        if not address.startswith((self.home, "data:", "blob:")):
            self.wrongs.append(f"asked {address}")


@pytest.fixture
def visit(chromium: Browser, live_server: Any) -> Iterator[Callable[..., Page]]:
    """Open pages; when the test ends none of them may have logged an error or asked another host."""
    visits = Visits(chromium, live_server.url)
    yield visits
    for context in visits.contexts:
        context.close()
    assert visits.wrongs == []


def session(name: str) -> str:
    """The session of one of the cast, signed in."""
    client = Client()
    client.force_login(member(name), backend="django.contrib.auth.backends.ModelBackend")
    return client.cookies["sessionid"].value
