#!/usr/bin/env bash
# Checks the language of the project (CONTRIBUTING.md, "Rules"): straight quotes in every text file, and no doc
# comment in Rust or JavaScript that begins with a banned word. Names file and line of each offence.
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 - <<'PYTHON'
import re
import subprocess
import sys

OPENERS = "Whoever|Whatever|What|Whom|Whose|Of|How|Those|Somebody|Nobody|The same|Whether"
OPENER = re.compile(rf"\s*(//[/!]|/\*\*) (?P<opener>{OPENERS})\b")
DOC = re.compile(r"\s*//[/!]")
# "Whether" describes a bool: a field, a constant, or the result of a function or a method of a trait.
BOOL = re.compile(r"\bbool\b|\bmatches!")
ATTRIBUTE = re.compile(r"\s*#!?\[")


def is_bool(lines, after):
    """True if the item that follows the doc comment is a bool or returns one."""
    item = ""
    for line in lines[after : after + 20]:
        if DOC.match(line) or (ATTRIBUTE.match(line) and not item):
            continue
        item += " " + line.strip()
        if re.search(r"[{;,]\s*$", line) and item.count("(") == item.count(")"):
            break
    return bool(BOOL.search(item))


def offences(file, text):
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if "\u00ab" in line or "\u00bb" in line:
            yield number, 'use straight quotes instead of \u00ab \u00bb', line
        found = file.endswith((".rs", ".js", ".mjs")) and OPENER.match(line)
        if not found or (number > 1 and DOC.match(lines[number - 2])):
            continue
        if found["opener"] != "Whether" or not is_bool(lines, number):
            yield number, f'a doc comment does not begin with "{found["opener"]}"', line


listed = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True)
count = 0
for file in filter(None, listed.stdout.split("\0")):
    try:
        text = open(file, encoding="utf-8").read()
    except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
        continue
    for number, message, line in offences(file, text):
        print(f"{file}:{number}: {message}: {line.strip()[:100]}", file=sys.stderr)
        count += 1
if count:
    sys.exit(f"{count} offences against the language rules")
PYTHON
