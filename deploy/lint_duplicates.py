#!/usr/bin/env python3
"""Fails if six lines of code stand in two places, unless `deploy/duplicates.txt` lists the two files with a reason.

Blank lines, comments, imports and lines without words do not count.
"""

import re
import subprocess
import sys
from collections import defaultdict
from itertools import combinations
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WINDOW = 6
CODE = re.compile(r"\.(rs|js|mjs|py|sh|lua)$")
COMMENT = {"rs": "//", "js": ("//", "/*", "*"), "mjs": ("//", "/*", "*"), "py": "#", "sh": "#", "lua": "--"}
IMPORT = re.compile(r"(pub(\([a-z]+\))? )?use |import ")
WORDS = re.compile(r"\w\w\w")


def code_lines(path):
    """Returns the lines that count, with their numbers. A line without a word ends every run."""
    found, in_import = [], False
    for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1):
        text = line.strip()
        if in_import or IMPORT.match(text):
            in_import = ";" not in text and not path.endswith(".py")
        elif text and not text.startswith(COMMENT[path.rsplit(".", 1)[1]]):
            found.append((number, text))
    return found


def main():
    listed, faults = {}, []
    for line in (ROOT / "deploy/duplicates.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            first, second, _reason = line.split(maxsplit=2)
            listed[tuple(sorted((first, second)))] = False
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    places = defaultdict(list)
    for path in tracked:
        if not CODE.search(path) or "/assets/" in path or not (ROOT / path).exists():
            continue
        lines = code_lines(path)
        for start in range(len(lines) - WINDOW + 1):
            run = tuple(text for _, text in lines[start : start + WINDOW])
            if all(WORDS.search(text) for text in run):
                places[run].append((path, lines[start][0]))
    reported = set()
    for same in places.values():
        for (first, line), (second, other) in combinations(same, 2):
            pair = tuple(sorted((first, second)))
            if pair in listed:
                listed[pair] = True
            elif pair not in reported:
                reported.add(pair)
                faults.append(f"{first}:{line} and {second}:{other}: six equal lines; share them, or list the files")
    faults += [f"deploy/duplicates.txt: {' '.join(pair)} is not needed" for pair, used in listed.items() if not used]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
