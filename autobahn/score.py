#!/usr/bin/env python3
"""Judges a report of the Autobahn Testsuite, case by case, against expected.txt.

usage: score.py DIRECTORY        the directory that holds index.json

Two things must hold for each case: the verdict is a pass, and it is the pinned one. So neither a
regression nor a verdict that somebody pinned to hide one goes by. Exit status: 0 or 1.
"""
import json
import os
import sys
from collections import Counter
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
EXPECTED = os.path.join(HERE, "expected.txt")

BEHAVIORS = ["OK", "INFORMATIONAL", "NON-STRICT", "UNIMPLEMENTED", "FAILED"]
# cases that have no right answer; the suite gives no other verdict on them
INFORMATIONAL = {"7.1.6", "7.13.1", "7.13.2"}
NO_TIME = 10**9  # milliseconds; the suite reports time() - 0 when the opening handshake never ended


@dataclass(frozen=True)
class Verdict:
    behavior: str
    close: str

    def __str__(self):
        return "behavior %s, close %s" % (self.behavior, self.close)


OK = Verdict("OK", "OK")
INFORMATIVE = Verdict("INFORMATIONAL", "INFORMATIONAL")


def load_expected(path=EXPECTED):
    """Gives {case: verdict}. A line is `case behavior close`; `#` begins a comment."""
    expected = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            words = line.split("#")[0].split(None, 2)
            if words:
                expected[words[0]] = Verdict(words[1], words[2].strip())
    return expected


def matching(expected, patterns):
    """The cases that a list such as `6.4.3,9.*` names; `*` stands at the end and for anything."""
    def named(case):
        return any(case == p or (p.endswith("*") and case.startswith(p[:-1])) for p in patterns.split(","))

    return {case: verdict for case, verdict in expected.items() if named(case)}


def read_report(directory):
    """Gives {case: verdict} of the one agent in index.json; nothing if there is no report."""
    try:
        with open(os.path.join(directory, "index.json"), encoding="utf-8") as file:
            agents = list(json.load(file).values())
    except (OSError, ValueError):
        return {}
    cases = agents[0] if len(agents) == 1 else {}
    return {case: Verdict(entry["behavior"], entry["behaviorClose"]) for case, entry in cases.items()}


def acceptable(case, verdict):
    return verdict == (INFORMATIVE if case in INFORMATIONAL else OK)


def differences(found, expected, directory):
    """One line for all missing cases, and one for each that is unknown, no pass, or not as pinned."""
    missing = sorted(expected.keys() - found.keys(), key=order)
    problems = ["%d cases missing from the report: %s" % (len(missing), shortened(missing))] if missing else []
    for case in sorted(found, key=order):
        problem = difference(case, found[case], expected.get(case))
        if problem:
            problems.append("%s: %s%s" % (case, problem, where(directory, case)))
    return problems


def difference(case, found, expected):
    if expected is None:
        return "not in expected.txt (%s)" % found
    if found != expected:
        return "%s; expected %s" % (found, expected)
    if not acceptable(case, found):
        return "%s is pinned, but is no pass" % found
    return None


def shortened(cases):
    return " ".join(cases if len(cases) <= 8 else [*cases[:4], "...", cases[-1]])


def where(directory, case):
    page = "rushwire_case_%s.html" % case.replace(".", "_")
    path = os.path.join(directory, page)
    return " (see %s)" % os.path.relpath(path) if os.path.exists(path) else ""


def order(case):
    return [int(part) for part in case.split(".")]


def summary(found, expected, seconds, problems):
    """Everything in one line: counts of both verdicts, seconds, and the word at the end."""
    behavior = Counter(verdict.behavior for verdict in found.values())
    close = Counter(verdict.close for verdict in found.values())
    counts = ", ".join("%s %d" % (name, behavior[name]) for name in BEHAVIORS)
    closes = ", ".join("%s %d" % pair for pair in close.most_common()) or "none"
    word = "FAIL" if problems else "PASS"
    return "%d/%d cases: %s; close: %s; %.1f s: %s" % (len(found), len(expected), counts, closes, seconds, word)


def seconds_in_cases(directory):
    with open(os.path.join(directory, "index.json"), encoding="utf-8") as file:
        entries = [entry for cases in json.load(file).values() for entry in cases.values()]
    return sum(entry["duration"] for entry in entries if entry["duration"] < NO_TIME) / 1000


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        raise SystemExit(__doc__)
    directory = sys.argv[1]
    found, expected = read_report(directory), load_expected()
    if not found:
        raise SystemExit("autobahn: no report of one agent in %s" % directory)
    problems = differences(found, expected, directory)
    for problem in problems:
        print("autobahn: %s" % problem)
    print("autobahn: %s" % summary(found, expected, seconds_in_cases(directory), problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
