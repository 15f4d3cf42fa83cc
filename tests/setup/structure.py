#!/usr/bin/env python3
"""Holds the code to the structure that docs/architecture.md describes.

    tests/setup/structure.py             fails on circles, arrows upwards and crowded types
    tests/setup/structure.py --show      prints what it has found, violations or not

A file may import only what stands lower in the order of its crate, and no more than two files may
import each other in a circle. Imports are read as text: `use crate::…`, `use super::…` and paths in the code.
"""

import os
import re
import sys
from collections import defaultdict

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# From the bottom to the top; what stands in one line is at one height and does not import each other.
ORDER = {
    "domain": [
        ["base"],
        ["value"],
        ["kinds"],
        ["validation"],
        ["catalog"],
        ["access", "matching", "exchange", "data"],
        ["statements"],
        ["vocabularies"],
        ["spreadsheet"],
    ],
    "persistence": [
        ["error"],
        ["cursor", "entity", "meter", "migrations"],
        ["permits", "record"],
        ["db"],
        ["store"],
        ["transaction"],
        ["consumers", "lease", "merge_targets"],
        ["records", "visibility"],
        ["read", "write"],
        ["accounts", "feed", "geometry", "load", "merge", "publication", "push", "upgrade"],
        ["erase", "persons", "restore", "search"],
        ["duplicates", "partner", "webhook"],
        ["jobs", "open"],
        ["cost"],
    ],
    "api": [
        ["config"],
        ["http"],
        ["auth"],
        ["state"],
        ["formats"],
        ["operation"],
        ["records", "exchange", "access", "node"],
        ["pages"],
        ["routes"],
        ["app"],
        ["cli"],
        ["main"],
    ],
}

# How many public methods a type may have.
MOST_METHODS = {"Store": 15, "Transaction": 15}
MOST_METHODS_OF_OTHERS = 20


def files(crate):
    source = os.path.join(ROOT, crate, "src")
    for folder, _, names in os.walk(source):
        for name in names:
            if name.endswith(".rs"):
                path = os.path.join(folder, name)
                yield os.path.relpath(path, source)


def is_test(path):
    return path.endswith("tests.rs") or "/tests/" in path


def module(path):
    parts = path[:-3].split(os.sep)
    return [] if parts in (["lib"], ["main"]) else parts


def without_tests(text):
    """The text without `#[cfg(test)] mod … { … }`."""
    while match := re.search(r"#\[cfg\(test\)\]\s*(?:pub\s+)?mod\s+\w+\s*\{", text):
        depth, end = 0, len(text)
        for place in range(match.end() - 1, len(text)):
            depth += {"{": 1, "}": -1}.get(text[place], 0)
            if depth == 0:
                end = place + 1
                break
        text = text[: match.start()] + text[end:]
    return text


def split(tree):
    parts, depth, part = [], 0, ""
    for char in tree:
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += char
    return parts + [part] if part.strip() else parts


def paths(tree, prefix=()):
    tree = tree.strip()
    head, brace, rest = tree.partition("{")
    names = [name for name in head.strip().removesuffix("::").split("::") if name]
    if not brace:
        yield prefix + tuple(name.split(" as ")[0].strip() for name in names)
        return
    for part in split(rest[: rest.rindex("}")]):
        yield from paths(part, prefix + tuple(names))


def imports(text, here):
    """What a file names of its own crate, as tuples of names; `here` is its module."""
    code = re.sub(r"//.*", "", text)
    for match in re.finditer(r"\buse\s+crate::([^;]+);", code):
        yield from paths(match[1])
    for match in re.finditer(r"\buse\s+((?:super::)+)([^;]+);", code):
        yield from paths(match[2], tuple(here[: len(here) - match[1].count("super")]))
    code = re.sub(r"\buse\s+[^;]+;", "", code)
    for match in re.finditer(r"\bcrate((?:::\w+)+)(?!\s*!)", code):
        yield tuple(match[1].strip(":").split("::"))


