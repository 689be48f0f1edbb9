"""MongoDB's client-side encryption against a KMIP server, without a database: libmongocrypt, as pymongo drives it.

libmongocrypt speaks 1.0 (Register, Activate, Get) and, in delegated mode, 1.2 (Create, Encrypt, Decrypt), one TLS
connection for each request. The key vault is a list in memory, so that no mongod is needed.
"""

import pathlib
import sys
import tempfile
import uuid

import bson
import common
from bson.binary import STANDARD, UUID_SUBTYPE, Binary
from bson.codec_options import CodecOptions
from pymongo.encryption_options import AutoEncryptionOpts
from pymongo.synchronous.encryption import _EncryptionIO
from pymongocrypt.mongocrypt import MongoCryptOptions
from pymongocrypt.synchronous.explicit_encrypter import ExplicitEncrypter

ALGORITHM = "AEAD_AES_256_CBC_HMAC_SHA_512-Random"
CODEC = CodecOptions(document_class=dict, uuid_representation=STANDARD)
VALUE = bson.encode({"v": "a field that the database must not see"})


class Vault(_EncryptionIO):
    """pymongo's own sockets to the key-management server, with a key vault in memory in place of a database."""

    def __init__(self, options):
        super().__init__(client=None, key_vault_coll=_NoCollection(), mongocryptd_client=None, opts=options)
        self.keys = []

    def fetch_keys(self, filter):
        """Every data key: libmongocrypt picks those that it asked for."""
        wanted = bson.decode(filter, CODEC)
        for key in self.keys:
            if _matches(key, wanted):
                yield bson.encode(key, codec_options=CODEC)

    def insert_data_key(self, data_key):
        document = bson.decode(data_key, CODEC)
        self.keys.append(document)
        identifier = document["_id"]
        return Binary(identifier.bytes if isinstance(identifier, uuid.UUID) else bytes(identifier), UUID_SUBTYPE)

    def close(self):
        pass


class _NoCollection:
    """What pymongo asks of a collection at construction: options to copy."""

    def with_options(self, **_):
        return self


def _matches(key, wanted):
    """The two filters that libmongocrypt sends: everything, or `_id` in a list (or alternate names, unused here)."""
    if not wanted:
        return True
    clauses = wanted.get("$or", [wanted])
    return any(key["_id"] in clause["_id"]["$in"] for clause in clauses if "_id" in clause)


class Client:
    """One key vault with one set of KMIP credentials."""

    def __init__(self, server, folder):
        combined = pathlib.Path(folder) / "client-and-key.pem"
        combined.write_text(pathlib.Path(server.certificate()).read_text() + pathlib.Path(server.key()).read_text())
        providers = {"kmip": {"endpoint": server.address}}
        options = AutoEncryptionOpts(
            providers,
            "vault.keys",
            kms_tls_options={"kmip": {"tlsCAFile": server.ca, "tlsCertificateKeyFile": str(combined)}},
        )
        self.vault = Vault(options)
        self.encrypter = ExplicitEncrypter(self.vault, MongoCryptOptions(providers))

    def new_key(self, **master_key):
        return self.encrypter.create_data_key("kmip", master_key=master_key)

    def round_trip(self, key):
        cipher = self.encrypter.encrypt(VALUE, ALGORITHM, key_id=key)
        assert VALUE not in cipher
        assert self.encrypter.decrypt(cipher) == VALUE, "decrypted to something else"
        return cipher

    def master(self, index=-1):
        return self.vault.keys[index]["masterKey"]


def fresh(server, client):
    """A client with the same vault and an empty cache of data keys, so that the server is asked again."""
    with tempfile.TemporaryDirectory() as folder:
        other = Client(server, folder)
    other.vault.keys = client.vault.keys
    return other


def main():
    parsed = common.arguments(__doc__).parse_args()
    server = common.target(parsed)
    report = common.Report("libmongocrypt")
    with tempfile.TemporaryDirectory() as folder:
        client = Client(server, folder)

        def register():
            key = client.new_key()
            cipher = client.round_trip(key)
            assert fresh(server, client).encrypter.decrypt(cipher) == VALUE
            assert "keyId" in client.master()

        report.check("register (Register, Activate, Get)", register)

        def delegated():
            key = client.new_key(delegated=True)
            cipher = client.round_trip(key)
            assert client.master().get("delegated") is True
            assert fresh(server, client).encrypter.decrypt(cipher) == VALUE

        report.check("delegated (Create, Activate, Encrypt, Decrypt)", delegated)

        def key_id():
            existing = client.vault.keys[0]["masterKey"]["keyId"]
            key = client.new_key(keyId=existing)
            client.round_trip(key)
            assert client.master()["keyId"] == existing

        report.check("keyid (Get of a registered key)", key_id)

        def delegated_key_id():
            existing = client.vault.keys[1]["masterKey"]["keyId"]
            key = client.new_key(keyId=existing, delegated=True)
            cipher = client.round_trip(key)
            assert client.master()["keyId"] == existing
            assert fresh(server, client).encrypter.decrypt(cipher) == VALUE

        report.check("delegated with keyid", delegated_key_id)

        def rewrap():
            result = client.encrypter.rewrap_many_data_key(
                {}, provider="kmip", master_key={"delegated": True}
            )
            documents = bson.decode(result, CODEC)["v"]
            assert len(documents) == len(client.vault.keys)
            before = {bytes(key["keyMaterial"]) for key in client.vault.keys}
            for document in documents:
                assert bytes(document["keyMaterial"]) not in before
            changed = {document["_id"]: document for document in documents}
            client.vault.keys = [key | changed[key["_id"]] for key in client.vault.keys]
            again = fresh(server, client)
            for key in client.vault.keys:
                again.round_trip(Binary(key["_id"].bytes, UUID_SUBTYPE))

        report.check("rewrap (all keys under a new delegated key)", rewrap)

        def wrong_key():
            # The text is shown to the user of the database: it has to say what is wrong.
            common.expect_failure(
                lambda: client.new_key(keyId="no-such-key"), "not found", "ItemNotFound", "Item Not Found", "locate"
            )

        report.check("wrong key: fails with a reason", wrong_key)

        def wrong_delegated_key():
            common.expect_failure(
                lambda: client.new_key(keyId="no-such-key", delegated=True),
                "not found",
                "ItemNotFound",
                "Item Not Found",
                "locate",
            )

        report.check("wrong delegated key: fails with a reason", wrong_delegated_key)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
