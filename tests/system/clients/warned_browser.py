"""Open pages with Chromium, which trusts what the user's own settings say, and print what it shows as JSON.

Runs with Debian's python3-selenium and chromium-driver, as the user.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.remote.webdriver import WebDriver

PAGE_TIMEOUT_SECONDS = 60
#: the element of Chromium's warning that names the error
ERROR = "return document.getElementById('error-code')?.textContent ?? null"


def main() -> None:
    """Print the title of each page, and the error that Chromium shows instead of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="+", metavar="PAGE", help="address of a page")
    parser.add_argument("--screenshots", type=Path, required=True, help="directory for a picture of each page")
    args = parser.parse_args()
    args.screenshots.mkdir(exist_ok=True)
    driver = start()
    try:
        seen = [show(driver, page, args.screenshots / f"{number}.png") for number, page in enumerate(args.pages)]
    finally:
        driver.quit()
    print(json.dumps(seen))


def start() -> WebDriver:
    """Start Chromium without any option about certificates; chromedriver would ignore their errors."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "window-size=1100,2600"):
        options.add_argument(f"--{argument}")
    options.add_experimental_option("excludeSwitches", ["ignore-certificate-errors"])
    service = webdriver.chrome.service.Service("/usr/bin/chromedriver")
    driver = webdriver.Chrome(service=service, options=options)
    driver.set_page_load_timeout(PAGE_TIMEOUT_SECONDS)
    return driver


def show(driver: WebDriver, page: str, picture: Path) -> dict[str, str | None]:
    """Open a page; return its title and text, and the error of Chromium's warning."""
    driver.get(page)
    driver.save_screenshot(str(picture))
    text = driver.find_element("tag name", "body").text
    return {"title": driver.title, "text": text, "error": driver.execute_script(ERROR)}


if __name__ == "__main__":
    main()
