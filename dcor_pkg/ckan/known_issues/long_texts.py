"""A text that is too long for the search index is an internal error."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, Versions

ISSUE = Issue(
    name="long_texts",
    symptom='Solr responded with an error (HTTP 400): [Reason: ... Document contains at least one immense term in field="'
    'references" (whose UTF8 encoding is longer than the max length 32766), and 500, for package_create',
    cause="Solr's index takes terms of at most 32,766 bytes (Lucene's IndexWriter.MAX_TERM_LENGTH), and a dataset's "
    "title, authors, DOI and references are one term each. ckanext-dcor_schemas does not limit their length.",
    versions=Versions("ckanext-dcor_schemas", since="1.1.2"),
    cost="Users see an internal error with Solr's words, and not what is wrong with their dataset.",
    detection="_modify_package_schema in ckanext/dcor_schemas/plugin.py adds no validator of the length",
    cure=ReplaceText(
        "ckanext/dcor_schemas/plugin.py",
        faulty="""\
                toolkit.get_validator('dcor_schemas_dataset_state'),
            ],
        })
        schema['resources'].update({
            # ETag given by S3 backend
""",
        fixed="""\
                toolkit.get_validator('dcor_schemas_dataset_state'),
            ],
        })

        def limited(value):
            size = len(str(value or "").encode(errors="replace"))
            if size > 30000:
                raise toolkit.Invalid(
                    f"At most 30000 bytes (in UTF-8) are possible, "
                    f"this has {size}")
            return value

        # each is one term in Solr's index, of at most 32766 bytes
        for key in ("title", "authors", "doi", "references"):
            schema[key] = [limited, *schema[key]]
        schema['resources'].update({
            # ETag given by S3 backend
""",
    ),
    proof="tests/system/test_known_issues.py: 409 with the limit",
)
