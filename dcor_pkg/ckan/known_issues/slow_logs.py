"""A log of a measurement is read line by line."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, Versions

ISSUE = Issue(
    name="slow_logs",
    symptom="504 for GET /api/3/action/dcserv?id=R&query=logs, of a file with 100,000 lines in a log",
    cause="dclab makes a list of an HDF5 dataset by iterating over it, which reads each line by a call of its own.",
    versions=Versions("dclab", since="0.73.4"),
    cost="A few requests for a file with a long log occupy all workers for minutes.",
    detection='`list(self.h5file["logs"][key])` in dclab/rtdc_dataset/fmt_hdf5/logs.py',
    cure=ReplaceText(
        "dclab/rtdc_dataset/fmt_hdf5/logs.py",
        faulty='            log = list(self.h5file["logs"][key])  # type: ignore\n',
        fixed='            log = list(self.h5file["logs"][key][:])  # type: ignore\n',
    ),
    proof="tests/system/test_known_issues.py: a file with 100,000 lines in a log",
)
