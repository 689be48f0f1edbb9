//! The life of objects, requests that wait, and sessions: how each reason of their tables is provoked.

use super::things::{Things, id, nobody, rows};
use kmip_protocol::tag;
use kmip_ttlv::Writer;

fn nothing_pending(w: &mut Writer, _: &Things) {
    w.bytes(tag::ASYNCHRONOUS_CORRELATION_VALUE, &[1; 16]);
}

fn revoked(w: &mut Writer, key: &str, code: u32) {
    id(w, key);
    w.structure(tag::REVOCATION_REASON, |w| {
        w.enumeration(tag::REVOCATION_REASON_CODE, code)
    });
}

fn allocated(w: &mut Writer, key: &str) {
    id(w, key);
    w.long_integer(tag::USAGE_LIMITS_COUNT, 1);
}

rows! {
    Activate {
        ObjectNotFound: nobody;
        WrongKeyLifecycleState: |w, it| id(w, &it.active);
    }
    Archive {
        ObjectArchived: |w, it| id(w, &it.archived);
        ObjectNotFound: nobody;
    }
    Check {
        IncompatibleCryptographicUsageMask: |w, it| {
            id(w, &it.idle);
            w.integer(tag::CRYPTOGRAPHIC_USAGE_MASK, 4);
        };
        ObjectNotFound: nobody;
        UsageLimitExceeded: |w, it| allocated(w, &it.spent);
    }
    Destroy {
        ObjectDestroyed: |w, it| id(w, &it.destroyed);
        ObjectNotFound: nobody;
        WrongKeyLifecycleState: |w, it| id(w, &it.active);
    }
    GetUsageAllocation {
        AttributeNotFound: |w, it| allocated(w, &it.working);
        InvalidObjectType: |w, it| allocated(w, &it.idle);
        ObjectNotFound: |w, _| allocated(w, "nobody");
        UsageLimitExceeded: |w, it| allocated(w, &it.spent);
    }
    ObtainLease {
        ObjectNotFound: nobody;
    }
    Recover {
        ObjectNotFound: nobody;
    }
    Revoke {
        ObjectNotFound: |w, _| revoked(w, "nobody", 1);
        WrongKeyLifecycleState: |w, it| revoked(w, &it.key, 1);
    }
    Validate {
        InvalidObjectType: |w, it| id(w, &it.key);
        ObjectNotFound: nobody;
    }
    Poll {
        InvalidAsynchronousCorrelationValue: nothing_pending;
    }
    Process {
        InvalidAsynchronousCorrelationValue: nothing_pending;
    }
    Logout {
        InvalidTicket: |w, _| w.structure(tag::TICKET, |w| {
            w.enumeration(tag::TICKET_TYPE, 1);
            w.bytes(tag::TICKET_VALUE, &[1; 16]);
        });
    }
    PKCS_11 {
        PKCS_11InvalidFunction: |w, _| w.enumeration(tag::PKCS_11_FUNCTION, 0x7FFF);
        PKCS_11InvalidInterface: |w, _| {
            w.text(tag::PKCS_11_INTERFACE, "none");
            w.enumeration(tag::PKCS_11_FUNCTION, 1);
        };
    }
}
