//! `conformance play`: plays test cases against a server.

use clap::{Parser, Subcommand};
use conformance::case::{self, Case};
use conformance::expectations::Expectations;
use conformance::listening::{self, Listening};
use conformance::people::People;
use conformance::play::{History, Peer, play_among};
use conformance::report::Report;
use kmip_client::{Carrier, Connection, Identity, Settings};
use kmip_protocol::names::KmipVocabulary;
use kmip_ttlv::Encoding;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Plays KMIP test cases, written in XML, over TLS against any server.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Plays every case below a folder and tells what passed.
    Play(Box<Play>),
    /// Listens as a client's endpoint, accepts whatever a server sends, and tells what that was.
    Listen(Listen),
}

#[derive(clap::Args)]
struct Listen {
    /// Where to listen, HOST:PORT.
    #[arg(long)]
    address: String,
    /// The folder of `claviger demo`: stands for --ca, --cert and --key.
    #[arg(long, conflicts_with_all = ["ca", "cert", "key"], required_unless_present_all = ["ca", "cert", "key"])]
    dir: Option<PathBuf>,
    /// CA certificates that a server's certificate must chain to, PEM.
    #[arg(long)]
    ca: Option<PathBuf>,
    /// The certificate that is shown, PEM: its SHA-256 is what the server's endpoint is made with.
    #[arg(long)]
    cert: Option<PathBuf>,
    /// Its private key, PEM.
    #[arg(long)]
    key: Option<PathBuf>,
    /// End after so many messages.
    #[arg(long)]
    count: Option<usize>,
    /// Print every message as XML. It may hold keys.
    #[arg(long)]
    trace: bool,
}

#[derive(clap::Args)]
struct Play {
    /// The server, HOST:PORT.
    #[arg(long)]
    address: String,
    /// How messages are carried: `tls`, `https`, `https-xml`, `https-json`.
    #[arg(long, default_value = "tls", value_parser = carrier)]
    over: Carrier,
    /// The folder of `claviger demo`: stands for --ca, --cert and --key.
    #[arg(long, conflicts_with_all = ["ca", "cert", "key"], required_unless_present = "ca")]
    dir: Option<PathBuf>,
    /// CA certificates that the server's certificate chains to, PEM.
    #[arg(long)]
    ca: Option<PathBuf>,
    /// The client's certificate, PEM. Without one only cases that name identities can be played.
    #[arg(long, requires = "key")]
    cert: Option<PathBuf>,
    /// The client's private key, PEM.
    #[arg(long, requires = "cert")]
    key: Option<PathBuf>,
    /// Whom cases name: NAME.pem and NAME-key.pem, and NAME.password with the initial password. Who is named and has no file is made there.
    #[arg(long, value_name = "FOLDER")]
    people: Option<PathBuf>,
    /// Somebody whom cases name, with the files of certificate and key, and of the present password; may be repeated.
    #[arg(long, value_name = "NAME=CERT,KEY[,PASSWORDFILE]")]
    identity: Vec<String>,
    /// A second client that shares the first one's objects, for the cases with two clients.
    #[arg(long, requires = "other_key")]
    other_cert: Option<PathBuf>,
    /// Its private key.
    #[arg(long)]
    other_key: Option<PathBuf>,
    /// Listen here as the client's endpoint, for the cases in which the server sends (Notify, Put). The endpoint has to be made there, with
    /// the client's certificate.
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// The folder of cases.
    #[arg(long)]
    cases: PathBuf,
    /// Play only the cases whose path contains one of these.
    #[arg(long)]
    only: Vec<String>,
    /// Cases that may fail, `PATH: REASON` a line. A listed case that passes is an error.
    #[arg(long)]
    expect: Option<PathBuf>,
    /// Take the cases that pass out of the list of those that may fail, instead of calling them an error.
    #[arg(long, requires = "expect")]
    prune: bool,
    /// Write the report to this file, as Markdown.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Also count the cases that use only these operations (comma-separated XML names).
    #[arg(long, value_delimiter = ',')]
    operations: Option<Vec<String>>,
    /// List expected failures and skipped cases too.
    #[arg(long)]
    list_failures: bool,
    /// Print every message as XML.
    #[arg(long)]
    trace: bool,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Play(arguments) => run(&arguments),
        Command::Listen(arguments) => listen(&arguments).map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            say(&format!("conformance: {why}"));
            ExitCode::from(2)
        }
    }
}

/// Accepts what is sent, and says in a line each what it was.
fn listen(arguments: &Listen) -> Result<(), String> {
    let (ca, dir) = (arguments.ca.as_ref(), arguments.dir.as_deref());
    let identity = whose(dir, ca, (arguments.cert.as_ref(), arguments.key.as_ref()))?;
    let listening = Listening::at(&arguments.address, &identity).map_err(|e| e.to_string())?;
    say(&format!("listening on {}", listening.address()));
    for _ in 0..arguments.count.unwrap_or(usize::MAX) {
        let Some(sent) = listening.next() else { break };
        say(&listening::told(&sent.bytes));
        if arguments.trace {
            show_message(false, &sent.bytes);
        }
        sent.accept();
    }
    // The last answer is on its way.
    std::thread::sleep(std::time::Duration::from_millis(200));
    Ok(())
}

