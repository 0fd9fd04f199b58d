"""The `wstest` command. `install.py` copies this file into the installed suite.

It replaces the original's, which also offers WAMP modes that need more packages.
"""
import argparse
import json

from autobahntestsuite import choosereactor  # noqa: F401  must be the first of the suite
from autobahntestsuite import fuzzing
from twisted.internet import reactor
import autobahn
import autobahntestsuite


def arguments():
    parser = argparse.ArgumentParser(prog="wstest")
    parser.add_argument("-m", "--mode", choices=["fuzzingclient", "fuzzingserver"])
    parser.add_argument("-s", "--spec", help="a JSON file, see the suite's documentation")
    parser.add_argument("-u", "--webport", type=int, default=0)
    parser.add_argument("-k", "--key")
    parser.add_argument("-c", "--cert")
    parser.add_argument("-d", "--debug", action="store_true")
    parser.add_argument("-a", "--autobahnversion", action="store_true")
    args = parser.parse_args()
    if not args.autobahnversion and not (args.mode and args.spec):
        parser.error("--mode and --spec are needed")
    return args


def run():
    args = arguments()
    if args.autobahnversion:
        print("Autobahn %s" % autobahn.version)
        print("AutobahnTestSuite %s" % autobahntestsuite.version)
        return 0
    with open(args.spec) as file:
        spec = json.load(file)
    if args.mode == "fuzzingclient":
        fuzzing.startClient(spec, debug=args.debug)
    else:
        fuzzing.startServer(spec, args.webport, sslKey=args.key, sslCert=args.cert, debug=args.debug)
    reactor.run()
    return 0
