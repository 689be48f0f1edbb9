//! `claviger kmip`: a KMIP client in its own right. It has no other way into a server than any other client.
//!
//! Secrets are never arguments: data comes from a file or standard input, and leaves in clear only with `--reveal` or
//! into a file that nobody else can read.

mod arguments;
mod data;
pub(super) mod output;
mod request;
pub(super) mod words;

use clap::{Args, ValueEnum};
use kmip_client::{Connection, Identity, Settings};
use kmip_protocol::{RequestItem, RequestMessage, ResponseMessage, ResultStatus, Version};
use kmip_ttlv::{Secret, Writer};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Why a command failed, in words for its user.
type Problem = String;

/// Speaks KMIP with a server.
#[derive(Args)]
pub struct KmipArguments {
    #[command(flatten)]
    server: Server,
    /// How answers are printed.
    #[arg(long, value_enum, default_value = "table", global = true)]
    format: Format,
    /// Print key material and decrypted data too.
    #[arg(long, global = true)]
    reveal: bool,
    #[command(subcommand)]
    operation: arguments::Operation,
}

/// Which server, and as whom.
#[derive(Args)]
struct Server {
    /// The server, HOST:PORT.
    #[arg(long, default_value = "127.0.0.1:5696", env = "CLAVIGER_ADDRESS", global = true)]
    address: String,
    /// A folder as `claviger demo` leaves it; stands for --ca, --cert and --key.
    #[arg(long, default_value = "claviger-demo", env = "CLAVIGER_DIR", global = true)]
    dir: PathBuf,
    /// The client in that folder: NAME.pem and NAME-key.pem.
    #[arg(long, default_value = "client", global = true)]
    client: String,
    /// CA certificates that the server's certificate chains to, PEM.
    #[arg(long, global = true)]
    ca: Option<PathBuf>,
    /// The client's certificate, PEM.
    #[arg(long, requires = "key", global = true)]
    cert: Option<PathBuf>,
    /// The client's private key, PEM.
    #[arg(long, requires = "cert", global = true)]
    key: Option<PathBuf>,
    /// The name in the server's certificate, if it is not the host of the address.
    #[arg(long, global = true)]
    server_name: Option<String>,
    /// The protocol version, such as 1.4; the newest if none is given.
    #[arg(long = "protocol", value_name = "MAJOR.MINOR", global = true)]
    version: Option<String>,
    /// Seconds to wait for an answer.
    #[arg(long, default_value_t = 60, global = true)]
    timeout: u64,
}

/// How answers are printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for each value.
    Table,
    /// The JSON of KMIP Additional Message Encodings.
    Json,
    /// The XML of KMIP Additional Message Encodings.
    Xml,
}

/// Runs the command. The exit code is 0 only if every item of every answer succeeded.
#[must_use]
pub fn run(arguments: &KmipArguments) -> ExitCode {
    match perform(arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            output::complain(&problem);
            ExitCode::from(2)
        }
    }
}

fn perform(arguments: &KmipArguments) -> Result<bool, Problem> {
    let version = arguments.server.version()?;
    match &arguments.operation {
        arguments::Operation::Send(send) => {
            let mut succeeded = true;
            let mut connection = arguments.server.connect()?;
            for file in &send.files {
                for message in data::messages(file)? {
                    succeeded &= exchange(arguments, &mut connection, message.expose(), None)?;
                }
            }
            Ok(succeeded)
        }
        operation => {
            // Whatever is wrong with the arguments or the input is said before anything is sent.
            let payload = request::payload(operation)?;
            let message = RequestMessage {
                header: kmip_protocol::RequestHeader::new(version, 1),
                items: vec![RequestItem::new(payload)],
            };
            let mut writer = Writer::new();
            message.write(&mut writer);
            let mut connection = arguments.server.connect()?;
            exchange(
                arguments,
                &mut connection,
                writer.as_bytes(),
                request::output_file(operation),
            )
        }
    }
}

/// Sends one message and prints the answer; what `file` asks for goes there instead. Whether all items succeeded.
fn exchange(
    arguments: &KmipArguments,
    connection: &mut Connection,
    message: &[u8],
    file: Option<&PathBuf>,
) -> Result<bool, Problem> {
    let answer = Secret::new(connection.send(message).map_err(|e| e.to_string())?);
    let response = ResponseMessage::read(answer.expose()).map_err(|e| format!("the answer cannot be read: {e}"))?;
    let succeeded = |item: &kmip_protocol::ResponseItem| item.result_status == ResultStatus::Success;
    let all = response.items.iter().all(succeeded);
    if let (Some(path), true) = (file, all) {
        let bytes = output::principal_bytes(answer.expose())?;
        data::write_private(path, bytes.expose())?;
    }
    output::print(answer.expose(), arguments.format, arguments.reveal)?;
    Ok(all)
}

impl Server {
    fn version(&self) -> Result<Version, Problem> {
        let Some(text) = &self.version else {
            return Ok(Version::NEWEST);
        };
        let numbers = text
            .split_once('.')
            .and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        numbers
            .and_then(|(major, minor)| Version::from_numbers(major, minor))
            .ok_or_else(|| format!("{text} is no protocol version that this client speaks"))
    }

    fn connect(&self) -> Result<Connection, Problem> {
        let mut identity = Identity::in_folder(&self.dir, &self.client);
        if let Some(ca) = &self.ca {
            identity.ca.clone_from(ca);
        }
        if self.cert.is_some() {
            identity.certificate.clone_from(&self.cert);
            identity.key.clone_from(&self.key);
        }
        let mut settings = Settings::new(&self.address);
        settings.server_name.clone_from(&self.server_name);
        settings.timeout = Duration::from_secs(self.timeout.max(1));
        Connection::open(&settings, &identity).map_err(|e| e.to_string())
    }
}
