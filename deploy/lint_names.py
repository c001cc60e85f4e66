#!/usr/bin/env python3
"""Fails if two public types of a crate share a name, or a source file has more than 300 lines.

The types of inline test modules do not count. The derives of the database library need one `Model` and one `Relation` per table.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_LINES = 300
PER_TABLE = {"Model", "Relation"}
TYPE = re.compile(r"^\s*pub(?:\([^)]*\))? (?:struct|enum|trait|type|union) (\w+)", re.M)
TESTS = re.compile(r"^#\[cfg\(test\)\]\nmod \w+ \{.*", re.M | re.S)


def main():
    faults = []
    manifests = [*ROOT.glob("libs/*/Cargo.toml"), *ROOT.glob("services/*/Cargo.toml"), ROOT / "bench/Cargo.toml",
                 ROOT / "tests/faults/Cargo.toml"]
    for manifest in manifests:
        crate, places = manifest.parent, defaultdict(list)
        for file in sorted(crate.glob("src/**/*.rs")):
            text = TESTS.sub("", file.read_text(encoding="utf-8"))
            for name in TYPE.findall(text):
                places[name].append(str(file.relative_to(ROOT)))
        for name, files in places.items():
            if len(files) > 1 and name not in PER_TABLE:
                faults.append(f"{crate.name}: the public type {name} is in {', '.join(files)}")
    sources = (file for pattern in ("*.rs", "*.js", "*.mjs", "*.css", "*.py", "*.sh") for file in ROOT.rglob(pattern))
    for file in sources:
        path = file.relative_to(ROOT)
        if {"target", "node_modules", "assets", ".venv", ".git"} & set(path.parts):
            continue
        lines = file.read_text(encoding="utf-8").count("\n")
        if lines > MAX_LINES:
            faults.append(f"{path}: {lines} lines; split it")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
