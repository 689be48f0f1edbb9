//! Examining a token: trial after trial, each bounded, in workers that serve nobody else.

use std::sync::Arc;

use super::client::Client;
use crate::custody::error::CustodyError;
use crate::custody::probe::{Capabilities, Feature, Finding, TokenIdentity};
use crate::custody::record::Fields;
use crate::custody::slab::Locked;
use crate::custody::worker::protocol::{KEK_FRAME, Kind, Role, Trial};

/// Trials without an answer, after which no more are made: each costs a deadline.
const MOST_SILENCES: u32 = 3;

/// Somebody who examines, in one role.
struct Examiner<'a> {
    usage: &'a Client,
    role: Role,
    pin: &'a Arc<Locked>,
    /// A worker that answered so far. The next trial after a silence has a new one.
    client: Option<Client>,
    silences: u32,
}

impl Examiner<'_> {
    /// What the worker answers; `None` for none.
    async fn ask(&mut self, trial: Trial, feature: u8, wanted: u16) -> Result<Option<Locked>, CustodyError> {
        let client = match self.client.take() {
            Some(client) => client,
            None => self.usage.for_examination(self.role, Arc::clone(self.pin)),
        };
        let answer = client
            .ask(Kind::Examine, KEK_FRAME, &|frame| {
                frame.trial(trial)?;
                frame.raw(&[feature])?;
                frame.raw(&wanted.to_be_bytes())
            })
            .await;
        match answer {
            Ok(answer) => {
                self.client = Some(client);
                Ok(Some(answer))
            }
            Err(CustodyError::Credential) => Err(CustodyError::Credential),
            Err(_) => {
                self.silences += 1;
                Ok(None)
            }
        }
    }

    /// Tries a feature, and notes what was found of it, and with it of others.
    async fn note(&mut self, capabilities: &mut Capabilities, feature: Feature) -> Result<(), CustodyError> {
        if self.silences >= MOST_SILENCES {
            return Ok(());
        }
        let Some(answer) = self.ask(Trial::Feature, feature.number(), 0).await? else {
            capabilities.note(feature, Finding::Silent);
            return Ok(());
        };
        let mut fields = Fields(answer.expose());
        while fields.end().is_err() {
            let feature = Feature::from_number(fields.byte()?)?;
            capabilities.note(feature, Finding::decode(fields.array()?)?);
        }
        Ok(())
    }

    async fn find(&mut self, trial: Trial) -> Result<Finding, CustodyError> {
        if self.silences >= MOST_SILENCES {
            return Ok(Finding::Untried);
        }
        match self.ask(trial, 0, 0).await? {
            None => Ok(Finding::Silent),
            Some(answer) => {
                let bytes = answer.expose().first_chunk().ok_or(CustodyError::Record)?;
                Finding::decode(*bytes)
            }
        }
    }
}

/// Examines the token with the key-usage login and, if it is given, that of key management. Tells the role that was at work last, whose
/// login it is that was refused if one was.
pub(super) async fn examine(
    usage: &Client,
    management: Option<&Arc<Locked>>,
) -> (Result<Capabilities, CustodyError>, Role) {
    let mut role = Role::Examination;
    let outcome = try_everything(usage, management, &mut role).await;
    (outcome, role)
}

async fn try_everything(
    usage: &Client,
    management: Option<&Arc<Locked>>,
    role: &mut Role,
) -> Result<Capabilities, CustodyError> {
    let pin = usage.settled_pin().await?;
    let examiner = |role, pin| Examiner {
        usage,
        role,
        pin,
        client: None,
        silences: 0,
    };
    let mut user = examiner(Role::Examination, &pin);
    let identity = user
        .ask(Trial::Identity, 0, 0)
        .await?
        .ok_or(CustodyError::Unavailable)?;
    let mut fields = Fields(identity.expose());
    let mut capabilities = Capabilities::of(TokenIdentity::read(&mut fields)?);
    if !capabilities.token.pin.allows_login() {
        return Ok(capabilities);
    }
    if let Some(answer) = user.ask(Trial::Sessions, 0, usage.sessions()).await? {
        capabilities.sessions = answer
            .expose()
            .first_chunk()
            .map_or(0, |count| u16::from_be_bytes(*count));
    }
    for feature in Feature::all().filter(|feature| !feature.has_steps()) {
        if capabilities.finding(feature) == Finding::Untried {
            user.note(&mut capabilities, feature).await?;
        }
    }
    if let Some(pin) = management {
        let mut manager = examiner(Role::Management, pin);
        *role = Role::Management;
        let made = manager.find(Trial::Make).await?;
        if made == Finding::Works {
            capabilities.note(Feature::UsageDestroys, user.find(Trial::Destroy).await?);
            // What the other login has destroyed is made anew, so that destroying it is tried too.
            manager.find(Trial::Make).await?;
            capabilities.note(Feature::ManagementManages, manager.find(Trial::Destroy).await?);
        } else {
            capabilities.note(Feature::ManagementManages, made);
        }
    } else if capabilities.works(Feature::UsageCreates) {
        let made = user.find(Trial::Make).await?;
        let found = match made {
            Finding::Works => user.find(Trial::Destroy).await?,
            other => other,
        };
        capabilities.note(Feature::UsageDestroys, found);
    }
    Ok(capabilities)
}
