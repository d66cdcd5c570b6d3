#!/usr/bin/env python3
"""Check the licences of what programs are built of, and print their texts.

Usage: third_party.py SBOM.cdx.json…

The SBOMs are CycloneDX JSON as cyclonedx-gomod writes it. Every module must have
a licence of ALLOWED; the texts come from the module's folder in Go's cache, and
a module without one is an error.
"""

import json
import pathlib
import re
import subprocess
import sys

# What may be in a program under Apache-2.0 whose users shall owe nothing but a
# notice. MPL-2.0 asks for the source of its own files only, which are unchanged.
ALLOWED = {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MPL-2.0", "Unlicense", "LicenseRef-public-domain"}

# What the detector takes for another licence: golang.org/x is under BSD-3-Clause.
READ_AS = {"BSD-Source-Code": "BSD-3-Clause"}

# What the detector does not recognise, read by a human.
READ_BY_HAND = {
    "github.com/pressly/goose/v3": "MIT",
    "github.com/xi2/xz": "LicenseRef-public-domain",
    "std": "BSD-3-Clause",
}

OWN = "github.com/novacron/dwcp-telemetry"
TEXTS = re.compile(r"(licen[cs]e|copying|notice|patents)([.-].*)?", re.IGNORECASE)


def modules(paths):
    """Return name and version → set of licences, of all SBOMs together."""
    found = {}
    for path in paths:
        bom = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        for component in bom["components"]:
            if component["name"].startswith(OWN):
                continue
            stated = component.get("licenses") or component.get("evidence", {}).get("licenses", [])
            names = {READ_AS.get(name, name) for name in (entry["license"].get("id") for entry in stated) if name}
            found.setdefault((component["name"], component.get("version", "")), set()).update(names)
    return found


def folder(name, version, cache, goroot):
    if name == "std":
        return goroot
    escaped = re.sub(r"[A-Z]", lambda match: "!" + match.group().lower(), f"{name}@{version}")
    return cache / escaped


def texts(where):
    if not where.is_dir():
        return []
    return sorted(file for file in where.iterdir() if file.is_file() and TEXTS.fullmatch(file.name))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    cache, goroot = (
        pathlib.Path(line)
        for line in subprocess.run(["go", "env", "GOMODCACHE", "GOROOT"], check=True, capture_output=True, text=True).stdout.splitlines()
    )
    problems = []
    for (name, version), licences in sorted(modules(sys.argv[1:]).items()):
        if not licences and name in READ_BY_HAND:
            licences = {READ_BY_HAND[name]}
        if not licences:
            problems.append(f"{name} {version}: no licence was found")
        elif not licences <= ALLOWED:
            problems.append(f"{name} {version}: {', '.join(sorted(licences - ALLOWED))} is not among the allowed licences ({', '.join(sorted(ALLOWED))})")
        files = texts(folder(name, version, cache, goroot))
        if not files:
            problems.append(f"{name} {version}: the text of its licence is not in {folder(name, version, cache, goroot)}")
        print(f"{'=' * 80}\n{name} {version}\n{', '.join(sorted(licences))}\n{'=' * 80}\n")
        for file in files:
            print(file.read_text(encoding="utf-8", errors="replace").rstrip() + "\n")
    if problems:
        sys.exit("third_party.py:\n  " + "\n  ".join(problems))


if __name__ == "__main__":
    main()
