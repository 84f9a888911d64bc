"""The pictures of the README: pages of the running demo company, in both languages.

python -m tools.pictures http://127.0.0.1:8000
"""

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
LANGUAGES = {"zh": "zh-CN", "en": "en-US"}
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 780}


def main(home: str) -> None:
    """Take all of them."""
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for language, locale in LANGUAGES.items():
            page = _signed_in(browser, home, locale, WIDE)
            _take(page, f"{home}/", f"home-{language}")
            _take(page, _first_overdue(page, home), f"file-{language}")
            _held(page, home, language)
            _take(page, f"{home}/receivables/aging/", f"aging-{language}")
            _take(_signed_in(browser, home, locale, PHONE), f"{home}/collection/tasks/", f"phone-{language}")
        browser.close()


def _signed_in(browser: Browser, home: str, locale: str, size: dict[str, int]) -> Page:
    page = browser.new_context(viewport=size, locale=locale).new_page()
    page.goto(f"{home}/accounts/login/")
    page.locator("form:has(input[value=cy]) button").first.click()
    page.wait_for_load_state()
    return page


def _take(page: Page, address: str, name: str) -> None:
    page.goto(address)
    page.wait_for_timeout(1000)
    page.screenshot(path=FOLDER / f"{name}.png")


def _first_overdue(page: Page, home: str) -> str:
    """The credit file of the customer at the head of the work list."""
    page.goto(f"{home}/collection/tasks/")
    return home + str(page.locator("a[href^='/customers/']").first.get_attribute("href"))


def _held(page: Page, home: str, language: str) -> None:
    """An order on hold with its reasons."""
    page.goto(f"{home}/orders/holds/")
    page.goto(home + str(page.locator("a[href^='/orders/holds/']:not([href*=overrides])").first.get_attribute("href")))
    page.wait_for_timeout(1000)
    page.screenshot(path=FOLDER / f"hold-{language}.png")


if __name__ == "__main__":
    main(sys.argv[1])
