#!/usr/bin/env python3
"""Fails on words that the glossary (docs/adr/0001-words.md) tells us not to use.

    tests/setup/words.py              checks every text of the repository
    tests/setup/words.py --self-test  proves that the check finds what it should
    tests/setup/words.py --list       prints the words that are looked for

Texts are comments and string literals of Rust, comments of scripts and configuration, Markdown, and
the descriptions, summaries and titles in openapi/openapi.json. Code in backticks or fences and
words in „…“ are not texts of ours, and neither are the files in NOT_OURS. Identifiers of Rust are
looked through for the second table. Log messages are also compared with the list in docs/logging.md.
"""

import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GLOSSARY = "docs/adr/0001-words.md"
HEADING = "## Words not to use"
NAMES = "## Names not to use"

# Quoted, German or legal texts, and the glossary, which has to name the words.
NOT_OURS = ("tests/pages/", "tests/geojson-schema/", "LICENSE-", "Cargo.lock", GLOSSARY)

# A string literal of Rust is a text if it has as many words; shorter ones are codes and names.
WORDS_OF_A_TEXT = 3
SQL = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|WITH|PRAGMA|BEGIN|VALUES)\b")

# The parts of Rust that matter here, the longest first; what is none of them is code.
RUST = re.compile(
    r"""(?P<comment>//[^\n]*)
      | (?P<block>/\*.*?\*/)
      | b?r(?P<hashes>\#*)"(?P<raw>.*?)"(?P=hashes)
      | b?"(?P<string>(?:[^"\\]|\\.)*)"
      | '(?:[^'\\\n]|\\[^\n]{1,10}?)'
    """,
    re.VERBOSE | re.DOTALL,
)


def glossary(text):
    """What the table below the heading forbids: (pattern, what to write instead)."""
    found = []
    for line in text.partition(HEADING)[2].partition(NAMES)[0].splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 2 and not cells[0].startswith(("---", "not")):
            for phrase in cells[0].split(","):
                words = r"[\s/!#*>]+".join(map(re.escape, phrase.split()))
                found.append((re.compile(rf"(?<![\w-]){words}(?![\w-])", re.IGNORECASE), cells[1]))
    if not found:
        sys.exit(f"{GLOSSARY} has no table below \"{HEADING}\"")
    return found


def names_table(text):
    """What the second table forbids in identifiers: {part of a name: what to write instead}."""
    found = {}
    for line in text.partition(NAMES)[2].splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 2 and not cells[0].startswith(("---", "not")):
            found.update(dict.fromkeys((word.strip() for word in cells[0].split(",")), cells[1]))
    if not found:
        sys.exit(f"{GLOSSARY} has no table below \"{NAMES}\"")
    return found


def names(path, text, forbidden):
    """Identifiers of Rust with a forbidden part: `take_grave`, `Graves`."""
    if not path.endswith(".rs"):
        return
    for match in re.finditer(r"[A-Za-z_]\w*", RUST.sub(blank, text)):
        for part in re.findall(r"[A-Z]?[a-z]+", match.group()):
            if part.lower() in forbidden:
                line = text.count("\n", 0, match.start()) + 1
                yield line, match.group(), forbidden[part.lower()]


def blank(match):
    """Spaces instead of what matched, so that lines keep their numbers."""
    return re.sub(r"[^\n]", " ", match.group())


def without_code(text):
    """Without code in backticks, quotations, placeholders of messages, and addresses."""
    return re.sub(r"`[^`\n]*`|„[^“\n]*“|\\\"[^\"\n]*\\\"|\{\w*[^}\s]*\}|https?://\S+", blank, text)


def rust(text):
    """(offset, text) of comments, neighbouring ones together, and of string literals."""
    comment, begun, end = [], 0, None
    for match in RUST.finditer(text):
        if match["comment"]:
            if comment and text[end : match.start()].strip() == "":
                comment.append(text[end : match.start()] + match["comment"])
            else:
                if comment:
                    yield begun, "".join(comment)
                comment, begun = [match["comment"]], match.start()
            end = match.end()
        elif match["block"]:
            yield match.start(), match["block"]
        else:
            literal = match["raw"] or match["string"] or ""
            if len(literal.split()) >= WORDS_OF_A_TEXT and not SQL.match(literal):
                yield match.start("raw" if match["raw"] else "string"), literal
    if comment:
        yield begun, "".join(comment)


def hashes(text):
    """Comments that begin with `#`, and the documentation of Python."""
    for match in re.finditer(r'(?m)^[ \t]*#.*(?:\n[ \t]*#.*)*|""".*?"""', text):
        yield match.start(), match.group()


def markdown(text):
    yield 0, re.sub(r"(?ms)^```.*?^```", blank, text)


def document(text):
    """Texts of the OpenAPI document, each where it first stands in the file."""

    def texts(node):
        if isinstance(node, dict):
            for name, value in node.items():
                if name in ("description", "summary", "title") and isinstance(value, str):
                    yield value
                else:
                    yield from texts(value)
        elif isinstance(node, list):
            for value in node:
                yield from texts(value)

    for value in dict.fromkeys(texts(json.loads(text))):
        yield max(text.find(json.dumps(value, ensure_ascii=False)), 0), value


