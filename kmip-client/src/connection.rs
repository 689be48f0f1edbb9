//! One TLS connection, and the framing of messages on it.

use crate::{Error, Identity, http};
use kmip_protocol::{
    EndpointRole, Request, RequestMessage, ResponseMessage, ResultStatus, SetEndpointRoleRequest, Structure, Version,
    tag,
};
use kmip_ttlv::limits::{DEFAULT_MESSAGE_LENGTH, HEADER_LENGTH};
use kmip_ttlv::{Encoding, ErrorKind, Reader, Secret, Writer};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

/// The stream under a connection.
type Stream = StreamOwned<ClientConnection, TcpStream>;

/// How long to wait for the server at each step. Generating a large RSA key takes seconds; nothing takes a minute.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// Where a server is and how to speak to it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `HOST:PORT`.
    pub address: String,
    /// The name that the server's certificate must carry; the host of the address if `None`.
    pub server_name: Option<String>,
    /// The bound on connecting, and on each read and write.
    pub timeout: Duration,
    /// The longest answer that is accepted, in bytes of TTLV.
    pub limit: usize,
    /// How messages lie on the connection.
    pub carrier: Carrier,
}

/// How messages lie on a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Carrier {
    /// One after the other, in TTLV (KMIP 2.1 §10.4).
    #[default]
    Tls,
    /// In requests of HTTP, in this encoding (KMIP 2.1 §10.2).
    Https(Encoding),
}

impl Settings {
    /// The settings for a server at `HOST:PORT`, with the default timeout and limit.
    #[must_use]
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            server_name: None,
            timeout: DEFAULT_TIMEOUT,
            // A client asks for what it wants: a Locate answer of a hundred thousand identifiers is a legitimate one.
            limit: 16 * DEFAULT_MESSAGE_LENGTH,
            carrier: Carrier::default(),
        }
    }

    fn name(&self) -> Result<ServerName<'static>, Error> {
        let host = match &self.server_name {
            Some(name) => name.as_str(),
            None => self
                .address
                .rsplit_once(':')
                .map_or(self.address.as_str(), |(host, _)| host),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        ServerName::try_from(host.to_owned()).map_err(|_| Error::Address(self.address.clone()))
    }

    fn socket(&self) -> Result<TcpStream, Error> {
        let addresses = self
            .address
            .to_socket_addrs()
            .map_err(|_| Error::Address(self.address.clone()))?;
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in addresses {
            match TcpStream::connect_timeout(&address, self.timeout) {
                Ok(socket) => {
                    socket.set_nodelay(true)?;
                    socket.set_read_timeout(Some(self.timeout))?;
                    socket.set_write_timeout(Some(self.timeout))?;
                    return Ok(socket);
                }
                Err(error) => last = error,
            }
        }
        Err(Error::Connect {
            address: self.address.clone(),
            source: last,
        })
    }
}

/// A connection to a KMIP server.
pub struct Connection {
    stream: Stream,
    limit: usize,
    carrier: Carrier,
    address: String,
}

impl Connection {
    /// Connects and completes the handshake.
    ///
    /// # Errors
    /// Files that cannot be read, no connection, a handshake that either side refuses.
    pub fn open(settings: &Settings, identity: &Identity) -> Result<Self, Error> {
        Self::open_with(settings, identity.tls()?)
    }

