"""What Schemathesis leaves out, and why."""

import json
from urllib.parse import quote

import schemathesis

# Schemas limit each parameter, but all of them at their longest do not fit into a request line or
# head: such requests are rejected before they reach a route (stories/abuse.rs tests that).
LONGEST_URL = 8000
LONGEST_HEAD = 16000


# Errors are reported per item or line in the response, without rejecting the whole; and an optional
# member that is null is absent.
LENIENT = {
    "POST /v1/import",
    "POST /v1/personal_data",
    "POST /v1/sync/systems/{system}/records",
    "POST /v1/sync/systems/{system}/snapshot",
}


@schemathesis.hook
def filter_case(context, case):
    if case.operation.label in LENIENT and case.meta and case.meta.generation.mode.is_negative:
        return False
    query = sum(len(quote(f"{name}={value}")) for name, value in (case.query or {}).items())
    head = sum(len(str(value)) for value in (case.headers or {}).values())
    return query < LONGEST_URL and head < LONGEST_HEAD


@schemathesis.hook
def before_call(context, case, kwargs):
    # Waiting for changes is intended, and takes as long as requested.
    if case.query and str(case.query.get("wait_seconds", "0")).isdigit():
        if int(case.query.get("wait_seconds", 0)) <= 55:
            case.query.pop("wait_seconds", None)


@schemathesis.serializer(
    "application/x-ndjson",
    "text/csv",
    "text/tab-separated-values",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.oasis.opendocument.spreadsheet",
)
def text(context, value):
    return (value if isinstance(value, str) else json.dumps(value)).encode()
