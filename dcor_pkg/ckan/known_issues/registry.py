"""All known issues, and what a release that is being made, checked or named needs of them."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues import (
    anonymous_user,
    assets_at_once,
    control_characters_in_feeds,
    delete_without_action,
    deletes_for_any_database,
    download_without_address,
    float_expiry,
    links_for_a_day,
    logs_in_each_query,
    long_texts,
    mail_at_registration,
    mail_in_request,
    many_labels,
    named_download_without_address,
    own_certificate,
    page_numbers,
    password_reset_answers,
    percent_in_database_url,
    preview_links_for_a_day,
    public_logs,
    readable_after_withdrawal,
    reset_key_in_api,
    reset_links_for_ever,
    slow_logs,
    tags_after_withdrawal,
    unusable_values_in_api,
    unusable_values_in_pages,
    uploads_without_login,
)
from dcor_pkg.ckan.known_issues.issue import Issue, State
from dcor_pkg.machine.host import Host

ISSUES: tuple[Issue, ...] = (
    float_expiry.ISSUE,
    own_certificate.ISSUE,
    percent_in_database_url.ISSUE,
    anonymous_user.ISSUE,
    uploads_without_login.ISSUE,
    password_reset_answers.ISSUE,
    mail_in_request.ISSUE,
    mail_at_registration.ISSUE,
    reset_links_for_ever.ISSUE,
    reset_key_in_api.ISSUE,
    unusable_values_in_api.ISSUE,
    unusable_values_in_pages.ISSUE,
    page_numbers.ISSUE,
    control_characters_in_feeds.ISSUE,
    download_without_address.ISSUE,
    named_download_without_address.ISSUE,
    slow_logs.ISSUE,
    logs_in_each_query.ISSUE,
    long_texts.ISSUE,
    many_labels.ISSUE,
    readable_after_withdrawal.ISSUE,
    tags_after_withdrawal.ISSUE,
    delete_without_action.ISSUE,
    deletes_for_any_database.ISSUE,
    links_for_a_day.ISSUE,
    preview_links_for_a_day.ISSUE,
    public_logs.ISSUE,
    assets_at_once.ISSUE,
)


def cure(host: Host, site: str) -> None:
    """Cure the release with these site-packages of all faults that it has."""
    for issue in in_state(host, site, State.FAULTY):
        issue.cure.apply(host, site)


def in_state(host: Host, site: str, state: State) -> list[Issue]:
    """Return the issues to which the release with these site-packages stands so."""
    return [issue for issue in ISSUES if issue.cure.state(host, site) is state]


def python_files(host: Host, site: str) -> list[str]:
    """Return the Python files that cures may have changed: their bytecode is outdated."""
    files = [f"{site}/{issue.cure.file}" for issue in ISSUES if issue.cure.file.endswith(".py")]
    return [file for file in files if host.exists(file)]


def changes() -> list[str]:
    """Return what the cures make of a release, without the prose of the issues."""
    return [repr(issue.cure.change) for issue in ISSUES]
