//! Hash (KMIP 2.1 §6.1.24; KMIP 1.4 §4.37).

use super::part::{Opening, Part, State};
use super::{Context, Handle};
use crate::authority::Granted;
use crate::crypto::HashContext;
use crate::failure::{Failure, Fault};
use kmip_protocol::{DataKind, HashRequest, HashResponse, Request};
use std::sync::Arc;

impl Handle for HashRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<HashResponse, Failure> {
        let part = Part::of(
            self.correlation_value.as_ref(),
            self.init_indicator,
            self.final_indicator,
        )?;
        let turn = context.turn(part, Self::OPERATION)?;
        let data = turn.data(context, self.data.as_ref())?;
        let parameters = &self.cryptographic_parameters;
        let algorithm = parameters.hashing_algorithm;
        let algorithm = algorithm.ok_or(Failure::new(Fault::BadParameters))?;
        let (opening, mut hash) = match turn.stream.as_deref() {
            None => {
                let opening = Opening {
                    parameters: parameters.clone(),
                    ..Opening::default()
                };
                (Arc::new(opening), HashContext::start(algorithm)?)
            }
            Some(stream) => {
                stream.opening.check(Some(parameters), None)?;
                let State::Hash(hash) = stream.state.fork()? else {
                    return Err(Failure::detailed(Fault::Internal, "a stream of another kind"));
                };
                (Arc::clone(&stream.opening), hash)
            }
        };
        hash.update(data.expose())?;
        if !part.ends() {
            return Ok(HashResponse {
                data: None,
                correlation_value: turn.keep(context, None, opening, State::Hash(hash))?,
            });
        }
        turn.end(context)?;
        let data = Some(hash.finish()?);
        context.produce(DataKind::Hash, data.as_deref())?;
        Ok(HashResponse {
            data,
            correlation_value: None,
        })
    }
}
