//! The ceiling: a TLS server that reads a message and writes prepared bytes of the length that the real answer has, with
//! the same TLS library, the same certificates and the same runtime.

use crate::Outcome;
use kmip_ttlv::limits::HEADER_LENGTH;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What prepared answers are full of.
const FILLING: u8 = 0xEC;

/// Whether an answer is one of the echo server's.
pub fn is_echo(answer: &[u8]) -> bool {
    answer
        .get(HEADER_LENGTH..)
        .is_some_and(|body| body.iter().all(|byte| *byte == FILLING))
}

/// The echo server in a process of its own; it ends with this value.
pub struct Server {
    process: Child,
    pub address: String,
}

impl Server {
    pub fn start(dir: &Path, answer: usize) -> Outcome<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["echo", "--answer", &answer.to_string(), "--dir"])
            .arg(dir)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut address)?;
        Ok(Self {
            process,
            address: address.trim().to_owned(),
        })
    }

    pub fn number(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves until killed.
pub fn serve(dir: &Path, answer: usize) -> Outcome<()> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(dir.join("ca.pem"))? {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone()).build()?;
    let chain = CertificateDer::pem_file_iter(dir.join("data/server.pem"))?.collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_file(dir.join("data/server-key.pem"))?;
    let tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let length = u32::try_from(answer.saturating_sub(HEADER_LENGTH))?;
    let mut prepared = vec![0x42, 0x00, 0x7B, 0x01];
    prepared.extend(length.to_be_bytes());
    prepared.resize(answer, FILLING);
    let prepared: Arc<[u8]> = prepared.into();
    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (socket, _) = listener.accept().await?;
            tokio::spawn(connection(acceptor.clone(), socket, prepared.clone()));
        }
    })
}

async fn connection(acceptor: TlsAcceptor, socket: TcpStream, prepared: Arc<[u8]>) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let mut stream = acceptor.accept(socket).await?;
    let mut body = Vec::new();
    loop {
        let mut header = [0; HEADER_LENGTH];
        stream.read_exact(&mut header).await?;
        let [_, _, _, _, l0, l1, l2, l3] = header;
        let length = u32::from_be_bytes([l0, l1, l2, l3]);
        body.resize(usize::try_from(length).unwrap_or(0), 0);
        stream.read_exact(&mut body).await?;
        stream.write_all(&prepared).await?;
        stream.flush().await?;
    }
}
