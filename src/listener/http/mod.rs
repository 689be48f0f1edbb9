//! KMIP over HTTPS: a message in the body of a POST to `/kmip`, in TTLV, XML or JSON as its content type says, and answered likewise
//! (KMIP 2.1 §10.2; the HTTPS, XML and JSON profiles). The exchange sees TTLV whatever came.
//!
//! What HTTP can say goes wrong in HTTP: another path, another method, another content type, a body that is too long. What is KMIP and
//! cannot be read is answered by KMIP, with status 200.

mod body;
mod deadlines;

use super::Limits;
use super::connection::Ended;
use crate::exchange::{ConnectionFacts, Exchange, Refusal};
use body::{Answer, Wiped};
use deadlines::{Deadlines, Phase};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use kmip_protocol::names::KmipVocabulary;
use kmip_ttlv::Encoding;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use zeroize::Zeroizing;

/// Where messages are posted to.
const PATH: &str = "/kmip";

/// What a handshake may choose.
pub(super) const ALPN: &[&[u8]] = &[b"http/1.1", b"http/1.0"];

/// The longest head of a request, in bytes: what clients send takes a few hundred.
const HEAD: usize = 16 * 1024;

/// What a connection needs besides its stream.
pub(super) struct HttpConnection {
    pub(super) exchange: Arc<dyn Exchange>,
    pub(super) facts: Arc<ConnectionFacts>,
    pub(super) limits: Limits,
    pub(super) shutdown: watch::Receiver<bool>,
}

impl HttpConnection {
    /// Serves the connection to its end and says why it ended.
    pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(self, stream: S) -> Ended {
        let mut shutdown = self.shutdown.clone();
        let (stream, phase) = Deadlines::over(stream, &self.limits);
        let one = Arc::new((self, phase.clone()));
        let service = service_fn(move |request| {
            let one = one.clone();
            async move { Ok::<_, Infallible>(one.0.respond(request, &one.1).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .half_close(true)
            .max_buf_size(HEAD)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = core::pin::pin!(connection);
        let down = async { shutdown.wait_for(|down| *down).await.is_ok() };
        let served = tokio::select! {
            biased;
            served = connection.as_mut() => Some(served),
            _ = down => None,
        };
        let served = match served {
            Some(served) => served,
            None => {
                // What is being answered is answered; the next request is not waited for.
                connection.as_mut().graceful_shutdown();
                phase.close();
                connection.await
            }
        };
        match served {
            Ok(()) if *shutdown.borrow() => Ended::Shutdown,
            Ok(()) => Ended::ByPeer,
            Err(_) => phase.ended(),
        }
    }

    /// Answers one request.
    async fn respond(&self, request: Request<Incoming>, phase: &Phase) -> Response<Answer> {
        phase.began();
        let mut response = match self.message(request, phase).await {
            Ok((encoding, answer)) => {
                let mut response = Response::new(Answer::new(Wiped::new(answer)));
                let kind = HeaderValue::from_static(encoding.content_type());
                response.headers_mut().insert(CONTENT_TYPE, kind);
                response
            }
            Err(status) => refused(status),
        };
        // Keys do not belong into anybody's cache.
        response
            .headers_mut()
            .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        phase.answered();
        response
    }

    /// Reads the message, has it answered, and gives the answer in the encoding of the request.
    async fn message(&self, request: Request<Incoming>, phase: &Phase) -> Result<(Encoding, Vec<u8>), StatusCode> {
        let (head, body) = request.into_parts();
        if head.uri.path() != PATH {
            return Err(StatusCode::NOT_FOUND);
        }
        if head.method != Method::POST {
            return Err(StatusCode::METHOD_NOT_ALLOWED);
        }
        let encoding = encoding(&head.headers).ok_or(StatusCode::UNSUPPORTED_MEDIA_TYPE)?;
        let limit = encoding.longest(self.limits.message_length);
        if announced(&head.headers).is_some_and(|length| length > limit) {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let body = Limited::new(body, limit).collect().await.map_err(|why| {
            if why.is::<http_body_util::LengthLimitError>() {
                StatusCode::PAYLOAD_TOO_LARGE
            } else {
                StatusCode::BAD_REQUEST
            }
        })?;
        phase.answering();
        let bytes = Zeroizing::new(Vec::from(body.to_bytes()));
        let answer = match encoding.read(&bytes, &KmipVocabulary, self.limits.message_length) {
            Ok(mut message) => {
                drop(bytes);
                self.exchange.answer(core::mem::take(&mut *message), &self.facts).await
            }
            Err(error) => {
                tracing::debug!(%error, ?encoding, "unreadable request");
                let refusal = self.exchange.refuse(Vec::new(), Refusal::NotTtlv, &self.facts).await;
                refusal.ok_or(StatusCode::BAD_REQUEST)?
            }
        };
        let mut answer = encoding.write(answer, &KmipVocabulary).map_err(|error| {
            tracing::error!(%error, ?encoding, "an answer could not be encoded");
            StatusCode::INTERNAL_SERVER_ERROR
        })?;
        Ok((encoding, core::mem::take(&mut *answer)))
    }
}

/// The encoding of a request.
fn encoding(headers: &HeaderMap) -> Option<Encoding> {
    Encoding::of_content_type(headers.get(CONTENT_TYPE)?.to_str().ok()?)
}

/// The length that the head of a request announces.
fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// An answer of HTTP alone. The rest of a body that was not taken would have to be read before the next request: the connection ends.
fn refused(status: StatusCode) -> Response<Answer> {
    let mut response = Response::new(Answer::new(Wiped::new(Vec::new())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}