def texts(path, text):
    name = os.path.basename(path)
    if name.endswith(".rs"):
        return rust(text)
    if name.endswith(".md"):
        return markdown(text)
    if path == "openapi/openapi.json":
        return document(text)
    if name.endswith((".toml", ".sh", ".py", ".yml")) or name in ("justfile", "test", "lint", "run", "Dockerfile"):
        return hashes(text)
    return ()


def findings(path, text, forbidden):
    for offset, part in texts(path, text):
        plain = without_code(part)
        for pattern, instead in forbidden:
            for match in pattern.finditer(plain):
                # A text of the document is one line there, whatever it holds.
                within = 0 if path.endswith(".json") else match.start()
                line = text.count("\n", 0, offset + within) + 1
                yield line, " ".join(match.group().split()), instead


def files():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split("\n")
    return [path for path in listed if path and not path.startswith(NOT_OURS)]


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


LOGGING = "docs/logging.md"
LOG_CALL = re.compile(r"tracing::(error|warn|info|debug|trace)!\(")


def logged(text):
    """(level, message, fields) of the log calls in Rust."""
    for call in LOG_CALL.finditer(text):
        end, depth = call.end(), 1
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        arguments = text[call.end() : end - 1]
        message = re.findall(r'"((?:[^"\\]|\\.)*)"', arguments)[-1]
        # The line of a request is the only message with values in it.
        if "{" not in message:
            fields = re.findall(r"(?:^|,)\s*[%?]?([a-z_]+)\s*(?==|,)", arguments)
            yield call[1], message, ", ".join(f"`{field}`" for field in fields)


def log_differences(code, page):
    """What the code logs and the page does not list, and vice versa."""
    rows = re.findall(r"(?m)^\| (error|warn|info|debug|trace) \| (.+?) \| (.*?)\s*\|$", page.partition("## Every message")[2])
    documented, found = set(rows), set(code)
    for row in sorted(found - documented):
        yield f"{LOGGING}: add | {' | '.join(row)} |"
    for row in sorted(documented - found):
        yield f"{LOGGING}: nothing logs | {' | '.join(row)} |"


def self_test():
    forbidden = glossary(f"{HEADING}\n| not | but |\n|---|---|\n| anew, for good | again |\n")
    finds = {
        "a.rs": ['/// Built anew.\nfn a() {}', 'let a = "it is built anew";', "/// For\n/// good.\nfn a() {}", "let a = 1; // anew"],
        "a.md": ["It is gone for\ngood."],
        "a.toml": ["# Read anew."],
        "openapi/openapi.json": ['{"description": "Read anew."}'],
    }
    passes = {
        "a.rs": ["fn anew() {}", 'let a = "anew";', "/// `anew` and renew.\nfn a() {}", "let a = 'x'; let anew = '\"';"],
        "a.md": ["`anew`", "```\nanew\n```\n"],
        "openapi/openapi.json": ['{"example": "read it anew"}'],
    }
    failed = 0
    parts = names_table(f"{NAMES}\n| not | but |\n|---|---|\n| grave, graves | tombstone |\n")
    for code, wanted in (("fn take_grave() {}", 1), ("type Graves = u8;", 1), ("fn engraved() {} // graves", 0)):
        if len(list(names("a.rs", code, parts))) != wanted:
            print(f"{code!r} should have {wanted} forbidden names", file=sys.stderr)
            failed += 1
    code = list(logged('tracing::info!(by = ?admin(), count, "records read");'))
    page = "## Every message\n| info | records read | `by`, `count` |\n"
    if list(log_differences(code, page)) or len(list(log_differences(code, ""))) != 1 or len(list(log_differences([], page))) != 1:
        print("the list of log messages is not compared with the code", file=sys.stderr)
        failed += 1
    for cases, wanted in ((finds, True), (passes, False)):
        for path, bodies in cases.items():
            for body in bodies:
                if bool(list(findings(path, body, forbidden))) != wanted:
                    print(f"{path}: {body!r} should {'' if wanted else 'not '}be found", file=sys.stderr)
                    failed += 1
    return failed


def main():
    forbidden, parts = glossary(read(GLOSSARY)), names_table(read(GLOSSARY))
    if "--list" in sys.argv:
        for pattern, instead in forbidden:
            print(f"{pattern.pattern} -> {instead}")
        return 0
    if self_test():
        return 1
    if "--self-test" in sys.argv:
        return 0
    count, messages = 0, []
    for path in files():
        try:
            text = read(path)
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        if path.endswith(".rs") and "/src/" in path and not path.startswith("tests/"):
            messages += logged(text)
        for line, word, instead in sorted([*findings(path, text, forbidden), *names(path, text, parts)]):
            print(f"{path}:{line}: \"{word}\": write {instead}")
            count += 1
    differences = list(log_differences(messages, read(LOGGING)))
    for difference in differences:
        print(difference)
    if count or differences:
        print(f"{count} words that {GLOSSARY} tells us not to use, {len(differences)} log messages to list", file=sys.stderr)
        return 1
    print(f"    {len(files())} files, {len(forbidden)} words: none found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
