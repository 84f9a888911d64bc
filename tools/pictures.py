"""The pictures of the README: pages of the running demo company, in both languages.

python -m tools.pictures http://127.0.0.1:8000
"""

import re
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
            held = _first(page, f"{home}/orders/holds/?reason=overdue_days", r"/orders/holds/\d+/$")
            owing = _first(page, home + held, r"/customers/\d+/$")
            for name, address in (("home", "/"), ("file", owing), ("hold", held), ("aging", "/receivables/aging/")):
                _take(page, home + address, f"{name}-{language}")
            _take(_signed_in(browser, home, locale, PHONE), home + held, f"phone-{language}")
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


def _first(page: Page, address: str, wanted: str) -> str:
    """The first link on a page that looks as wanted."""
    page.goto(address)
    found = page.eval_on_selector_all("main a[href]", "links => links.map(link => link.getAttribute('href'))")
    return str(next(link for link in found if re.search(wanted, link)))


if __name__ == "__main__":
    main(sys.argv[1])
