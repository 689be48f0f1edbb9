"""OpenStack's two users of KMIP: Barbican's secret store stores, makes, gives and deletes secrets; Swift's keymaster fetches its root secret."""

import base64
import logging
import os
import pathlib
import shutil
import sys
import tempfile
import warnings

import common

# Imports of both say what is deprecated in libraries of theirs.
warnings.simplefilter("ignore")

PASSPHRASE = b"correct horse battery staple"


def barbican(server, folder):
    """The plugin as Barbican's configuration makes it. It reads its key only from a file that none but its owner may read."""
    from barbican.plugin import kmip_secret_store as plugin

    key = pathlib.Path(folder) / "barbican-key.pem"
    shutil.copyfile(server.key(), key)
    os.chmod(key, 0o400)
    for name, value in {
        "host": server.host,
        "port": server.port,
        "ca_certs": server.ca,
        "certfile": server.certificate(),
        "keyfile": str(key),
    }.items():
        plugin.CONF.set_override(name, value, group="kmip_plugin")
    return plugin.KMIPSecretStore(plugin.CONF)


def rsa_pair():
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, public


def secrets(report, server, folder):
    """What Barbican does: each type of secret goes in, comes out as it was, and is gone once deleted."""
    from barbican.plugin.interface import secret_store as ss

    store = barbican(server, folder)
    private, public = rsa_pair()
    certificate = pathlib.Path(server.certificate()).read_bytes()
    kinds = {
        "symmetric": (ss.SecretType.SYMMETRIC, bytes(range(32)), ss.KeySpec("aes", 256)),
        "private": (ss.SecretType.PRIVATE, private, ss.KeySpec("rsa", 2048)),
        "public": (ss.SecretType.PUBLIC, public, ss.KeySpec("rsa", 2048)),
        "certificate": (ss.SecretType.CERTIFICATE, certificate, ss.KeySpec()),
        "passphrase": (ss.SecretType.PASSPHRASE, PASSPHRASE, ss.KeySpec()),
        "opaque": (ss.SecretType.OPAQUE, b"\x00\x01\xff opaque", ss.KeySpec()),
    }

    def fetched(kind, metadata):
        return base64.b64decode(store.get_secret(kind, metadata).secret)

    def gone(kind, metadata):
        common.expect_failure(lambda: fetched(kind, metadata), "ITEM_NOT_FOUND")

    for name, (kind, value, spec) in kinds.items():

        def round_trip(kind=kind, value=value, spec=spec):
            given = ss.SecretDTO(kind, base64.b64encode(value), spec, "application/octet-stream")
            metadata = store.store_secret(given)
            try:
                got = fetched(kind, metadata)
                # A text in PEM comes back without its last line's end.
                assert got in (value, value.rstrip(b"\n")), "another value came back"
            finally:
                store.delete_secret(metadata)
            gone(kind, metadata)

        report.check(f"barbican stores, gives and deletes: {name}", round_trip)

    def symmetric():
        metadata = store.generate_symmetric_key(ss.KeySpec("aes", 256))
        assert len(fetched(ss.SecretType.SYMMETRIC, metadata)) == 32
        store.delete_secret(metadata)
        gone(ss.SecretType.SYMMETRIC, metadata)

    def asymmetric():
        made = store.generate_asymmetric_key(ss.KeySpec("rsa", 2048))
        for metadata in (made.private_key_meta, made.public_key_meta):
            store.delete_secret(metadata)

    report.check("barbican has a symmetric key made", symmetric)
    report.check("barbican has a key pair made", asymmetric)


def keymaster(report, server, folder):
    """What Swift does at its start: its root secrets are AES-256 keys of this server, named in a file of its own."""
    from kmip.core import enums
    from swift.common.middleware.crypto import kmip_keymaster

    def started(**identifiers):
        lines = [f"{option} = {identifier}" for option, identifier in identifiers.items()]
        file = pathlib.Path(folder) / "keymaster.conf"
        file.write_text(
            "\n".join(
                [
                    "[kmip_keymaster]",
                    f"host = {server.host}",
                    f"port = {server.port}",
                    f"certfile = {server.certificate()}",
                    f"keyfile = {server.key()}",
                    f"ca_certs = {server.ca}",
                    *lines,
                    "",
                ]
            )
        )
        options = {"keymaster_config_path": str(file), "__name__": "kmip_keymaster"}
        return kmip_keymaster.filter_factory({"__file__": str(file)}, **options)(None)

    with server.pykmip() as client:
        made = [client.create(enums.CryptographicAlgorithm.AES, bits) for bits in (256, 256, 128)]
        first, second, short = made
        try:
            values = {None: client.get(first).value, "new": client.get(second).value}

            def root_secrets():
                master = started(key_id=first, key_id_new=second, active_root_secret_id="new")
                assert master._root_secrets == values, "other root secrets"
                assert master.active_secret_id == "new"
                paths = [master.create_key(f"/a/c/{name}", secret_id) for name in "xy" for secret_id in values]
                assert len(set(paths)) == 4, "keys of paths repeat"

            report.check("swift fetches its root secrets", root_secrets)

            def too_short():
                common.expect_failure(lambda: started(key_id=short), "AES-256")

            def unknown():
                common.expect_failure(lambda: started(key_id="no-such-key"), "ITEM_NOT_FOUND")

            report.check("swift refuses a root secret that is too short", too_short)
            report.check("swift does not start without its root secret", unknown)
        finally:
            for identifier in made:
                client.destroy(identifier)


def main():
    parsed = common.arguments(__doc__).parse_args()
    # Barbican's configuration reads the command line when it is imported.
    sys.argv = sys.argv[:1]
    # It tells each refusal with its traceback, and most of them are wanted here.
    logging.disable(logging.CRITICAL)
    server = common.target(parsed)
    report = common.Report("openstack")
    with tempfile.TemporaryDirectory() as folder:
        secrets(report, server, folder)
        keymaster(report, server, folder)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
