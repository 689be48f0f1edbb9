"""Two tenants: what one client made does not exist for the client of the other tenant, whatever it asks."""

import sys

import common
from kmip.core import enums
from kmip.core.factories.attributes import AttributeFactory

ABSENT = ("ITEM_NOT_FOUND", "OBJECT_NOT_FOUND")
NEVER_ISSUED = "ffffffff-dead-4ead-8ead-ffffffffffff"


def main():
    parsed = common.arguments(__doc__).parse_args()
    server = common.target(parsed)
    report = common.Report("two-tenants")
    name = AttributeFactory().create_attribute(enums.AttributeType.NAME, "two-tenants-key")

    with server.pykmip() as mine, server.pykmip(client="other-client") as other:
        uid = mine.create(enums.CryptographicAlgorithm.AES, 128, name="two-tenants-key")
        try:
            report.check("its own client fetches it", lambda: mine.get(uid))

            def located():
                assert uid in mine.locate(), "its own client does not locate it"
                assert mine.locate(attributes=[name]) == [uid]

            report.check("its own client locates it", located)

            def hidden():
                assert uid not in other.locate(), "the other tenant locates it"
                assert other.locate(attributes=[name]) == [], "the other tenant locates it by name"

            report.check("the other tenant locates nothing", hidden)
            for operation, ask in {
                "Get": lambda target: other.get(target),
                "Get Attributes": lambda target: other.get_attributes(target),
                "Activate": lambda target: other.activate(target),
                "Revoke": lambda target: other.revoke(enums.RevocationReasonCode.KEY_COMPROMISE, target),
                "Destroy": lambda target: other.destroy(target),
            }.items():

                def same(ask=ask):
                    foreign = common.expect_failure(lambda: ask(uid), *ABSENT).replace(uid, "UID")
                    unknown = common.expect_failure(lambda: ask(NEVER_ISSUED), *ABSENT).replace(NEVER_ISSUED, "UID")
                    assert foreign == unknown, f"a foreign key answers {foreign!r}, an unknown one {unknown!r}"

                report.check(f"{operation} by the other tenant: as if it never existed", same)

            def name_is_free():
                twin = other.create(enums.CryptographicAlgorithm.AES, 128, name="two-tenants-key")
                assert twin != uid
                other.destroy(twin)

            report.check("the name is free in the other tenant", name_is_free)
            report.check("nothing happened to it", lambda: mine.get(uid))
        finally:
            mine.destroy(uid)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
