"""Two processes that write the same entry of the cache of stylesheets and scripts disturb each other."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, Versions

ISSUE = Issue(
    name="assets_at_once",
    symptom="500 for a page while another release starts; FileNotFoundError in webassets/cache.py, set",
    cause="webassets removes an entry of its cache before it renames the new one. Of two processes that both see the "
    "former entry, one does not find it any more. The releases before and after a switch share the directory, and "
    "each takes the bundles of the other for outdated, because their files have other paths.",
    versions=Versions("webassets", since="2.0"),
    cost="Now and then a request fails during an upgrade.",
    detection="`os.unlink(filename)` in FilesystemCache.set, in webassets/cache.py",
    cure=ReplaceText(
        "webassets/cache.py",
        faulty="""\
            if os.path.isfile(filename):
                os.unlink(filename)
            os.rename(temp_filename, filename)
""",
        fixed="            os.replace(temp_filename, filename)\n",
    ),
    proof="tests/system/test_issues_reproduced.py: four processes write the same entry; "
    "tests/unit/ckan/test_cured_data.py: an entry is written that another process has just removed",
)
