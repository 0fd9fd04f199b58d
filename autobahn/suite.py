"""Starts a server and then the client that is to talk to it: one of the two is `wstest`, the other is under
test. `run` calls this.

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
    path = write_spec(dict(spec, servers=[dict(spec["servers"][0], url=url(port))]), directory)
    suite = [wstest, "--mode", "fuzzingclient", "--spec", path]
    return talk(filled(command, port), suite, port, directory, "wstest.log")


def run_client(wstest, command, spec, directory):
    """Tests one client and leaves `wstest`'s report and both logs in `directory`."""
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    port = free_port()
    # A server waits for no server to close the connection.
    options = {name: value for name, value in spec.get("options", {}).items() if not name.startswith("server")}
    path = write_spec(dict(spec, url=url(port), options=options), directory)
    suite = [wstest, "--mode", "fuzzingserver", "--spec", path, "--webport", "0"]
    return talk(suite, filled(command, port), port, directory, "client.log")


def talk(server_command, client_command, port, directory, client_log):
    """Runs a client against a server to its end."""
    server_log = os.path.join(directory, "server.log")
    with open(server_log, "w") as log:
        server = start(server_command, log)
    try:
        wait_until_open(server, port, server_log)
        run = run_to_end(client_command, os.path.join(directory, client_log))
        if server.poll() is not None:
            run.problems.insert(0, "the server died, %s: %s" % (ended(server), last_line(server_log)))
        return run
    finally:
        stop(server)


def url(port):
    return "ws://%s:%d" % (HOST, port)


def filled(command, port):
    """The command with the words in braces filled in."""
    words = {"{host}": HOST, "{port}": str(port), "{url}": url(port)}
    for word, value in words.items():
        command = [part.replace(word, value) for part in command]
    return command


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


def write_spec(spec, directory):
    path = os.path.join(directory, "spec.json")
    with open(path, "w") as file:
        json.dump(dict(spec, outdir=directory), file, indent=1)
    return path


def run_to_end(command, log_path):
    start = time.monotonic()
    problems = []
    with open(log_path, "w") as log:
        try:
            status = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, timeout=SUITE_LIMIT).returncode
        except subprocess.TimeoutExpired:
            status = "none after %d s" % SUITE_LIMIT
    if status != 0:
        name = os.path.basename(command[0])
        problems.append("%s ended badly, status %s: %s" % (name, status, last_line(log_path)))
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
