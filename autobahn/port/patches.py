"""What changes in the sources of the suite and of autobahn 0.10.9, as text.

`install.py` calls these. Every replacement must match: the sources are pinned by hash, so one
that does not is a mistake here.
"""
import io
import os
import re
import tokenize

FIXERS = [
    "except", "has_key", "import", "print", "raise", "types", "unicode", "xrange", "dict", "long", "ne",
    "numliterals",
]

COERCE = '''

class FuzzingProtocol:
   """
   Common mixin-base class for fuzzing server and client protocols.
   """

   def sendFrame(self, opcode, payload = b"", *args, **kwargs):
      return super().sendFrame(opcode, tobytes(payload), *args, **kwargs)

   def sendMessage(self, payload, *args, **kwargs):
      return super().sendMessage(tobytes(payload), *args, **kwargs)

   def sendMessageFrame(self, payload, *args, **kwargs):
      return super().sendMessageFrame(tobytes(payload), *args, **kwargs)

   def sendMessageFrameData(self, payload, *args, **kwargs):
      return super().sendMessageFrameData(tobytes(payload), *args, **kwargs)

   def sendPing(self, payload = None):
      return super().sendPing(None if payload is None else tobytes(payload))

   def sendPong(self, payload = None):
      return super().sendPong(None if payload is None else tobytes(payload))

   def sendCloseFrame(self, code = None, reasonUtf8 = None, isReply = False):
      return super().sendCloseFrame(code, None if reasonUtf8 is None else tobytes(reasonUtf8), isReply)
'''

FUZZING = [
    (
        "from autobahn.websocket.protocol import WebSocketProtocol\n",
        "from autobahn.websocket.protocol import WebSocketProtocol\n"
        "from autobahntestsuite.py2compat import tobytes, text, b2a_hex, jsonable\n",
    ),
    ("binascii.b2a_hex(", "b2a_hex("),
    ('   ellipses = " ..."\n   try:\n', '   ellipses = " ..."\n   data = tobytes(data)\n   try:\n'),
    ("         dd = data[:maxlen] + ellipses\n", "         dd = data[:maxlen] + tobytes(ellipses)\n"),
    ("p = ''.join(payload)", "p = b''.join(payload)"),
    (
        '\n\nclass FuzzingProtocol:\n   """\n'
        '   Common mixin-base class for fuzzing server and client protocols.\n   """\n',
        COERCE,
    ),
    (', c[1])).encode("utf-8"))', ", c[1])))"),
    (".encode('utf8')", ""),
    ("self.Case.DESCRIPTION,", "text(self.Case.DESCRIPTION),"),
    ("mmask = b2a_hex(t[6])", "mmask = t[6]"),
    ("sort_keys = True, indent = 3,", "sort_keys = True, indent = 3, default = jsonable,"),
    (
        "open(os.path.join(outdir, report_filename), 'w')",
        "open(os.path.join(outdir, report_filename), 'w', encoding = 'utf-8', errors = 'backslashreplace')",
    ),
    ("webdir.putChild('cwd', curdir)", "webdir.putChild(b'cwd', curdir)"),
]


def substitute(source, path, *pairs):
    for old, new in pairs:
        if old not in source:
            raise SystemExit("%s: patch does not match: %r" % (path, old[:70]))
        source = source.replace(old, new)
    return source


def before_conversion(name, source):
    """Prepares one Python 2 file of the suite for the converter."""
    if name == "report.py":  # what follows is the WAMP report, which needs jinja2
        source = substitute(source, name, ("import jinja2\n", ""), ('           "HtmlReport")', "           )"))
        source = source[: source.index("REPORT_DIR_PERMISSIONS")]
    return source if source.isascii() else escape_non_ascii(source)


def escape_non_ascii(source):
    """Spells non-ASCII bytes of a literal as escapes, so that latin-1 gives the same bytes back."""
    lines = source.splitlines(keepends=True)
    for token in reversed(list(tokenize.generate_tokens(io.StringIO(source).readline))):
        text = token.string
        if token.type != tokenize.STRING or text.isascii() or text[0] in "uU":
            continue
        escaped = "".join(c if c.isascii() else "".join("\\x%02x" % b for b in c.encode()) for c in text)
        (first, start), (last, end) = token.start, token.end
        lines[first - 1 : last] = [lines[first - 1][:start] + escaped + lines[last - 1][end:]]
    return "".join(lines)


def after_conversion(name, source):
    """Mends one file of the suite behind the converter; `name` is its path inside the package."""
    base = os.path.basename(name)
    if "pkg_resources" in source:
        source = without_pkg_resources(source)
    if name.startswith("case/"):
        source = mend_case(name, source)
    if base == "case.py":
        source = substitute(
            source, name,
            ("return pickle.dumps(obj1) == pickle.dumps(obj2)", "return norm(obj1) == norm(obj2)"),
            ("import pickle\n", "from autobahntestsuite.py2compat import norm\n"),
        )
    if name == "case/__init__.py":  # 9.9.1 is not among the cases and needs an old zope.interface
        source = substitute(source, name, ("from case9_9_1 import *\n", ""))
    if base == "caseset.py":
        source = substitute(source, name, ("'\\.'", "r'\\.'"))
    if base == "case12_x_x.py":  # AUTOBAHN_MESSAGES=50: a quick run of 12.* and 13.*
        sizes = (
            "MSG_SIZES = [(a, int(os.environ.get('AUTOBAHN_MESSAGES', b)), c, d)"
            " for a, b, c, d in MSG_SIZES]\n\n## test data set\n"
        )
        source = substitute(source, name, ("## test data set\n", sizes))
    if base == "case10_1_1.py":
        source = substitute(source, name, ("len(self.payload) / self.p", "len(self.payload) // self.p"))
    if base == "fuzzing.py":
        source = substitute(source, name, *FUZZING)
    return source


def without_pkg_resources(source):
    def rest(match):
        return match.group(1) + (", " if match.group(2) else "")

    source = re.sub(r"(import [^\n]*?),? *\bpkg_resources\b(, )?", rest, source)
    source = re.sub(r"import ,", "import ", source)
    return "from autobahntestsuite import py2compat as pkg_resources\n" + source


def mend_case(name, source):
    compat = "from autobahntestsuite import py2compat as binascii"
    source = re.sub(r"^import binascii$", compat, source, flags=re.M)
    source = re.sub(r"^(import .*), binascii$", r"\1\n" + compat, source, flags=re.M)
    if "import Utf8Validator" in source:
        validator = "import Utf8Validator"
        source = substitute(
            source, name,
            ("from autobahn.websocket.utf8validator " + validator, "from autobahntestsuite.py2compat " + validator),
        )
    return source.replace("tostring()", "tobytes()").replace("(object, Case, )", "(Case, )")


def patch_autobahn(name, source):
    """Mends one file of autobahn 0.10.9, which is nearly Python 3 already."""
    if name == "websocket/protocol.py":
        source = substitute(
            source, name,
            ("range(payload_len / len(payload))", "range(payload_len // len(payload))"),
            # Python 2's epoll cut a 10 us timeout to 0, Python 3's rounds it up to 1 ms: chopped
            # frames (3.4, 4.1.5, 9.5.*) would reach the peer far more gently than they were meant to
            ("_QUEUED_WRITE_DELAY = 0.00001", "_QUEUED_WRITE_DELAY = 0"),
        )
    if name == "util.py":
        source = substitute(source, name, ("'\\.'", "r'\\.'"))
    if name == "wamp/uri.py":
        source = substitute(source, name, ('"\\."', 'r"\\."'))
    return source
