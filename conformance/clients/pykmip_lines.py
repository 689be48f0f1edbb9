"""The README's three lines, and a little more: PyKMIP creates, fetches, encrypts with, revokes and destroys a key.

Run at every protocol version that PyKMIP speaks; Encrypt and Decrypt exist from 1.2 on.
"""

import sys

import common
from kmip.core import enums
from kmip.core.enums import KMIPVersion

CIPHER = {
    "cryptographic_algorithm": enums.CryptographicAlgorithm.AES,
    "block_cipher_mode": enums.BlockCipherMode.CBC,
    "padding_method": enums.PaddingMethod.PKCS5,
}
PLAIN = b"a message of thirty-three bytes.."


def life_of_a_key(server, version, encrypts):
    with server.pykmip(version) as client:
        uid = client.create(
            enums.CryptographicAlgorithm.AES,
            256,
            cryptographic_usage_mask=[enums.CryptographicUsageMask.ENCRYPT, enums.CryptographicUsageMask.DECRYPT],
        )
        key = client.get(uid)
        assert len(key.value) == 32, f"a 256-bit key of {len(key.value)} bytes"
        assert key.value != bytes(32), "a key of zeros"
        client.activate(uid)
        if encrypts:
            cipher_text, iv = client.encrypt(
                PLAIN, uid=uid, cryptographic_parameters=CIPHER, iv_counter_nonce=bytes(range(16))
            )
            assert cipher_text != PLAIN and len(cipher_text) == 48
            back = client.decrypt(
                cipher_text, uid=uid, cryptographic_parameters=CIPHER, iv_counter_nonce=iv or bytes(range(16))
            )
            assert back == PLAIN, "decrypted to something else"
        client.revoke(enums.RevocationReasonCode.CESSATION_OF_OPERATION, uid)
        client.destroy(uid)
        common.expect_failure(lambda: client.get(uid), "ITEM_NOT_FOUND", "OBJECT_DESTROYED", "not found", "could not locate")


def main():
    parsed = common.arguments(__doc__).parse_args()
    server = common.target(parsed)
    report = common.Report("pykmip-lines")
    for version, encrypts in [
        (KMIPVersion.KMIP_1_0, False),
        (KMIPVersion.KMIP_1_1, False),
        (KMIPVersion.KMIP_1_2, True),
        (KMIPVersion.KMIP_1_3, True),
        (KMIPVersion.KMIP_1_4, True),
        (KMIPVersion.KMIP_2_0, True),
    ]:
        name = version.name.removeprefix("KMIP_").replace("_", ".")
        report.check(name, lambda v=version, e=encrypts: life_of_a_key(server, v, e))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
