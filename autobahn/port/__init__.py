"""The port of the Autobahn Testsuite from Python 2 to Python 3.

`patches` changes the sources once, when `install.py` runs; `py2compat` and `wstest` are copied
into the installed suite and run there.
"""
