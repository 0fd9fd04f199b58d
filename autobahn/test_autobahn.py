"""What must make a run fail, shown on made-up reports: python3 -m unittest discover -s autobahn"""
import json
import os
import sys
import tempfile
import unittest

import score
import suite
from score import INFORMATIVE, OK, Verdict

EXPECTED = {"1.1.1": OK, "7.1.6": INFORMATIVE, "9.1.1": OK}


def differences(changes):
    found = dict(EXPECTED, **changes)
    return score.differences({case: verdict for case, verdict in found.items() if verdict}, EXPECTED, "nowhere")


class Judging(unittest.TestCase):
    def test_a_report_as_expected_has_no_differences(self):
        self.assertEqual(differences({}), [])

    def test_everything_else_is_a_difference_that_names_its_case(self):
        table = [
            ("missing", "9.1.1", None),
            ("unknown", "12.1.1", OK),
            ("failed", "9.1.1", Verdict("FAILED", "OK")),
            ("non-strict", "9.1.1", Verdict("NON-STRICT", "OK")),
            ("unimplemented", "9.1.1", Verdict("UNIMPLEMENTED", "UNIMPLEMENTED")),
            ("informational where an answer is right", "9.1.1", INFORMATIVE),
            ("dropped by the suite", "9.1.1", Verdict("OK", "FAILED BY CLIENT")),
            ("wrong close code", "9.1.1", Verdict("OK", "WRONG CODE")),
            ("unclean close", "9.1.1", Verdict("OK", "UNCLEAN")),
            ("unclean close of an informational case", "7.1.6", Verdict("INFORMATIONAL", "UNCLEAN")),
        ]
        for name, case, verdict in table:
            with self.subTest(name):
                lines = differences({case: verdict})
                self.assertEqual(len(lines), 1, lines)
                self.assertIn(case, lines[0])

    def test_a_case_that_nobody_pinned_is_named_as_such(self):
        (line,) = differences({"12.1.1": OK})
        self.assertEqual(line, "12.1.1: not in expected.txt (behavior OK, close OK)")

    def test_a_pinned_failure_is_still_no_pass(self):
        failed = {"9.1.1": Verdict("FAILED", "OK")}
        self.assertEqual(len(score.differences(failed, failed, "nowhere")), 1)

    def test_a_pin_that_no_longer_holds_is_a_difference_even_if_the_case_passes(self):
        pinned = {"9.1.1": Verdict("FAILED", "OK")}
        (line,) = score.differences({"9.1.1": OK}, pinned, "nowhere")
        self.assertEqual(line, "9.1.1: behavior OK, close OK; expected behavior FAILED, close OK")

    def test_many_missing_cases_make_one_line(self):
        (line,) = score.differences({}, score.load_expected(), "nowhere")
        self.assertEqual(line, "301 cases missing from the report: 1.1.1 1.1.2 1.1.3 1.1.4 ... 10.1.1")


class Pins(unittest.TestCase):
    def test_the_pinned_verdicts_are_all_passes_in_sections_1_to_7_9_and_10(self):
        expected = score.load_expected()
        self.assertEqual(len(expected), 301)
        self.assertTrue(all(score.acceptable(case, verdict) for case, verdict in expected.items()))
        self.assertEqual({score.order(case)[0] for case in expected}, {1, 2, 3, 4, 5, 6, 7, 9, 10})

    def test_a_pattern_selects_by_prefix_and_a_name_by_itself(self):
        table = [("*", 301), ("1.*", 16), ("9.*", 54), ("6.4.3", 1), ("6.4.3,6.4.4", 2), ("1.1.1", 1), ("8.*", 0)]
        for patterns, count in table:
            with self.subTest(patterns):
                self.assertEqual(len(score.matching(score.load_expected(), patterns)), count)


