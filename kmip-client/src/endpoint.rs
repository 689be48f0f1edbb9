//! The other side of Notify and Put: a client that listens, and lets in servers of its authorities alone (KMIP 2.1 §6.2).

use crate::connection::{read_message, tls_error};
use crate::{Error, Identity};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// A client that listens.
pub struct Endpoint {
    listener: TcpListener,
    config: Arc<ServerConfig>,
    limit: usize,
}

/// A server that has connected.
pub struct Incoming {
    stream: StreamOwned<ServerConnection, TcpStream>,
    limit: usize,
}

impl Endpoint {
    /// Listens at an address, as this identity: its certificate is shown, its authorities are believed.
    ///
    /// # Errors
    /// Files that cannot be read, an address that cannot be had.
    pub fn bind(address: &str, identity: &Identity, limit: usize) -> Result<Self, Error> {
        let listener = TcpListener::bind(address).map_err(|source| Error::Connect {
            address: address.to_owned(),
            source,
        })?;
        Ok(Self {
            listener,
            config: identity.tls_of_endpoint()?,
            limit,
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The socket's.
    pub fn address(&self) -> Result<SocketAddr, Error> {
        Ok(self.listener.local_addr()?)
    }

    /// Waits for a server and shakes hands with it, each step within this time.
    ///
    /// # Errors
    /// A handshake that either side refuses; the next one may succeed.
    pub fn accept(&self, patience: Duration) -> Result<Incoming, Error> {
        let (mut socket, _) = self.listener.accept()?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(patience))?;
        socket.set_write_timeout(Some(patience))?;
        let mut connection = ServerConnection::new(Arc::clone(&self.config))?;
        while connection.is_handshaking() {
            connection.complete_io(&mut socket).map_err(tls_error)?;
        }
        Ok(Incoming {
            stream: StreamOwned::new(connection, socket),
            limit: self.limit,
        })
    }
}

impl Incoming {
    /// The next request, whole and in TTLV. It may hold a key.
    ///
    /// # Errors
    /// The server closed the connection, or what it sends is no message.
    pub fn receive(&mut self) -> Result<Vec<u8>, Error> {
        read_message(&mut self.stream, self.limit)
    }

    /// Answers it.
    ///
    /// # Errors
    /// The transport's.
    pub fn answer(&mut self, response: &[u8]) -> Result<(), Error> {
        self.stream.write_all(response).map_err(tls_error)?;
        self.stream.flush().map_err(tls_error)
    }
}
