"""PyKMIP's own integration suite (37 tests, in its source package) at every protocol version that PyKMIP speaks.

A test may fail only where `expectations.toml` lists it, with the reason; a listed test that passes is an error, so that
the list can only shrink.
"""

import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import tomllib

import common

PACKAGE = "pykmip==0.11.0"
VERSIONS = ["1.0", "1.1", "1.2", "1.3", "1.4", "2.0"]
HERE = pathlib.Path(__file__).resolve().parent
SECONDS = 300


def suite(cache):
    """The folder of the suite, fetched from PyPI once: an installed PyKMIP comes without its tests."""
    unpacked = cache / "pykmip-0.11.0"
    if not unpacked.exists():
        pip = [sys.executable, "-m", "pip", "-q", "download", "--no-deps", "--no-binary", ":all:", "-d", str(cache), PACKAGE]
        subprocess.run(pip, check=True)
        with tarfile.open(cache / "pykmip-0.11.0.tar.gz") as archive:
            archive.extractall(cache, filter="data")
    return unpacked / "kmip" / "tests" / "integration"


def run(server, tests, version, home):
    """Runs the suite at one version. Returns {test: (outcome, last line of its failure)}."""
    settings = home / ".pykmip"
    settings.mkdir(exist_ok=True)
    (settings / "pykmip.conf").write_text(
        f"[client]\nhost={server.host}\nport={server.port}\nkeyfile={server.key()}\ncertfile={server.certificate()}\n"
        f"ca_certs={server.ca}\ncert_reqs=CERT_REQUIRED\nssl_version=PROTOCOL_SSLv23\n"
        "do_handshake_on_connect=True\nsuppress_ragged_eofs=True\n"
    )
    results = home / f"results-{version}"
    # The source package comes first: the tests belong to the package `kmip`, and an installed one hides them.
    path = os.pathsep.join([str(tests.parents[2]), str(HERE)])
    environment = dict(os.environ, HOME=str(home), KMIP_VERSION=version, KMIP_RESULTS=str(results), PYTHONPATH=path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "pykmip_version", "-p", "no:cacheprovider", "--rootdir", "."]
    command += ["-m", "not ignore", "--config", "client", "-W", "ignore", "."]
    with open(home / f"pytest-{version}.log", "w", encoding="utf-8") as log:
        subprocess.run(command, cwd=tests, env=environment, stdout=log, stderr=subprocess.STDOUT, timeout=SECONDS)
    outcomes = {}
    if results.exists():
        for line in results.read_text(encoding="utf-8").splitlines():
            outcome, test, words = line.split("\t", 2)
            if outcomes.get(test, ("passed",))[0] != "failed":
                outcomes[test] = (outcome, words)
    return outcomes


def judge(version, outcomes, expected):
    """Prints what was not expected and the totals. True if everything was."""
    unexpected = 0
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for test, (outcome, words) in sorted(outcomes.items()):
        name = test.split("services/")[-1]
        counts[outcome] += 1
        if outcome == "failed" and name not in expected:
            unexpected += 1
            print(f"FAIL pykmip-suite {version} {name}: {words}")
        elif outcome == "passed" and name in expected:
            unexpected += 1
            print(f"FAIL pykmip-suite {version} {name}: passes, but expectations.toml lists it; take it out")
    known = {test.split("services/")[-1] for test in outcomes}
    for name in sorted(set(expected) - known):
        unexpected += 1
        print(f"FAIL pykmip-suite {version} {name}: listed in expectations.toml and not in the suite")
    if not outcomes:
        unexpected += 1
        print(f"FAIL pykmip-suite {version}: no test ran")
    allowed = sum(1 for test in outcomes if test.split("services/")[-1] in expected)
    print(
        f"pykmip-suite {version}: {counts['passed']} passed, {counts['failed']} failed "
        f"(of these {allowed} expected), {counts['skipped']} skipped"
    )
    return unexpected == 0


def main():
    parser = common.arguments(__doc__)
    parser.add_argument("--versions", default=",".join(VERSIONS), help="comma-separated (default: %(default)s)")
    parser.add_argument("--cache", default=None, help="folder that keeps the downloaded suite")
    parser.add_argument("--logs", default=None, help="folder for pytest's own output")
    parsed = parser.parse_args()
    server = common.target(parsed)
    cache = pathlib.Path(parsed.cache or os.environ.get("CLAVIGER_CLIENTS_CACHE") or tempfile.mkdtemp()).resolve()
    cache.mkdir(parents=True, exist_ok=True)
    tests = suite(cache)
    expectations = tomllib.loads((HERE / "expectations.toml").read_text(encoding="utf-8")).get("pykmip-suite", {})
    good = True
    with tempfile.TemporaryDirectory() as temporary:
        home = pathlib.Path(parsed.logs or temporary).resolve()
        home.mkdir(parents=True, exist_ok=True)
        for version in parsed.versions.split(","):
            (home / f"results-{version}").unlink(missing_ok=True)
            outcomes = run(server, tests, version, home)
            good &= judge(version, outcomes, expectations.get(version, {}))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
