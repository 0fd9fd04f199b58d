#!/usr/bin/env python3
"""Installs the official Autobahn Testsuite for Python 3 (tested: 3.11, 3.12, 3.13).

usage: install.py [DIRECTORY]        default: .venv beside this file

autobahntestsuite 25.10.1 is Python 2 source and tied to autobahn 0.10.9. pip fetches the pinned
sources (checked by sha256), fissix (lib2to3's successor) and `port/patches.py` convert them, and
`bin/wstest` appears in DIRECTORY. `run` calls `ensure`, which does this only when it is needed.
"""
import ast
import glob
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv

from port import patches

HERE = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(HERE, ".venv")

REQUIREMENTS = """
appdirs==1.4.4
attrs==26.1.0
Automat==25.4.16
cffi==2.1.1
constantly==23.10.4
cryptography==46.0.7
fissix==24.4.24
hyperlink==21.0.0
idna==3.20
Incremental==24.11.0
packaging==26.3
pyasn1==0.6.5
pyasn1_modules==0.4.2
pycparser==3.12
pyOpenSSL==25.3.0
service-identity==24.2.0
setuptools==68.2.2
six==1.17.0
Twisted==24.11.0
typing_extensions==4.16.0
wsaccel==0.6.7
zope.interface==8.7
""".split()
SDISTS = {
    "autobahn==0.10.9": "3fecc1e2a26a0421128ddcfb4e577f0bc669dd65d0e0fdad1c773965cbcef75a",
    "txaio==2.1.0": "b94e3dbc83760b68955160fc61a2c34e2798f7a90c41672560f40dfd2946a864",
    "autobahntestsuite==25.10.1": "b083d6e15330fc16f3e5f0975cce2b15f21bfa0c6db09547316b1852c6dbd6df",
}
BUILD_CONSTRAINTS = "setuptools==68.2.2\nwheel==0.45.1\n"

# the suite's files that a WebSocket test needs; the others are for WAMP
SUITE_FILES = {"__init__.py", "_version.py", "caseset.py", "choosereactor.py", "fuzzing.py", "report.py"}


def ensure(directory=VENV):
    """Installs unless exactly this suite is there; gives the path of `wstest`."""
    stamp, wanted = os.path.join(directory, "stamp"), fingerprint(directory)
    if not os.path.exists(stamp) or read(stamp) != wanted:
        print("autobahn: installing the suite into %s" % os.path.relpath(directory), flush=True)
        install(directory)
        write(stamp, wanted)
    return os.path.join(directory, "bin", "wstest")


def fingerprint(directory):
    """What the installation depends on: pins, port, Python, and the path its scripts name."""
    digest = hashlib.sha256("\n".join([sys.version, os.path.abspath(directory)]).encode())
    for path in [os.path.join(HERE, "install.py"), *sorted(glob.glob(os.path.join(HERE, "port", "*.py")))]:
        digest.update(read(path).encode())
    return digest.hexdigest()


def install(directory):
    shutil.rmtree(directory, ignore_errors=True)
    venv.create(directory, with_pip=True, symlinks=True)
    python = os.path.join(directory, "bin", "python")
    with tempfile.TemporaryDirectory(prefix="autobahn-") as work:
        fetch(python, work)
        site = site_packages(python)
        port_autobahn(os.path.join(work, "autobahn-0.10.9", "autobahn"), site)
        port_txaio(os.path.join(work, "txaio-2.1.0", "txaio"), site)
        port_suite(os.path.join(work, "autobahntestsuite-25.10.1", "autobahntestsuite"), site, python)
    wstest = os.path.join(directory, "bin", "wstest")
    write(wstest, "#!%s\nimport sys\nfrom autobahntestsuite.wstest import run\nsys.exit(run())\n" % python)
    os.chmod(wstest, 0o755)
    run(wstest, "--autobahnversion")


def fetch(python, work):
    """Brings the libraries into the environment and the sources into `work`."""
    env = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_ROOT_USER_ACTION="ignore")
    run(python, "-m", "pip", "install", "--quiet", *REQUIREMENTS, env=env)
    constraints = os.path.join(work, "constraints.txt")
    write(constraints, BUILD_CONSTRAINTS)
    env["PIP_CONSTRAINT"] = constraints
    run(python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "-d", work, *SDISTS, env=env)
    for pin, expected in SDISTS.items():
        unpack(os.path.join(work, pin.replace("==", "-") + ".tar.gz"), expected, work)


def unpack(path, expected, work):
    with open(path, "rb") as file:
        found = hashlib.sha256(file.read()).hexdigest()
    if found != expected:
        raise SystemExit("%s: sha256 %s, expected %s" % (os.path.basename(path), found, expected))
    options = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # Python 3.11.4 and later
    with tarfile.open(path) as archive:
        archive.extractall(work, **options)


def site_packages(python):
    code = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def port_autobahn(source, site):
    for directory in ("asyncio", "wamp/test", "websocket/test"):
        shutil.rmtree(os.path.join(source, directory))
    for path in glob.glob(source + "/**/*.py", recursive=True):
        rewrite(path, patches.patch_autobahn, source)
    shutil.copytree(source, os.path.join(site, "autobahn"))


def port_txaio(source, site):
    for name in ("aio.py", "testutil.py"):
        os.unlink(os.path.join(source, name))
    shutil.copytree(source, os.path.join(site, "txaio"))


def port_suite(source, site, python):
    for path in glob.glob(source + "/*.py"):
        if os.path.basename(path) not in SUITE_FILES:
            os.unlink(path)
    os.unlink(os.path.join(source, "case", "case9_9_1.py"))
    shutil.rmtree(os.path.join(source, "wampcase"))
    write(os.path.join(source, "__init__.py"), "from ._version import __version__\nversion = __version__\n")
    files = glob.glob(source + "/*.py") + glob.glob(source + "/case/*.py")
    for path in files:
        rewrite(path, patches.before_conversion, source)
    fixers = [word for fixer in patches.FIXERS for word in ("-f", fixer)]
    run(python, "-m", "fissix", "-w", "-n", "--no-diffs", *fixers, *files,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for path in files:
        rewrite(path, patches.after_conversion, source)
        ast.parse(read(path), path)
    for name in ("py2compat.py", "wstest.py"):
        shutil.copy(os.path.join(HERE, "port", name), source)
    shutil.copytree(source, os.path.join(site, "autobahntestsuite"))


def rewrite(path, change, root):
    write(path, change(os.path.relpath(path, root), read(path)))


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def run(*command, **options):
    subprocess.run(command, check=True, **options)


if __name__ == "__main__":
    if len(sys.argv) > 2 or sys.argv[1:] in (["-h"], ["--help"]):
        raise SystemExit(__doc__)
    ensure(*map(os.path.abspath, sys.argv[1:]))
