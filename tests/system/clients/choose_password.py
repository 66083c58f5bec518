"""Open a one-time link with Chromium, choose a password, sign in with it, and open the link once more.

Runs with Debian's python3-selenium and chromium-driver. Prints as JSON what the pages show, and the cookie of the
session, by which a test goes on without a browser.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import browser
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver


def main() -> None:
    """Do all of it, and print the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    parser.add_argument("--certificate", type=Path, required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", type=Path, required=True, help="file with the password to choose")
    parser.add_argument("--link", required=True)
    args = parser.parse_args()
    password = args.password.read_text().strip()
    driver = browser.start(args.certificate)
    try:
        chosen = choose(driver, args.link, password)
        browser.sign_in(driver, args.host, args.user, password)
        (cookie,) = [it for it in driver.get_cookies() if it["name"] == "dcor"]
        driver.get(args.link)
        again = text(driver)
    finally:
        driver.quit()
    print(json.dumps({"chosen": chosen, "again": again, "cookie": f"dcor={cookie['value']}"}, indent=1))


def choose(driver: WebDriver, link: str, password: str) -> str:
    """Fill in the form that the link leads to, and return what the next page shows."""
    driver.get(link)
    for field in ("field-password", "field-confirm-password"):
        driver.find_element(By.ID, field).send_keys(password)
    browser.send(driver, driver.find_element(By.CSS_SELECTOR, "button[name=save]"))
    return text(driver)


def text(driver: WebDriver) -> str:
    """Return what a page shows."""
    return str(driver.find_element(By.TAG_NAME, "body").text)


if __name__ == "__main__":
    main()