    /// Connects with a TLS configuration that was read before ([`Identity::tls`]).
    ///
    /// # Errors
    /// No connection, or a handshake that either side refuses. In TLS 1.3 a server refuses a client's certificate after
    /// the client is done: that refusal comes out of the first [`Connection::send`].
    pub fn open_with(settings: &Settings, tls: Arc<ClientConfig>) -> Result<Self, Error> {
        let connection = ClientConnection::new(tls, settings.name()?)?;
        let mut stream = StreamOwned::new(connection, settings.socket()?);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).map_err(tls_error)?;
        }
        Ok(Self {
            stream,
            limit: settings.limit,
            carrier: settings.carrier,
            address: settings.address.clone(),
        })
    }

    /// The certificate that the server has shown, DER.
    #[must_use]
    pub fn server_certificate(&self) -> Option<&[u8]> {
        self.stream.conn.peer_certificates()?.first().map(AsRef::as_ref)
    }

    /// Sends one message, already encoded in TTLV, and returns the answer, whole and in TTLV. The caller wipes both if
    /// they hold secrets.
    ///
    /// # Errors
    /// Timeout, a closed connection, an answer that is too long or no KMIP. The connection is of no use afterwards.
    pub fn send(&mut self, request: &[u8]) -> Result<Vec<u8>, Error> {
        match self.carrier {
            Carrier::Tls => {
                self.stream.write_all(request).map_err(tls_error)?;
                self.stream.flush().map_err(tls_error)?;
                read_message(&mut self.stream, self.limit)
            }
            Carrier::Https(encoding) => http::post(&mut self.stream, &self.address, encoding, request, self.limit),
        }
    }

    /// Asks for one operation and returns its answer.
    ///
    /// # Errors
    /// Those of [`Connection::send`], an answer that cannot be read, or the failure that the server reports.
    pub fn call<R: Request>(&mut self, version: Version, request: R) -> Result<R::Response, Error> {
        let mut writer = Writer::new();
        RequestMessage::single(version, request).write(&mut writer);
        let answer = Secret::new(self.send(writer.as_bytes())?);
        payload::<R>(answer.expose())
    }

    /// Sends a message and reads the answer, whatever its items say.
    ///
    /// # Errors
    /// Those of [`Connection::send`], or an answer that cannot be read.
    pub fn exchange(&mut self, request: &RequestMessage) -> Result<ResponseMessage, Error> {
        let mut writer = Writer::new();
        request.write(&mut writer);
        let answer = Secret::new(self.send(writer.as_bytes())?);
        Ok(ResponseMessage::read(answer.expose())?)
    }

    /// Has the server ask over this connection from now on (KMIP 2.1 §6.1.54); not over HTTPS.
    ///
    /// # Errors
    /// Those of [`Connection::call`].
    pub fn be_asked(&mut self, version: Version) -> Result<(), Error> {
        let endpoint_role = EndpointRole::Client;
        self.call(version, SetEndpointRoleRequest { endpoint_role }).map(|_| ())
    }

    /// Waits for the server's next request over a connection over which it asks. It may hold a key.
    ///
    /// # Errors
    /// Those of [`Connection::send`], or a request that cannot be read.
    pub fn receive(&mut self) -> Result<RequestMessage, Error> {
        let request = Secret::new(read_message(&mut self.stream, self.limit)?);
        RequestMessage::read(request.expose()).map_err(|why| why.error.into())
    }

    /// Answers it.
    ///
    /// # Errors
    /// The transport's.
    pub fn answer(&mut self, response: &ResponseMessage) -> Result<(), Error> {
        let mut writer = Writer::new();
        response.write(&mut writer);
        self.stream.write_all(writer.as_bytes()).map_err(tls_error)?;
        self.stream.flush().map_err(tls_error)
    }
}

/// The payload of the one item in an answer, read as what the request asks for.
fn payload<R: Request>(answer: &[u8]) -> Result<R::Response, Error> {
    let message = ResponseMessage::read(answer)?;
    let version = message.version();
    let Some(item) = message.items.into_iter().next() else {
        return Err(kmip_ttlv::Error::new(ErrorKind::Missing(tag::BATCH_ITEM), 0).into());
    };
    match item.result_status {
        ResultStatus::Success => {}
        ResultStatus::OperationFailed => {
            return Err(Error::Failed {
                reason: item.result_reason,
                message: item.result_message,
            });
        }
        other => return Err(Error::NotDone(other)),
    }
    // The answer's type follows from the request's, not from the operation that the server claims to have done.
    let mut items = Writer::new();
    if let Some(payload) = &item.payload {
        payload.write(&mut items, version);
    }
    let mut reader = Reader::new(items.as_bytes());
    let response = R::Response::read(&mut reader, version)?;
    reader.finish()?;
    Ok(response)
}

