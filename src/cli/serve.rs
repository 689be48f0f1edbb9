//! `claviger serve`: the server of an installation, until a signal ends it.

use super::{Problem, log, runtime, say};
use crate::compose::{self, Running};
use crate::settings::Settings;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// Serves an installation.
#[derive(clap::Args)]
pub(super) struct ServeArguments {
    /// The settings.
    #[arg(long, default_value = "claviger.toml", env = "CLAVIGER_CONFIG")]
    config: PathBuf,
    /// Listen here, whatever the settings say.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Listen here for KMIP over HTTPS, whatever the settings say.
    #[arg(long, value_name = "ADDRESS:PORT")]
    https: Option<SocketAddr>,
    /// Only say whether the settings and what they name can be used.
    #[arg(long)]
    check: bool,
}

/// `claviger serve`.
pub(super) fn run(arguments: &ServeArguments) -> Result<(), Problem> {
    let mut settings = read(&arguments.config)?;
    if let Some(address) = arguments.listen {
        settings.listener.address = address;
    }
    settings.serve_https(arguments.https);
    if arguments.check {
        compose::check(&settings).map_err(|why| why.to_string())?;
        say("the settings can be used");
        return Ok(());
    }
    serve(&settings, |_| Ok(()))
}

/// Reads settings, with the environment of the process over them.
pub(super) fn read(path: &Path) -> Result<Settings, Problem> {
    // What is not Unicode names no setting.
    let environment = std::env::vars_os().filter_map(|(n, v)| Some((n.into_string().ok()?, v.into_string().ok()?)));
    Settings::read(path, environment).map_err(|why| why.to_string())
}

/// Serves until SIGTERM or SIGINT; SIGHUP reloads. `when_ready` is told the address before anybody else is, on a thread of its own: it may
/// take its time and speak with the server.
pub(super) fn serve(
    settings: &Settings,
    when_ready: impl FnOnce(SocketAddr) -> Result<(), Problem> + Send + 'static,
) -> Result<(), Problem> {
    log::start(&settings.log)?;
    if let Err(why) = crate::custody::harden() {
        tracing::warn!(error = %why, "core dumps could not be switched off");
    }
    runtime()?.block_on(async {
        let mut signals = Signals::listen()?;
        let running = Running::start(settings).await.map_err(|why| why.to_string())?;
        let _pid = settings.pid_file.as_deref().map(PidFile::write).transpose()?;
        let mut address = settings.listener.address;
        // The main one last: it is the address of the line that tools wait for.
        for (listener, bound) in running.addresses().iter().rev() {
            tracing::info!(listener, address = %bound, data = %settings.data.display(), "ready");
            address = *bound;
        }
        let (done, made_ready) = oneshot::channel();
        std::thread::spawn(move || done.send(when_ready(address)));
        tokio::select! {
            made_ready = made_ready => made_ready.map_err(|why| why.to_string())??,
            () = signals.end() => return Err("ended before it was ready".to_owned()),
        }
        say(&format!("ready on {address}"));
        while let Wanted::Reload = signals.next().await {
            match running.reload(settings).await {
                Ok(()) => tracing::info!("certificates, revocation lists and registrations were read again"),
                Err(why) => tracing::error!(error = %why, "could not reload; what was in force stays so"),
            }
        }
        tracing::info!("draining");
        let cut = tokio::select! {
            cut = running.stop() => cut,
            // Whoever asks twice does not want to wait.
            () = signals.end() => return Err("ended before connections were drained".to_owned()),
        };
        tracing::info!(cut, "ended");
        Ok(())
    })
}

enum Wanted {
    Reload,
    End,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Problem> {
        let listen = |kind| signal(kind).map_err(|why| why.to_string());
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Wanted {
        tokio::select! {
            _ = self.terminate.recv() => Wanted::End,
            _ = self.interrupt.recv() => Wanted::End,
            _ = self.hangup.recv() => Wanted::Reload,
        }
    }

    async fn end(&mut self) {
        while let Wanted::Reload = self.next().await {}
    }
}

/// The file with the process number; removed in the end.
struct PidFile<'a>(&'a Path);

impl<'a> PidFile<'a> {
    fn write(path: &'a Path) -> Result<Self, Problem> {
        let number = format!("{}\n", std::process::id());
        std::fs::write(path, number).map_err(|why| format!("{}: {why}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for PidFile<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.0);
    }
}
