"""Look at pages with Chromium, as a guest or signed in; and save the form for administrators, if asked.

Runs with Debian's python3-selenium and chromium-driver. Prints what it sees as JSON: of each page its title, its text
and the messages in the console; of the form which of its fields are disabled, and what CKAN answers.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import browser
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver

FORM = "/ckan-admin/config"
FIELDS = "#admin-config-form [name^='ckan.']"


def main() -> None:
    """Sign in, look at each page, save the form, and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    parser.add_argument("--certificate", type=Path, required=True)
    parser.add_argument("--user")
    parser.add_argument("--password", type=Path, help="file with the password")
    parser.add_argument("--page", action="append", default=[], help="path of a page in the address")
    parser.add_argument("--save", action="append", default=[], metavar="FIELD=TEXT", help="what to save in the form")
    parser.add_argument("--screenshots", type=Path, help="directory for a picture of each page")
    args = parser.parse_args()
    driver = browser.start(args.certificate)
    try:
        if args.user:
            browser.sign_in(driver, args.host, args.user, args.password.read_text().strip())
        seen: dict[str, Any] = {page: look(driver, args.host, page, args.screenshots) for page in args.page}
        if args.save:
            seen["form"] = save(driver, args.host, dict(one.split("=", 1) for one in args.save))
    finally:
        driver.quit()
    print(json.dumps(seen, indent=1))


def look(driver: WebDriver, host: str, page: str, screenshots: Path | None) -> dict[str, Any]:
    """Return what a page shows."""
    driver.get(f"https://{host}{page}")
    if screenshots:
        screenshots.mkdir(parents=True, exist_ok=True)
        driver.save_screenshot(str(screenshots / f"{page.strip('/').replace('/', '-') or 'home'}.png"))
    console = [entry for entry in driver.get_log("browser") if entry["level"] in browser.PROBLEM_LEVELS]
    text = driver.find_element(By.TAG_NAME, "body").text
    return {"title": driver.title, "text": text, "console": console}


def save(driver: WebDriver, host: str, values: dict[str, str]) -> dict[str, Any]:
    """Save the form with these values, disabled fields enabled again, as a page from before an upgrade would."""
    driver.get(f"https://{host}{FORM}")
    fields = driver.find_elements(By.CSS_SELECTOR, FIELDS)
    disabled = [field.get_attribute("name") for field in fields if not field.is_enabled()]
    for name, value in values.items():
        field = driver.find_element(By.NAME, name)
        driver.execute_script("arguments[0].disabled = false; arguments[0].value = arguments[1]", field, value)
    browser.send(driver, driver.find_element(By.CSS_SELECTOR, "#admin-config-form [name=save]"))
    errors = [one.text for one in driver.find_elements(By.CSS_SELECTOR, ".error-explanation")]
    return {"disabled": disabled, "errors": errors, "text": driver.find_element(By.TAG_NAME, "body").text}


if __name__ == "__main__":
    main()