class Reports(unittest.TestCase):
    def test_no_index_a_broken_one_and_two_agents_are_no_report(self):
        entry = {"1.1.1": {"behavior": "OK", "behaviorClose": "OK"}}
        table = [
            ("none", None, {}),
            ("broken", "{", {}),
            ("two agents", json.dumps({"a": entry, "b": entry}), {}),
            ("one agent", json.dumps({"a": entry}), {"1.1.1": OK}),
        ]
        for name, text, expected in table:
            with self.subTest(name), tempfile.TemporaryDirectory() as directory:
                if text is not None:
                    with open(os.path.join(directory, "index.json"), "w") as file:
                        file.write(text)
                self.assertEqual(score.read_report(directory), expected)


LISTEN = "import socket, sys, time; s = socket.create_server((sys.argv[1], int(sys.argv[2]))); s.accept(); "


def run_server(server, wstest="pass"):
    """Runs two scripts in the places of the server and of `wstest`."""
    with tempfile.TemporaryDirectory() as directory:
        fake = os.path.join(directory, "wstest")
        with open(fake, "w") as file:
            file.write("#!%s\nimport time, sys\n%s\n" % (sys.executable, wstest))
        os.chmod(fake, 0o755)
        command = [sys.executable, "-c", server, "{host}", "{port}"]
        return suite.run_server(fake, command, {"servers": [{}]}, os.path.join(directory, "report")).problems


class Processes(unittest.TestCase):
    def test_a_server_that_lives_and_a_suite_that_ends_well_are_no_problem(self):
        self.assertEqual(run_server(LISTEN + "time.sleep(60)"), [])

    def test_a_server_that_dies_during_the_run_is_a_problem(self):
        (problem,) = run_server(LISTEN + "sys.exit('out of luck')", "time.sleep(1)")
        self.assertEqual(problem, "the server died, status 1: out of luck")

    def test_a_suite_that_ends_badly_is_a_problem(self):
        (problem,) = run_server(LISTEN + "time.sleep(60)", "sys.exit(3)")
        self.assertEqual(problem, "wstest ended badly, status 3: no output")

    def test_a_server_that_does_not_start_ends_the_run(self):
        with self.assertRaises(SystemExit) as caught:
            run_server("import sys; sys.exit('no such flag')")
        self.assertIn("no such flag", caught.exception.code)


def run_client(client, server=LISTEN + "time.sleep(60)"):
    """Runs two scripts in the places of the client and of `wstest`, which is the server then."""
    with tempfile.TemporaryDirectory() as directory:
        fake = os.path.join(directory, "wstest")
        with open(fake, "w") as file:
            file.write("#!%s\nimport json, sys\n" % sys.executable)
            file.write("spec = json.load(open(sys.argv[sys.argv.index('--spec') + 1]))\n")
            file.write("assert 'serverConnectionDropTimeout' not in spec['options']\n")
            file.write("sys.argv[1:] = spec['url'][5:].split(':')\n%s\n" % server)
        os.chmod(fake, 0o755)
        spec = {"servers": [{}], "options": {"serverConnectionDropTimeout": 5, "openHandshakeTimeout": 20}}
        command = [sys.executable, "-c", client, "{url}"]
        return suite.run_client(fake, command, spec, os.path.join(directory, "report")).problems


class Clients(unittest.TestCase):
    def test_a_client_that_ends_well_is_no_problem(self):
        self.assertEqual(run_client("import sys; assert sys.argv[1].startswith('ws://127.0.0.1:')"), [])

    def test_a_client_that_ends_badly_is_a_problem(self):
        (problem,) = run_client("import sys; sys.exit('out of luck')")
        self.assertIn("status 1: out of luck", problem)

    def test_a_suite_that_dies_during_the_run_is_a_problem(self):
        (problem,) = run_client("import time; time.sleep(1)", LISTEN + "sys.exit('gone')")
        self.assertEqual(problem, "the server died, status 1: gone")


if __name__ == "__main__":
    unittest.main()
