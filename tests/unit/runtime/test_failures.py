"""Why a job failed: the exception and where, whether it passes, and nothing that is secret."""

from __future__ import annotations

import pytest

from dcor_pkg.runtime import failures

CALLS = """\
Traceback (most recent call last):
  File "/release/rq/worker.py", line 1431, in perform_job
    rv = job.perform()
         ^^^^^^^^^^^^^
  File "/release/ckanext/dc_view/jobs.py", line 51, in create_preview_job
    raise error
"""
REFUSED = f"{CALLS}requests.exceptions.ConnectionError: refused\n"
#: as SQLAlchemy writes it
READ_ONLY = f"""\
{CALLS}psycopg2.errors.ReadOnlySqlTransaction: cannot execute INSERT in a read-only transaction


The above exception was the direct cause of the following exception:

{CALLS}sqlalchemy.exc.InternalError: (psycopg2.errors.ReadOnlySqlTransaction) cannot execute INSERT in a read-only transaction

[SQL: INSERT INTO x VALUES (%(a)s)]
[parameters: {{'a': 'a-secret-of-a-job'}}]
(Background on this error at: https://sqlalche.me/e/14/2j85)
"""


def test_the_last_exception_and_each_call_are_shown() -> None:
    found = failures.of(REFUSED, [])
    assert (found.exception, found.message) == ("requests.exceptions.ConnectionError", "refused")
    assert found.places == (
        "/release/rq/worker.py:1431 perform_job",
        "/release/ckanext/dc_view/jobs.py:51 create_preview_job",
    )


def test_a_chain_ends_with_the_exception_that_the_job_raised_and_without_its_parameters() -> None:
    found = failures.of(READ_ONLY, [])
    assert (found.exception, found.reason) == ("sqlalchemy.exc.InternalError", failures.DATABASE)
    assert "read-only transaction" in found.message
    assert "secret" not in str(found)


@pytest.mark.parametrize("name", failures.PASSING)
def test_each_exception_of_the_table_passes(name: str) -> None:
    assert failures.of(f"{CALLS}{name}: x\n", []).reason == failures.PASSING[name]
    assert failures.of(f"{CALLS}{name}\n", []).reason == failures.PASSING[name]


@pytest.mark.parametrize(
    "ending",
    [
        "ValueError: x",
        "OSError: [Errno 28] No space left on device",
        "dclab.rtdc_dataset.fmt_hdf5.base.ConnectionErrorOfAnother: x",
        "sqlalchemy.exc.IntegrityError: (psycopg2.errors.UniqueViolation) x",
        "sqlalchemy.exc.OperationalError: (psycopg2.errors.DiskFull) x",
        "ValueError: redis.exceptions.ConnectionError: x",
    ],
)
def test_what_the_job_itself_is_the_reason_of_does_not_pass(ending: str) -> None:
    assert failures.of(f"{CALLS}{ending}\n", []).reason == ""


@pytest.mark.parametrize("traceback", ["", "Work-horse terminated unexpectedly; waitpid returned 9 (signal 9); \n"])
def test_without_a_traceback_what_rq_says_is_shown(traceback: str) -> None:
    assert failures.of(traceback, []) == failures.Failure("", traceback.strip(), "", ())


def test_the_values_of_arguments_logins_and_signatures_are_not_shown() -> None:
    arguments = [
        [{"id": "dataset-id", "url": "s3-address", "extras": [{"name": "public", "value": b"value-of"}]}, "text!"]
    ]
    message = (
        "dataset-id public s3-address value-of text! postgresql://user:password@host/x "
        "GET https://host/circle/x?X-Amz-Signature=abc&b=c failed"
    )
    assert failures.without_secrets(message, arguments) == (
        "dataset-id public ... ... ... postgresql://...@host/x GET https://host/circle/x?... failed"
    )


def test_a_long_argument_is_hidden_before_one_that_is_part_of_it() -> None:
    assert failures.without_secrets("secret-and-more", ["secret", "secret-and-more"]) == "..."


def test_a_message_is_short() -> None:
    assert len(failures.of(f"{CALLS}ValueError: {'x' * 10000}\n", []).message) == failures.MESSAGE_LENGTH