fn carrier(name: &str) -> Result<Carrier, String> {
    match name {
        "tls" => Ok(Carrier::Tls),
        "https" => Ok(Carrier::Https(Encoding::Ttlv)),
        "https-xml" => Ok(Carrier::Https(Encoding::Xml)),
        "https-json" => Ok(Carrier::Https(Encoding::Json)),
        _ => Err("one of tls, https, https-xml, https-json".to_owned()),
    }
}

fn run(arguments: &Play) -> Result<bool, String> {
    let first = whose(
        arguments.dir.as_deref(),
        arguments.ca.as_ref(),
        (arguments.cert.as_ref(), arguments.key.as_ref()),
    )?;
    let listening = match &arguments.listen {
        Some(address) => Some(Listening::at(address, &first).map_err(|e| e.to_string())?),
        None => None,
    };
    let mut people = People::at(&arguments.address, &first.ca);
    if let Some(folder) = &arguments.people {
        people.live_in(folder);
    }
    for text in &arguments.identity {
        people.introduce(text)?;
    }
    let tls = first.tls().map_err(|e| e.to_string())?;
    let second = match (&arguments.other_cert, &arguments.other_key) {
        (Some(certificate), Some(key)) => {
            let mut identity = first;
            identity.certificate = Some(certificate.clone());
            identity.key = Some(key.clone());
            identity.tls().map_err(|e| e.to_string())?
        }
        _ => tls.clone(),
    };
    let mut settings = Settings::new(&arguments.address);
    settings.carrier = arguments.over;
    let mut connect = |other: bool| {
        let tls = if other { second.clone() } else { tls.clone() };
        let connection = Connection::open_with(&settings, tls).map_err(|e| e.to_string())?;
        Ok::<Box<dyn Peer>, String>(Box::new(connection))
    };
    connect(false).map_err(|e| format!("{}: {e}", arguments.address))?;

    let expectations = match &arguments.expect {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
            Expectations::parse(&text).map_err(|e| format!("{}: {e}", path.display()))?
        }
        None => Expectations::default(),
    };
    let operations: Option<BTreeSet<String>> = arguments.operations.clone().map(|o| o.into_iter().collect());
    let mut report = Report::default();
    let mut history = History::default();
    for file in case::files(&arguments.cases)? {
        let path = file
            .strip_prefix(&arguments.cases)
            .unwrap_or(&file)
            .to_string_lossy()
            .replace('\\', "/");
        if !arguments.only.is_empty() && !arguments.only.iter().any(|part| path.contains(part.as_str())) {
            continue;
        }
        match Case::read(&arguments.cases, &file) {
            Ok(case) => {
                let mut trace = |sent, bytes: &[u8]| {
                    if arguments.trace {
                        show_message(sent, bytes);
                    }
                };
                let outcome = play_among(
                    &case,
                    &mut history,
                    &mut people,
                    &mut connect,
                    listening.as_ref(),
                    &mut trace,
                );
                report.add(&case, outcome, &expectations, operations.as_ref());
            }
            Err(why) => report.add_unreadable(&path, why),
        }
    }
    let is_whole = arguments.only.is_empty();
    if let (true, Some(path)) = (arguments.prune, &arguments.expect) {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let shorter = Expectations::without(&text, report.passing_though_listed());
        std::fs::write(path, shorter).map_err(|e| format!("{}: {e}", path.display()))?;
        say(&format!(
            "taken out of {}: {}",
            path.display(),
            report.passing_though_listed().join(" ")
        ));
        return Ok(true);
    }
    if arguments.list_failures {
        say(report.skipped().trim_end());
    }
    say(report.failures(arguments.list_failures).trim_end());
    say(report.stale(&expectations, is_whole).trim_end());
    say(report.table().trim_end());
    say(&report.summary());
    if let Some(path) = &arguments.report {
        let text = format!(
            "{}\n{}\n{}\n{}",
            report.table(),
            report.summary(),
            report.failures(true),
            report.skipped()
        );
        std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(report.is_good(&expectations, is_whole))
}

fn whose(
    dir: Option<&Path>,
    ca: Option<&PathBuf>,
    (certificate, key): (Option<&PathBuf>, Option<&PathBuf>),
) -> Result<Identity, String> {
    if let Some(folder) = dir {
        return Ok(Identity::in_folder(folder, "client"));
    }
    Ok(Identity {
        ca: ca.ok_or("no CA certificates given")?.clone(),
        certificate: certificate.cloned(),
        key: key.cloned(),
    })
}

fn show_message(sent: bool, bytes: &[u8]) {
    say(if sent { "-->" } else { "<--" });
    match kmip_ttlv::xml::from_ttlv(bytes, &KmipVocabulary) {
        Ok(text) => say(&text),
        Err(why) => say(&format!("not TTLV: {why}")),
    }
}

/// The one place that prints: this is a tool for a terminal.
#[allow(clippy::print_stdout)]
fn say(text: &str) {
    if !text.is_empty() {
        println!("{text}");
    }
}
