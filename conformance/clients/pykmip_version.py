"""A pytest plugin: PyKMIP's integration suite at the protocol version that KMIP_VERSION names (`1.2`).

The version is an argument of PyKMIP's client that its suite does not give. With KMIP_RESULTS, the outcome of each test
is written to that file, a line each.
"""

import functools
import os

import pytest
from kmip.core.enums import KMIPVersion
from kmip.services.kmip_client import KMIPProxy

VERSION = KMIPVersion[f"KMIP_{os.environ['KMIP_VERSION'].replace('.', '_')}"]
ORIGINAL = KMIPProxy.__init__


@functools.wraps(ORIGINAL)
def at_version(self, *arguments, **named):
    if named.get("kmip_version") is None:
        named["kmip_version"] = VERSION
    ORIGINAL(self, *arguments, **named)


KMIPProxy.__init__ = at_version


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report):
    """One line for each test: a test passes when its call passes and neither setup nor teardown fails."""
    path = os.environ.get("KMIP_RESULTS")
    if path is None:
        return
    if report.failed or report.when == "call":
        outcome = "passed" if report.passed else "skipped" if report.skipped else "failed"
        words = " ".join(str(report.longrepr or "").strip().splitlines()[-1:])
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{outcome}\t{report.nodeid}\t{words}\n")