/// Reads one whole message. Its length is checked before anything is allocated.
pub(crate) fn read_message(stream: &mut impl Read, limit: usize) -> Result<Vec<u8>, Error> {
    let mut header = [0; HEADER_LENGTH];
    read_exact(stream, &mut header)?;
    let [tag, _, _, kind, l0, l1, l2, l3] = header;
    // Every message is a structure with a tag of the standard range (KMIP 2.1 §10.1.1.1-2).
    if tag != 0x42 || kind != kmip_ttlv::ItemType::Structure.byte() {
        return Err(Error::NotKmip);
    }
    let length = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
    if length > limit {
        return Err(Error::TooLong { length, limit });
    }
    let mut message = vec![0; HEADER_LENGTH + length];
    let (start, body) = message.split_at_mut(HEADER_LENGTH);
    start.copy_from_slice(&header);
    read_exact(stream, body)?;
    Ok(message)
}

pub(crate) fn read_exact(stream: &mut impl Read, buffer: &mut [u8]) -> Result<(), Error> {
    stream.read_exact(buffer).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => Error::Closed,
        _ => tls_error(error),
    })
}

/// rustls hides its errors in I/O errors; a refused certificate should read as one.
pub(crate) fn tls_error(error: io::Error) -> Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(inner) => Error::Tls(inner.clone()),
        None => Error::Io(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmip_protocol::{
        ActivateRequest, ActivateResponse, DateTime, GetRequest, Operation, ResponseHeader, ResponseItem, ResultReason,
    };

    fn answer(item: ResponseItem) -> Vec<u8> {
        let version = Version::NEWEST;
        let mut writer = Writer::new();
        let header = ResponseHeader::new(version, DateTime(0), 1);
        ResponseMessage {
            header,
            items: vec![item],
        }
        .write(&mut writer);
        writer.into_bytes()
    }

    #[test]
    fn the_payload_is_what_was_asked_for() {
        let item = ResponseItem {
            payload: Some(
                ActivateResponse {
                    unique_identifier: "a".to_owned(),
                }
                .into(),
            ),
            ..ResponseItem::bare(Some(Operation::Activate), ResultStatus::Success)
        };
        let bytes = answer(item);
        assert_eq!(payload::<ActivateRequest>(&bytes).ok().unwrap().unique_identifier, "a");
        assert!(matches!(payload::<GetRequest>(&bytes), Err(Error::Unreadable(_))));
    }

    #[test]
    fn a_failure_tells_its_reason() {
        let item = ResponseItem {
            result_reason: Some(ResultReason::ItemNotFound),
            result_message: Some("no such object".to_owned()),
            ..ResponseItem::bare(Some(Operation::Activate), ResultStatus::OperationFailed)
        };
        let error = payload::<ActivateRequest>(&answer(item)).err().unwrap();
        assert_eq!(error.to_string(), "ItemNotFound: no such object");
    }

    #[test]
    fn reads_a_message_and_leaves_the_next() {
        let mut bytes: &[u8] = &[0x42, 0x00, 0x7B, 0x01, 0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0x42];
        let message = read_message(&mut bytes, 100).unwrap();
        assert_eq!(message.len(), 16);
        assert_eq!(bytes, [0x42]);
    }

    #[test]
    fn refuses_before_allocating() {
        let mut long: &[u8] = &[0x42, 0x00, 0x7B, 0x01, 0xFF, 0xFF, 0xFF, 0xF8];
        assert!(matches!(
            read_message(&mut long, 1000),
            Err(Error::TooLong { limit: 1000, .. })
        ));
        let mut foreign: &[u8] = b"HTTP/1.1 400 Bad Request";
        assert!(matches!(read_message(&mut foreign, 1000), Err(Error::NotKmip)));
        let mut cut: &[u8] = &[0x42, 0x00, 0x7B, 0x01, 0, 0, 0, 8, 1];
        assert!(matches!(read_message(&mut cut, 1000), Err(Error::Closed)));
    }

    #[test]
    fn the_server_name_is_the_host() {
        let name = |address: &str| Settings::new(address).name().unwrap().to_str().into_owned();
        assert_eq!(name("kms.example.org:5696"), "kms.example.org");
        assert_eq!(name("127.0.0.1:5696"), "127.0.0.1");
        assert_eq!(name("[::1]:5696"), "::1");
    }
}
