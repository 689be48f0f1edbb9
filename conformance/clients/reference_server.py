"""PyKMIP's own server on loopback, with certificates made on the spot: shows that the runners themselves work.

    reference_server.py --dir FOLDER [--port PORT]

leaves ca.pem, client.pem, client-key.pem, other-client.pem, other-client-key.pem in FOLDER, as `claviger demo` does,
prints `ready on ADDRESS`, and serves until it is stopped.
"""

import argparse
import pathlib
import socket
import subprocess
import sys
import threading
import time

SUITES = "\n\t".join(
    ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_256_GCM_SHA384"]
)


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def certificates(folder):
    """A CA, a server certificate for localhost and two client certificates; EC keys, which every TLS client takes."""
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    ca, ca_key = str(folder / "ca.pem"), str(folder / "ca-key.pem")
    authority = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    openssl("req", "-x509", *curve, "-days", "2", "-subj", "/CN=reference CA", *authority, "-keyout", ca_key, "-out", ca)
    for name, purpose, alternative in [
        ("server", "serverAuth", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        ("client", "clientAuth", "subjectAltName=DNS:client"),
        ("other-client", "clientAuth", "subjectAltName=DNS:other"),
    ]:
        key, certificate, request = (str(folder / f"{name}{end}") for end in ("-key.pem", ".pem", ".csr"))
        openssl("req", "-new", *curve, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        extensions = folder / f"{name}.ext"
        extensions.write_text(
            f"basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage={purpose}\n{alternative}\n"
        )
        issue = ["-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "2", "-extfile", str(extensions)]
        openssl("x509", "-req", "-in", request, *issue, "-out", certificate)


def announce(port):
    """Says `ready on` once the port answers."""
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                print(f"ready on 127.0.0.1:{port}", flush=True)
                return
        time.sleep(0.1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", required=True)
    parser.add_argument("--port", type=int, default=15696)
    parsed = parser.parse_args()
    folder = pathlib.Path(parsed.dir).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "ca.pem").exists():
        certificates(folder)
    settings = folder / "server.conf"
    settings.write_text(
        f"[server]\nhostname=127.0.0.1\nport={parsed.port}\ncertificate_path={folder / 'server.pem'}\n"
        f"key_path={folder / 'server-key.pem'}\nca_path={folder / 'ca.pem'}\nauth_suite=TLS1.2\n"
        f"enable_tls_client_auth=True\ntls_cipher_suites=\n\t{SUITES}\nlogging_level=WARNING\n"
        f"database_path={folder / 'pykmip.db'}\n"
    )
    from kmip.services.server.server import KmipServer

    threading.Thread(target=announce, args=(parsed.port,), daemon=True).start()
    with KmipServer(config_path=str(settings), log_path=str(folder / "server.log"), policy_path=None) as server:
        server.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
