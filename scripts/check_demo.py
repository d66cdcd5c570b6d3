#!/usr/bin/env python3
"""Check the JSON of `dwcp-telemetry demo --json` and print the path of its CSV.

Usage: check_demo.py SUMMARY.json

Every decision sent must be accounted for, and of the sample exactly one breaks a
rule: a CPU share above 100 %.
"""

import json
import sys


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        demo = json.load(file)
    if demo["sent"] == 0 or demo["sent"] != demo["written"] + demo["rejected"] + demo["duplicate"]:
        sys.exit(f"not every decision is accounted for: {demo}")
    if demo["rejected_by_reason"] != {"out_of_range": 1}:
        sys.exit(f"one decision of the sample is out of range, but rejected are {demo['rejected_by_reason']}")
    print(next(path for path in demo["files"] if path.endswith(".csv")))


if __name__ == "__main__":
    main()
