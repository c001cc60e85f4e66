#!/usr/bin/env python3
"""Fails if files of a crate import each other in a cycle. Prints the files of each cycle.

Reads the `use` lines and the inline `crate::` and `super::` paths of every crate. A `mod.rs` or `lib.rs` that only declares and
re-exports is the face of its folder: an import through it counts for the file that defines the item. Test modules
do not count: no other file imports them.

    deploy/lint_imports.py           all crates
    deploy/lint_imports.py CRATE     one crate
"""

import re
import sys
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

COMMENT = re.compile(r"//[^\n]*")
TEST_MODULE = re.compile(r"#\[cfg\(test\)\]\s*(#\[[^\]]*\]\s*)*mod \w+ \{.*", re.S)
DECLARATION = re.compile(r'(#\[path = "(?P<path>[^"]+)"\]\s*)?^(pub(\([^)]*\))? )?mod (?P<name>\w+);', re.M)
USE = re.compile(r"^\s*(?P<public>pub(\([^)]*\))? )?use (?P<tree>[^;]+);", re.M)
ITEM = re.compile(r"^\s*(?:pub(?:\([^)]*\))? )?(?:default |async |const |unsafe )*"
                  r"(?:fn|struct|enum|trait|type|const|static|union|macro_rules!) (\w+)", re.M)
INLINE = re.compile(r"\b((?:crate|super)(?:::\w+)+)")
FACE_LINE = re.compile(r"^\s*(#!?\[.*\]|pub(\([^)]*\))? mod \w+;|mod \w+;|)\s*$")


def leaves(tree):
    """Yields each imported path of a `use` tree as (segments, local name)."""
    tree = tree.strip()
    brace = tree.find("{")
    if brace < 0:
        path, _, alias = tree.partition(" as ")
        segments = [segment.strip() for segment in path.split("::")]
        if segments[-1] == "self":
            segments.pop()
        yield segments, alias.strip() or (segments[-1] if segments else "")
        return
    prefix = [segment.strip() for segment in tree[:brace].split("::") if segment.strip()]
    depth, start, inside = 0, 0, tree[brace + 1 : tree.rindex("}")]
    for at, char in enumerate(inside + ","):
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            if inside[start:at].strip():
                for segments, name in leaves(inside[start:at]):
                    own = name or prefix[-1]
                    yield prefix + segments, own
            start = at + 1


class Module:
    """A module that has a file of its own."""

    def __init__(self, file, parent):
        self.file, self.parent, self.children = file, parent, {}
        self.text = TEST_MODULE.sub("", COMMENT.sub("", file.read_text(encoding="utf-8")))
        self.items = set(ITEM.findall(self.text))
        self.uses = [(segments, name, bool(use["public"])) for use in USE.finditer(self.text)
                     for segments, name in leaves(re.sub(r"\s+", " ", use["tree"]))]
        has_own_folder = file.name in ("mod.rs", "lib.rs", "main.rs")
        folder = file.parent if has_own_folder else file.parent / file.stem
        for found in DECLARATION.finditer(self.text):
            name, beside = found["name"], found["path"]
            candidates = [file.parent / beside] if beside else [folder / f"{name}.rs", folder / name / "mod.rs"]
            child = next((path for path in candidates if path.exists()), None)
            if child:
                self.children[name] = Module(child, self)

    @property
    def root(self):
        return self.parent.root if self.parent else self

    @cached_property
    def is_face(self):
        """Whether the file only declares and re-exports."""
        return all(FACE_LINE.match(line) for line in USE.sub("", self.text).splitlines())

    def all(self):
        yield self
        for child in self.children.values():
            yield from child.all()

    def resolve(self, segments, seen=()):
        """Returns the module that a path leads to, seen from here; None for other crates."""
        if (self, tuple(segments)) in seen:
            return None
        seen = (*seen, (self, tuple(segments)))
        first, rest = segments[0], segments[1:]
        if first in ("crate", "super", "self"):
            start = {"crate": self.root, "super": self.parent, "self": self}[first]
            return start and (start.find(rest, seen) if rest else start)
        return self.find(segments, seen) if first in self.children else None

    def find(self, segments, seen):
        first, rest = segments[0], segments[1:]
        if first in self.children:
            child = self.children[first]
            return child.find(rest, seen) if rest else child
        if first in self.items or first == "*":
            return self
        for path, name, _ in self.uses:
            if name == first or path[-1] == "*":
                onward = path[:-1] + [first] if path[-1] == "*" else path
                found = self.resolve(onward + rest, seen)
                if found and (name == first or first in found.items):
                    return found
        return self

    def imports(self):
        """Returns the modules that this one imports from."""
        paths = [path for path, _, is_public in self.uses if not (self.is_face and is_public)]
        paths += [inline.split("::") for inline in INLINE.findall(USE.sub("", self.text))]
        found = set()
        for path in paths:
            target = self.resolve(path)
            if target and target.is_face:
                # The folder itself was imported: its items are named where they are used.
                body = USE.sub("", self.text)
                if path[-1] == "*":
                    members = {name for _, name, _ in target.uses} & set(re.findall(r"\w+", body))
                else:
                    members = re.findall(rf"\b{path[-1]}::(\w+)", body)
                found |= {target.find([member], ()) for member in members}
            elif target:
                found.add(target)
        return {module for module in found if module and module is not self and not module.is_face}


def cycles(modules):
    """Yields each group of modules that reach each other (Tarjan)."""
    edges = {module: module.imports() for module in modules}
    index, low, stack, groups = {}, {}, [], []

    def visit(module):
        index[module] = low[module] = len(index)
        stack.append(module)
        for target in edges.get(module, ()):
            if target not in index:
                visit(target)
                low[module] = min(low[module], low[target])
            elif target in stack:
                low[module] = min(low[module], index[target])
        if low[module] == index[module]:
            at = stack.index(module)
            groups.append(stack[at:])
            del stack[at:]

    for module in modules:
        if module not in index:
            visit(module)
    for group in groups:
        if len(group) > 1:
            yield {module: edges[module] & set(group) for module in group}


def main():
    wanted = set(sys.argv[1:])
    crates = {path.parent.name: path.parent for folder in ("libs/*", "services/*", "bench", "tests/faults")
              for path in ROOT.glob(f"{folder}/Cargo.toml")}
    if wanted - crates.keys():
        sys.exit(f"unknown crates: {', '.join(sorted(wanted - crates.keys()))}")
    failed = False
    for name, crate in sorted(crates.items()):
        if wanted and name not in wanted:
            continue
        roots = [path for path in (crate / "src/lib.rs", crate / "src/main.rs") if path.exists()]
        found = [group for root in roots for group in cycles(list(Module(root, None).all()))]
        for group in found:
            failed = True
            print(f"{name}: {len(group)} files import each other in a cycle:", file=sys.stderr)
            for module, targets in sorted(group.items(), key=lambda edge: str(edge[0].file)):
                others = ", ".join(sorted(str(target.file.relative_to(crate)) for target in targets))
                print(f"  {module.file.relative_to(crate)} -> {others}", file=sys.stderr)
    sys.exit(failed)


main()
