//! Settings that exclude each other, or belong together.

use super::{HttpsListenerTable, LimitsTable, ProfileName, Settings};

impl Settings {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.custody.root.is_some() && self.custody.root_credential.is_some() {
            return Err("custody.root and custody.root_credential exclude each other".to_owned());
        }
        if self.conformance.interop && self.listener.profile == ProfileName::Bsi {
            return Err("conformance.interop is refused with the TLS profile bsi".to_owned());
        }
        if self
            .admin_listener
            .as_ref()
            .is_some_and(|a| a.certificate.is_some() != a.key.is_some())
        {
            return Err("admin_listener.certificate and admin_listener.key belong together".to_owned());
        }
        if self
            .https_listener
            .as_ref()
            .is_some_and(|h| h.certificate.is_some() != h.key.is_some())
        {
            return Err("https_listener.certificate and https_listener.key belong together".to_owned());
        }
        if self.https_listener.as_ref().is_some_and(HttpsListenerTable::misnames) {
            return Err("https_listener.uri is no https://HOST/PATH".to_owned());
        }
        let anchor = self.audit.anchor.as_ref();
        if anchor.is_some_and(|anchor| anchor.starts_with(&self.data)) {
            return Err("audit.anchor is in the data folder, with which it would be put back".to_owned());
        }
        if self.outbox.certificate.is_some() != self.outbox.key.is_some() {
            return Err("outbox.certificate and outbox.key belong together".to_owned());
        }
        if let Err(why) = self.outbox.allowed() {
            return Err(format!("outbox.allow: {why}"));
        }
        let others = [
            ("admin_listener", self.admin_listener.as_ref().map(|a| &a.limits)),
            ("https_listener", self.https_listener.as_ref().map(|h| &h.limits)),
        ];
        let limits = [("listener", Some(&self.listener.limits))].into_iter().chain(others);
        for (name, limits) in limits {
            if limits.is_some_and(LimitsTable::let_nobody_in) {
                return Err(format!("{name}.limits would let nobody in, or no message"));
            }
        }
        Ok(())
    }
}
