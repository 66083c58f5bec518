"""Each query of a measurement reads all of its logs and tables."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, ReplaceTexts, Versions

FILE = "ckanext/dc_serve/serve.py"
ISSUE = Issue(
    name="logs_in_each_query",
    symptom="504 for GET /api/3/action/dcserv?id=R&query=metadata; KeyError: 'trace_list', and 500, for a file without "
    "traces",
    cause="ckanext-dc_serve reads all logs and tables of a file before it answers any query, however large they are, "
    "and keeps those of 512 files in the memory of each worker. With the cure they are read when they are asked for, "
    "up to 32 MiB; a client reads larger ones from the file itself.",
    versions=Versions("ckanext-dc_serve", since="1.0.9"),
    cost="A few requests for a file with long logs occupy all workers, or all memory.",
    detection='`r_data["logs"] = get_dc_logs` in get_resource_kernel_base, ckanext/dc_serve/serve.py',
    cure=ReplaceTexts(
        (
            ReplaceText(
                FILE,
                faulty='            data = get_resource_kernel(rid)["logs"]\n',
                fixed="            data = get_resource_logs(rid)\n",
            ),
            ReplaceText(
                FILE,
                faulty='            data = get_resource_kernel(rid)["tables"]\n',
                fixed="            data = get_resource_tables(rid)\n",
            ),
            ReplaceText(
                FILE,
                faulty='            data = get_resource_kernel(rid)["trace_list"]\n',
                fixed='            data = get_resource_kernel(rid).get("trace_list", [])\n',
            ),
            ReplaceText(
                FILE,
                faulty="""\
        r_data["trace_list"] = sorted(ds_res["trace"].keys())
    # tables
    r_data["tables"] = get_dc_tables(ds_res, from_basins=False)
    # logs
    r_data["logs"] = get_dc_logs(ds_res, from_basins=False)
    # basin features
""",
                fixed="""\
        r_data["trace_list"] = sorted(ds_res["trace"].keys())
    # basin features
""",
            ),
            ReplaceText(
                FILE,
                faulty="""\
    ds_con = s3cc.get_s3_dc_handle(resource_id, artifact="condensed")
    # condense logs
    new_logs = get_dc_logs(ds_con, from_basins=False)
    for ln in new_logs:
        if ln not in r_data["logs"]:
            r_data["logs"][ln] = new_logs[ln]
    # basin features
""",
                fixed="""\
    ds_con = s3cc.get_s3_dc_handle(resource_id, artifact="condensed")
    # basin features
""",
            ),
            ReplaceText(
                FILE,
                faulty="else None\n\n\natexit.register(is_dc_resource.cache_clear)\n",
                fixed="""\
else None


#: bytes of logs or tables that are answered; they take a multiple of it
#: in memory
MAX_PART_SIZE = 32 * 2**20


def require_small(ds, part: str):
    '''Raise ValidationError where the logs or tables have too much data'''
    size = sum(getattr(item, 'nbytes', 0)
               for item in ds.h5file.get(part, {}).values())
    if size > MAX_PART_SIZE:
        raise logic.ValidationError(
            f"The {part} have {size} bytes, of at most {MAX_PART_SIZE}. "
            f"Please read them from the file.")


def get_resource_logs(resource_id: str) -> dict:
    '''Return the logs of a resource, and those that its condensed file adds'''
    ds_res = s3cc.get_s3_dc_handle(resource_id, artifact="resource")
    require_small(ds_res, "logs")
    logs = get_dc_logs(ds_res, from_basins=False)
    try:
        ds_con = s3cc.get_s3_dc_handle(resource_id, artifact="condensed")
        require_small(ds_con, "logs")
        logs.update({key: ds_con.logs[key]
                     for key in ds_con.logs if key not in logs})
    except Exception:
        logger.warning(f"Failed to fetch condensed logs for {resource_id}")
    return logs


def get_resource_tables(resource_id: str) -> dict:
    '''Return the tables of a resource'''
    ds_res = s3cc.get_s3_dc_handle(resource_id, artifact="resource")
    require_small(ds_res, "tables")
    return get_dc_tables(ds_res, from_basins=False)


atexit.register(is_dc_resource.cache_clear)
""",
            ),
        )
    ),
    proof="tests/system/test_known_issues.py: the metadata of a file with 100,000 lines in a log",
)
