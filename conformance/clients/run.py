#!/usr/bin/env python3
"""Real KMIP clients against a server: makes a virtual environment with the pinned packages, then runs every client.

    run.py --address HOST:PORT --dir FOLDER [--only NAME,…] [--environment FOLDER]

FOLDER holds ca.pem, client.pem, client-key.pem, other-client.pem and other-client-key.pem, as `claviger demo` leaves
them. Needs Python 3.11 with `venv`, and PyPI the first time.
"""

import argparse
import hashlib
import os
import pathlib
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
# The suite first: it counts what it locates, so nobody else's keys may be there yet.
RUNNERS = {
    "suite": "pykmip_suite.py",
    "lines": "pykmip_lines.py",
    "tenants": "two_tenants.py",
    "mongocrypt": "mongocrypt.py",
    "openstack": "openstack.py",
}
# Those with an environment of their own, passed over with a word where it cannot be had: the file that has its packages.
APART = {"openstack": "requirements-openstack.txt"}


def environment(folder, requirements="requirements.txt"):
    """The Python of a virtual environment that has exactly these packages; made anew when their file changes."""
    wanted = hashlib.sha256((HERE / requirements).read_bytes()).hexdigest()
    mark = folder / "requirements.sha256"
    python = folder / "bin" / "python"
    if not mark.exists() or mark.read_text() != wanted:
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", str(HERE / requirements)], check=True)
        mark.write_text(wanted)
    return str(python)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", required=True, metavar="HOST:PORT")
    parser.add_argument("--dir", required=True, metavar="FOLDER")
    parser.add_argument("--only", default=",".join(RUNNERS), help="comma-separated (default: %(default)s)")
    default = os.environ.get("CLAVIGER_CLIENTS_VENV") or HERE.parents[1] / "target" / "clients-venv"
    parser.add_argument("--environment", default=default, help="default: %(default)s")
    parsed = parser.parse_args()
    folder = pathlib.Path(parsed.environment).resolve()
    pythons = {"requirements.txt": environment(folder)}
    variables = dict(os.environ, CLAVIGER_CLIENTS_CACHE=str(folder / "suites"))
    failed = []
    for name in parsed.only.split(","):
        requirements = APART.get(name, "requirements.txt")
        if requirements not in pythons:
            try:
                pythons[requirements] = environment(folder.with_name(f"{folder.name}-{name}"), requirements)
            except (subprocess.CalledProcessError, OSError) as error:
                print(f"{name}: SKIPPED, its packages cannot be installed here: {error}")
                continue
        command = [pythons[requirements], "-W", "ignore", str(HERE / RUNNERS[name]), "--address", parsed.address, "--dir", parsed.dir]
        if subprocess.run(command, env=variables).returncode != 0:
            failed.append(name)
    print(f"clients: {'all as expected' if not failed else 'NOT as expected: ' + ', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
