"""What Schemathesis leaves out, and why."""

from urllib.parse import quote

import schemathesis

# Schemas bound each parameter, but all of them at their longest fit no request line or head:
# such requests end before the program knows what they ask for (stories/abuse.rs tests that).
LONGEST_URL = 8000
LONGEST_HEAD = 16000


@schemathesis.hook
def filter_case(context, case):
    query = sum(len(quote(f"{name}={value}")) for name, value in (case.query or {}).items())
    head = sum(len(str(value)) for value in (case.headers or {}).values())
    return query < LONGEST_URL and head < LONGEST_HEAD


@schemathesis.hook
def before_call(context, case, kwargs):
    # Waiting for changes is right, and takes as long as it says.
    if case.query and str(case.query.get("wait", "0")).isdigit():
        if int(case.query.get("wait", 0)) <= 55:
            case.query.pop("wait", None)


@schemathesis.serializer("application/x-ndjson", "text/csv")
def text(context, value):
    return value.encode() if isinstance(value, str) else value
