"""Starts the server under test, then `wstest` against it. `run` calls this.

`wstest` exits with 0 whatever happens, so its exit status is only one of the things to look at:
the server must still live at the end, and `score.py` counts the verdicts.
"""
import json
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass

HOST = "127.0.0.1"
START_LIMIT = 20  # seconds until the server has to accept connections
SUITE_LIMIT = 900  # seconds; the cases take about 15
STOP_LIMIT = 5  # seconds between SIGTERM and SIGKILL


@dataclass
class Run:
    seconds: float
    problems: list


def run_server(wstest, command, spec, directory):
    """Tests one server and leaves `wstest`'s report and both logs in `directory`."""
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    port = free_port()
    server_log = os.path.join(directory, "server.log")
    with open(server_log, "w") as log:
        server = start([word.replace("{host}", HOST).replace("{port}", str(port)) for word in command], log)
    try:
        wait_until_open(server, port, server_log)
        path = write_spec(spec, port, directory)
        run = run_suite([wstest, "--mode", "fuzzingclient", "--spec", path], directory)
        if server.poll() is not None:
            run.problems.insert(0, "the server died, %s: %s" % (ended(server), last_line(server_log)))
        return run
    finally:
        stop(server)


def free_port():
    """A port that nobody holds: a fixed one might belong to another server, which would be tested."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def start(command, log):
    try:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    except OSError as error:
        raise SystemExit("autobahn: cannot start the server: %s" % error)


def wait_until_open(server, port, log):
    end = time.monotonic() + START_LIMIT
    while time.monotonic() < end:
        if server.poll() is not None:
            raise SystemExit("autobahn: the server ended at once, %s: %s" % (ended(server), last_line(log)))
        try:
            socket.create_connection((HOST, port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("autobahn: the server accepts no connection after %d s" % START_LIMIT)


def write_spec(spec, port, directory):
    server = dict(spec["servers"][0], url="ws://%s:%d" % (HOST, port))
    path = os.path.join(directory, "spec.json")
    with open(path, "w") as file:
        json.dump(dict(spec, outdir=directory, servers=[server]), file, indent=1)
    return path


def run_suite(command, directory):
    start = time.monotonic()
    problems = []
    with open(os.path.join(directory, "wstest.log"), "w") as log:
        try:
            status = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, timeout=SUITE_LIMIT).returncode
        except subprocess.TimeoutExpired:
            status = "none after %d s" % SUITE_LIMIT
    if status != 0:
        problems.append("wstest ended badly, status %s: %s" % (status, last_line(log.name)))
    return Run(time.monotonic() - start, problems)


def ended(process):
    code = process.returncode
    return "signal %d" % -code if code < 0 else "status %d" % code


def last_line(path):
    with open(path, errors="replace") as file:
        lines = file.read().strip().splitlines()
    return lines[-1] if lines else "no output"


def stop(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
