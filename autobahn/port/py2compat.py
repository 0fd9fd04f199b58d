"""Python 2 byte strings at the edge. `install.py` copies this file into the installed suite.

The suite's `str` literals were bytes. Under Python 3 they are text whose code points are those
bytes (latin-1); the functions here turn them into bytes where they meet the protocol.
"""
import binascii as _binascii
import os as _os

from autobahn.websocket.utf8validator import Utf8Validator as _Utf8Validator


def tobytes(value):
    return value.encode("latin-1") if isinstance(value, str) else bytes(value)


def norm(value):
    """Makes what was expected comparable with what was received."""
    if isinstance(value, (list, tuple)):
        return [norm(item) for item in value]
    return tobytes(value) if isinstance(value, (str, bytes, bytearray)) else value


def b2a_hex(data):
    return _binascii.b2a_hex(tobytes(data)).decode("ascii")


hexlify = b2a_hex


def text(value):
    """A description that was UTF-8 in the Python 2 source."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def resource_filename(package, name):
    """Stands in for the function of `pkg_resources`, which setuptools no longer ships."""
    return _os.path.join(_os.path.dirname(_os.path.abspath(__file__)), name)


def jsonable(value):
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("latin-1")
    raise TypeError(repr(value))


class Utf8Validator:
    def __init__(self):
        self.validator = _Utf8Validator()

    def reset(self):
        self.validator.reset()

    def validate(self, data):
        return self.validator.validate(tobytes(data))