class Crate:
    def __init__(self, name):
        self.name = name
        self.texts = {}
        for path in files(name):
            if not is_test(path):
                with open(os.path.join(ROOT, name, "src", path), encoding="utf-8") as file:
                    self.texts[path] = without_tests(file.read())
        self.by_module = {tuple(module(path)): path for path in self.texts if path != "main.rs"}
        self.arrows = defaultdict(set)
        for path, text in self.texts.items():
            for names in imports(text, module(path)):
                target = self.target(names)
                if target and target != path:
                    self.arrows[path].add(target)
            # What is declared here is used here by its name: `use body::Thing`.
            for child in re.findall(r"^(?:pub(?:\([^)]*\))? )?mod (\w+);", text, re.M):
                target = self.by_module.get(tuple(module(path)) + (child,))
                # Passing it on (`pub use body::Thing`) is not using it.
                here = re.sub(r"\bmod \w+;|^pub(?:\([^)]*\))? use [^;]+;", "", text, flags=re.M)
                if target and re.search(rf"\b(?<!::){child}::[\w{{]", here):
                    self.arrows[path].add(target)

    def target(self, names):
        for length in range(len(names), 0, -1):
            if path := self.by_module.get(tuple(names[:length])):
                return path
        return None

    def circles(self):
        index, low, stack, on, found, counter = {}, {}, [], set(), [], [0]

        def visit(node):
            work = [(node, iter(sorted(self.arrows[node])))]
            index[node] = low[node] = counter[0]
            counter[0] += 1
            stack.append(node)
            on.add(node)
            while work:
                here, targets = work[-1]
                for target in targets:
                    if target not in index:
                        index[target] = low[target] = counter[0]
                        counter[0] += 1
                        stack.append(target)
                        on.add(target)
                        work.append((target, iter(sorted(self.arrows[target]))))
                        break
                    if target in on:
                        low[here] = min(low[here], index[target])
                else:
                    work.pop()
                    if work:
                        low[work[-1][0]] = min(low[work[-1][0]], low[here])
                    if low[here] == index[here]:
                        circle = []
                        while True:
                            one = stack.pop()
                            on.discard(one)
                            circle.append(one)
                            if one == here:
                                break
                        if len(circle) > 2:
                            found.append(sorted(circle))

        for path in sorted(self.texts):
            if path not in index:
                visit(path)
        return found

    def upwards(self):
        height = {}
        for level, names in enumerate(ORDER[self.name]):
            height.update(dict.fromkeys(names, level))
        top = lambda path: (module(path) or [path[:-3]])[0]
        for path in sorted(self.arrows):
            for target in sorted(self.arrows[path]):
                here, there = top(path), top(target)
                if here == there or "lib" in (here, there):
                    continue
                if here not in height or there not in height:
                    yield f"{here} or {there} has no place in the order: {path} -> {target}"
                elif height[here] <= height[there]:
                    yield f"{path} -> {target}"

    def crowded(self):
        methods = defaultdict(list)
        borrowing = set(re.findall(r"\bstruct (\w+)<'", "\n".join(self.texts.values())))
        for path, text in self.texts.items():
            for match in re.finditer(r"^impl(?:<[^>]*>)?\s+(\w+)(?:<[^{]*>)?\s*\{", text, re.M):
                end = text.find("\n}\n", match.end())
                body = text[match.end() : end]
                # A method that returns a room does not count: `fn records(&self) -> Records<'_>`.
                doors = re.findall(r"fn (\w+)\(&(?:mut )?self\) -> (\w+)<'_(?:, '\w+)?> \{", body)
                doors = {name for name, room in doors if room in borrowing}
                for method in re.findall(r"^    pub(?:\((?:crate|super)\))? (?:const |async )*fn (\w+)", body, re.M):
                    if method not in doors:
                        methods[match[1]].append(f"{path}: {method}")
        for name, found in sorted(methods.items()):
            most = MOST_METHODS.get(name, MOST_METHODS_OF_OTHERS)
            if len(found) > most:
                yield f"{name} has {len(found)} methods that others can call; at most {most}"


def shown_tables():
    """Where others than `persistence` can name its tables; they get plain types."""
    with open(os.path.join(ROOT, "persistence", "src", "lib.rs"), encoding="utf-8") as file:
        if re.search(r"^pub (?:mod|use) (?:crate::)?entity\b", file.read(), re.M):
            yield "persistence/src/lib.rs: `entity` is private"
    for crate in ("api", "tests"):
        for folder, _, names in os.walk(os.path.join(ROOT, crate)):
            for name in names:
                if name.endswith(".rs"):
                    path = os.path.join(folder, name)
                    with open(path, encoding="utf-8") as file:
                        if "persistence::entity" in file.read():
                            yield f"{os.path.relpath(path, ROOT)}: names persistence::entity, which is private"


def main():
    show = "--show" in sys.argv
    wrong = 0
    for line in shown_tables():
        print(line)
        wrong += 1
    for name in ORDER:
        crate = Crate(name)
        circles = crate.circles()
        upwards = list(crate.upwards()) if ORDER[name] else []
        crowded = list(crate.crowded())
        for circle in circles:
            print(f"{name}: {len(circle)} files import each other in a circle: {', '.join(circle)}")
            if show:
                for path in circle:
                    for target in sorted(crate.arrows[path] & set(circle)):
                        print(f"    {path} -> {target}")
        for arrow in upwards:
            print(f"{name}: an arrow upwards: {arrow}")
        for line in crowded:
            print(f"{name}: {line}")
        wrong += len(circles) + len(upwards) + len(crowded)
        arrows = sum(len(targets) for targets in crate.arrows.values())
        print(f"    {name}: {len(crate.texts)} files, {arrows} arrows")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
