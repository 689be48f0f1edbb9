"""What the runners share: where the server and the certificates are, and how a result is told."""

import argparse
import pathlib
import sys
import traceback


class Target:
    """A server under test: its address, and the folder that `claviger demo` leaves (ca.pem, client.pem …)."""

    def __init__(self, address, folder):
        self.host, _, port = address.rpartition(":")
        self.port = int(port)
        self.folder = pathlib.Path(folder).resolve()
        self.ca = str(self.folder / "ca.pem")

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def certificate(self, client="client"):
        return str(self.folder / f"{client}.pem")

    def key(self, client="client"):
        return str(self.folder / f"{client}-key.pem")

    def pykmip(self, version=None, client="client"):
        """A PyKMIP client of this server, not yet open; `version` is a KMIPVersion or None for PyKMIP's default."""
        from kmip.pie.client import ProxyKmipClient

        return ProxyKmipClient(
            hostname=self.host,
            port=self.port,
            cert=self.certificate(client),
            key=self.key(client),
            ca=self.ca,
            # Any non-empty section name works: every setting that matters is given here.
            config="client",
            kmip_version=version,
        )


class Report:
    """Counts checks and prints one line for each."""

    def __init__(self, title):
        self.title = title
        self.passed = 0
        self.failed = 0

    def check(self, name, action):
        """Runs `action`; an exception is a failure with its reason. Returns what `action` returned."""
        try:
            value = action()
        except Exception as error:  # a client may raise anything: whatever it is, it is this check's failure
            self.failed += 1
            print(f"FAIL {self.title} {name}: {type(error).__name__}: {error}")
            traceback.print_exc(limit=-2, file=sys.stderr)
            return None
        self.passed += 1
        print(f"ok   {self.title} {name}")
        return value

    def finish(self):
        """Prints the totals and gives the exit code."""
        print(f"{self.title}: {self.passed} passed, {self.failed} failed")
        return 0 if self.failed == 0 and self.passed > 0 else 1


def expect_failure(action, *fragments):
    """Runs `action`, which must fail with an error that names one of `fragments`. Returns the error's text."""
    try:
        action()
    except Exception as error:
        text = str(error)
        if fragments and not any(fragment.lower() in text.lower() for fragment in fragments):
            raise AssertionError(f"failed without a usable reason: {text!r}") from error
        return text
    raise AssertionError("succeeded, and had to fail")


def arguments(description):
    """The arguments that every runner takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--address", required=True, metavar="HOST:PORT")
    parser.add_argument("--dir", required=True, metavar="FOLDER", help="holds ca.pem, client.pem, client-key.pem, other-…")
    return parser


def target(parsed):
    return Target(parsed.address, parsed.dir)
