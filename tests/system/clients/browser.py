"""Sign in with Chromium as an administrator, open the page of a resource and check its preview.

Runs with Debian's python3-selenium and chromium-driver. Prints what it finds as JSON.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.ui import WebDriverWait

#: The longest wait for a page; the first one after a start fills caches.
PAGE_TIMEOUT_SECONDS = 60

#: The levels of messages in the browser's console that count as problems.
PROBLEM_LEVELS = {"SEVERE", "WARNING"}


def main() -> None:
    """Sign in, check the page, and print the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    parser.add_argument("--certificate", type=Path, required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", type=Path, required=True, help="file with the password")
    parser.add_argument("--page", required=True, help="path of the resource's page in the address")
    parser.add_argument("--screenshot", type=Path, help="file for a screenshot of the page")
    args = parser.parse_args()
    driver = start(args.certificate)
    try:
        sign_in(driver, args.host, args.user, args.password.read_text().strip())
        seen = check_page(driver, f"https://{args.host}{args.page}")
        if args.screenshot:
            driver.save_screenshot(str(args.screenshot))
        seen["console"] = [entry for entry in driver.get_log("browser") if entry["level"] in PROBLEM_LEVELS]
    finally:
        driver.quit()
    assert not seen["console"], f"the console is not empty: {json.dumps(seen['console'], indent=1)}"
    print(json.dumps(seen, indent=1))


def start(certificate: Path) -> WebDriver:
    """Start Chromium with trust in the key of this certificate, besides the usual authorities."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "window-size=1400,3000"):
        options.add_argument(f"--{argument}")
    options.add_argument(f"--ignore-certificate-errors-spki-list={key_hash(certificate)}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.chrome.service.Service("/usr/bin/chromedriver")
    driver = webdriver.Chrome(service=service, options=options)
    driver.set_page_load_timeout(PAGE_TIMEOUT_SECONDS)
    return driver


def key_hash(certificate: Path) -> str:
    """Return the hash of the certificate's public key in the format of Chromium's options."""
    pem = subprocess.run(
        ["openssl", "x509", "-in", str(certificate), "-noout", "-pubkey"], check=True, capture_output=True
    ).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=pem, check=True, capture_output=True)
    return base64.b64encode(hashlib.sha256(der.stdout).digest()).decode()


def sign_in(driver: WebDriver, host: str, user: str, password: str) -> None:
    """Fill in the sign-in form, and check that the next page shows the user."""
    driver.get(f"https://{host}/user/login")
    driver.find_element(By.ID, "field-login").send_keys(user)
    driver.find_element(By.ID, "field-password").send_keys(password)
    buttons = "form[action*='/user/login'] button[type=submit], .form-actions button"
    send(driver, driver.find_element(By.CSS_SELECTOR, buttons))
    assert "/user/login" not in driver.current_url, "the form for signing in is shown again"
    driver.find_element(By.CSS_SELECTOR, f".account a[href*='/user/{user}']")


def send(driver: WebDriver, button: WebElement) -> None:
    """Send a form, and return when the answer is loaded.

    By a script: a page that loads slowly moves its parts, and a click at a place may meet another part, or nothing.
    """
    driver.execute_script("arguments[0].click()", button)
    wait = WebDriverWait(driver, PAGE_TIMEOUT_SECONDS)
    wait.until(expected_conditions.staleness_of(button))
    wait.until(lambda _: driver.execute_script("return document.readyState") == "complete")


def check_page(driver: WebDriver, address: str) -> dict[str, Any]:
    """Open the page, and check that the preview is loaded and displayed, and that the metadata are listed."""
    driver.get(address)
    image = driver.find_element(By.CSS_SELECTOR, "img.preview")
    loaded = "return arguments[0].complete && arguments[0].naturalWidth"
    WebDriverWait(driver, PAGE_TIMEOUT_SECONDS).until(
        lambda _: driver.execute_script("return arguments[0].complete", image)
    )
    width = driver.execute_script(loaded, image)
    assert width, f"the preview did not load: {image.get_attribute('src')}"
    assert image.is_displayed(), "the preview is not shown"
    tables = [caption.text for caption in driver.find_elements(By.CSS_SELECTOR, "caption.dc_view")]
    assert {"Experiment", "Setup"} <= set(tables), f"metadata on the page: {tables}"
    return {"title": driver.title, "preview": {"src": image.get_attribute("src"), "width": width}, "tables": tables}


if __name__ == "__main__":
    main()
