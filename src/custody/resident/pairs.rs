//! Key pairs in a token: the requests about them to the profile's workers.

use super::{ResidentKeks, address, outage_if_missing};
use crate::custody::error::CustodyError;
use crate::custody::protected::envelope;
use crate::custody::record::MAX_CKA_ID;
use crate::custody::sealer::{PairName, PairProvider, Sealing, known_answer_context};
use crate::custody::sealing::KEY;
use crate::custody::slab::Locked;
use crate::custody::worker::protocol::{FrameWriter, Kind, MAX_FRAME};
use crate::wait::Wait;

impl ResidentKeks {
    async fn manage_pair(&self, kind: Kind, pair: &PairName, login: Option<&Locked>) -> Result<Locked, CustodyError> {
        if pair.cka_id.is_empty() || pair.cka_id.len() > MAX_CKA_ID {
            return Err(CustodyError::Limit);
        }
        let context = known_answer_context(pair.domain, pair.kek, pair.generation);
        let scheme = match (kind, self.usage.pairs()) {
            (Kind::MakePair, None) => return Err(CustodyError::NoPairs),
            (_, scheme) => scheme.unwrap_or_default().number(),
        };
        self.manage(kind, (&pair.cka_id, context), scheme, login).await
    }
}

/// A public key that a worker told; whatever is none is an HSM that does not answer as it should.
fn told(key: &Locked) -> Result<Vec<u8>, CustodyError> {
    envelope::check_recipient(key.expose()).map_err(|_| CustodyError::Unavailable)?;
    Ok(key.expose().to_vec())
}

impl PairProvider for ResidentKeks {
    fn make<'a>(&'a self, pair: &'a PairName, login: Option<&'a Locked>) -> Wait<'a, Result<Vec<u8>, CustodyError>> {
        Box::pin(async move { told(&self.manage_pair(Kind::MakePair, pair, login).await?) })
    }

    fn find<'a>(&'a self, pair: &'a PairName) -> Wait<'a, Result<Vec<u8>, CustodyError>> {
        Box::pin(async move { told(&self.manage_pair(Kind::FindPair, pair, None).await?) })
    }

    fn destroy<'a>(&'a self, pair: &'a PairName, login: Option<&'a Locked>) -> Wait<'a, Result<(), CustodyError>> {
        Box::pin(async move { self.manage_pair(Kind::DestroyPair, pair, login).await.map(|_| ()) })
    }

    fn open<'a>(&'a self, pair: &'a PairName, sealing: Sealing<'a>) -> Wait<'a, Result<Locked, CustodyError>> {
        Box::pin(async move {
            envelope::check_sent(sealing.sealed)?;
            let fields = |frame: &mut FrameWriter| {
                address(frame, &pair.cka_id, &sealing.context)?;
                frame.field(sealing.more)?;
                frame.field(sealing.public_key)?;
                frame.raw(sealing.sealed)
            };
            let asked = self.usage.ask(Kind::Open, MAX_FRAME, &fields).await;
            let key = asked.map_err(outage_if_missing)?;
            if key.len() == KEY {
                Ok(key)
            } else {
                Err(CustodyError::Unavailable)
            }
        })
    }
}
