//! Settings of a client: judged when they are set, so that each request can rely on them.

use crate::failure::{Failure, Fault};
use crate::identity::{ClientRecord, MOST_LISTED, Network};
use kmip_protocol::{ClientSettings, DateTime, Operation};

/// The first number of vendor operations, which are people's.
const VENDOR: u32 = 0x8000_0000;

/// Bytes of a Unique Identifier in settings: more than this server gives any.
const LONGEST_IDENTIFIER: usize = 256;

/// Settings as they are kept: the end of a client's time stands in its record.
pub(super) fn judge(settings: &ClientSettings) -> Result<ClientSettings, Failure> {
    let ClientSettings {
        operations,
        object_groups,
        application_namespaces,
        allowed_networks,
        requests_per_second,
        auto_propose: _,
        may_import: _,
        expires: _,
        may_set_defaults: _,
        issuing_certificate,
        admits_users: _,
        renews_certificate: _,
    } = settings;
    let longest = [
        object_groups.len(),
        application_namespaces.len(),
        allowed_networks.len(),
    ];
    if longest.into_iter().any(|length| length > MOST_LISTED) {
        return Err(Fault::LimitExceeded.into());
    }
    let own = |operation: &Operation| operation.0 < VENDOR;
    let operations = operations.iter().flat_map(|list| &list.operations);
    let readable = |text: &String| Network::read(text).is_some();
    let rate = requests_per_second.is_none_or(|rate| rate > 0);
    let named = issuing_certificate
        .as_ref()
        .is_none_or(|name| (1..=LONGEST_IDENTIFIER).contains(&name.len()));
    if !named || !operations.into_iter().all(own) || !allowed_networks.iter().all(readable) || !rate {
        return Err(Fault::InvalidField.into());
    }
    Ok(ClientSettings {
        expires: None,
        ..settings.clone()
    })
}

/// Settings as they are told.
pub(super) fn told_settings(record: &ClientRecord) -> ClientSettings {
    ClientSettings {
        expires: record.expires.map(DateTime),
        ..record.settings.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmip_protocol::Operations;

    #[test]
    fn what_no_request_could_rely_on_is_refused() {
        let good = ClientSettings {
            operations: Some(Operations {
                operations: vec![Operation::Get],
            }),
            allowed_networks: vec!["10.0.0.0/8".into()],
            requests_per_second: Some(5),
            expires: Some(DateTime(9)),
            ..ClientSettings::default()
        };
        assert_eq!(judge(&good).unwrap().expires, None);
        let vendor = Operations {
            operations: vec![Operation::PersonCreate],
        };
        let bad = [
            ClientSettings {
                operations: Some(vendor),
                ..good.clone()
            },
            ClientSettings {
                allowed_networks: vec!["10.0.0.0/40".into()],
                ..good.clone()
            },
            ClientSettings {
                requests_per_second: Some(0),
                ..good.clone()
            },
            ClientSettings {
                object_groups: vec!["g".into(); MOST_LISTED + 1],
                ..good
            },
        ];
        assert!(bad.iter().all(|settings| judge(settings).is_err()));
    }
}
