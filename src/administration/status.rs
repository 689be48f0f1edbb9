//! Server Status: how the server is, to those who may know. Administrators and system auditors see the whole house; a tenant's
//! people see what concerns their tenant.

use super::{backlog, hsm_profile, kek_life, proposal, purge, recovery, sharing};
use crate::audit::alarm;
use crate::authority::Granted;
use crate::authority::quorum::{Reach, reach};
use crate::custody::{CustodyState, SealerKind};
use crate::failure::Failure;
use crate::identity::TenantRecord;
use crate::operations::proposed::register;
use crate::operations::{Context, Handle};
use crate::records;
use crate::store::Domain;
use kmip_protocol::{ServerStatusRequest, ServerStatusResponse, Severity, StatusItem};
use kmip_ttlv::Hex;

/// Tenants, and streams of the trail, that are told one by one; of the rest there is a count.
const MOST: usize = 256;

/// What the status says, line by line.
#[derive(Default)]
struct Lines(Vec<StatusItem>);

impl Lines {
    fn add(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.tell(None, name, value);
    }

    /// What somebody should look at.
    fn find(&mut self, severity: Severity, name: impl Into<String>, value: impl Into<String>) {
        self.tell(Some(severity), name, value);
    }

    fn tell(&mut self, severity: Option<Severity>, name: impl Into<String>, value: impl Into<String>) {
        self.0.push(StatusItem {
            status_name: name.into(),
            status_value: value.into(),
            severity,
        });
    }
}

impl Handle for ServerStatusRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ServerStatusResponse, Failure> {
        let mut lines = Lines::default();
        about(context, &mut lines);
        let own = context.principal.domain();
        let whole = own == Some(Domain::SYSTEM);
        let seen: Vec<CustodyState> = context
            .services
            .custody
            .states()
            .into_iter()
            .filter(|state| whole || Some(state.domain) == own)
            .collect();
        warnings(context, &seen, &mut lines);
        custody(context, seen, &mut lines).await?;
        if let Some(domain) = own {
            let groups = recovery::of(context, domain).await?;
            if !groups.is_empty() {
                lines.add(
                    "recovery",
                    format!("{} open backups of KEKs together", recovery::told(&groups)),
                );
            }
            lost(context, domain, &mut lines).await?;
            quorum(context, domain, &mut lines).await?;
            for (severity, name, told) in sharing::findings(context, domain).await? {
                lines.tell(severity, name, told);
            }
        }
        if let Some(tenant) = own.filter(|_| !whole) {
            lines.add("retention", purge::describe(context, tenant).await?);
            for (severity, name, told) in backlog::of_tenant(context, tenant).await? {
                lines.tell(severity, name, told);
            }
        }
        if whole {
            freshness(context, &mut lines);
            profiles(context, &mut lines).await?;
            trail(context, &mut lines).await?;
            for (event, count) in alarm::counts().filter(|(_, count)| *count > 0) {
                lines.find(event.severity(), format!("alarm.{}", event.name()), count.to_string());
            }
        }
        Ok(ServerStatusResponse { items: lines.0 })
    }
}

fn about(context: &Context<'_>, lines: &mut Lines) {
    let about = &context.services.about;
    let installation = context.services.installation;
    lines.add("version", env!("CARGO_PKG_VERSION"));
    lines.add("instance", Hex(&installation.instance).to_string());
    lines.add("epoch", installation.epoch.to_string());
    let up = context.now.0.saturating_sub(about.started_ms) / 1000;
    lines.add("uptime", format!("{up} s"));
    lines.add("clock", format!("{} ms since 1970", context.now.0));
    lines.add(
        "clock.high_water",
        format!("{} ms since 1970", context.services.store.high_water()),
    );
    let bearing = context.services.clock.bearing();
    lines.add(
        "clock.ahead",
        format!("{} ms ahead of the time that has passed", bearing.ahead_ms),
    );
    lines.add("store", about.store.as_str());
    lines.add("rng", context.services.randomness.generator().name);
    lines.add("tls.profile", about.tls_profile.as_str());
    let confined = if about.admin_listener {
        "people have a listener of their own"
    } else {
        "none"
    };
    lines.add("admin_listener", confined);
    let roles: Vec<&str> = about.hardware.iter().filter_map(|role| role.name()).collect();
    lines.add(
        "require_hardware",
        if roles.is_empty() {
            "none".to_owned()
        } else {
            roles.join(", ")
        },
    );
    lines.add("require_possession", about.require_possession.to_string());
}

/// Whether a database that was put back would be noticed, and whether this is one.
fn freshness(context: &Context<'_>, lines: &mut Lines) {
    let freshness = &context.services.freshness;
    if let Some(found) = freshness.restored() {
        let told = format!("nothing is served: {}. Go on with `restore accept`", found.why);
        lines.find(Severity::Critical, "restored", told);
    } else if freshness.is_stuck() {
        lines.find(
            Severity::Critical,
            "anchor",
            "cannot be written: what is put back from now on is not noticed",
        );
    } else if freshness.is_anchored() {
        let written = freshness
            .written_ms()
            .map(|at| format!("written at {at} ms since 1970"));
        lines.add("anchor", written.unwrap_or_else(|| "not written yet".to_owned()));
    } else {
        lines.find(
            Severity::Notice,
            "anchor",
            "none: a database that is put back whole is not noticed",
        );
    }
}

/// What whoever relies on this server should not overlook.
fn warnings(context: &Context<'_>, seen: &[CustodyState], lines: &mut Lines) {
    if context.services.clock.bearing().stands.is_some() {
        lines.find(
            Severity::Critical,
            "warning",
            "the clock was set ahead: timelocks and expiries of proposals stand still until it is right or the server is started anew",
        );
    }
    if context.services.about.demo {
        lines.find(Severity::Warning, "warning", "DEMO: one person holds all keys");
    }
    if context.services.about.interop {
        lines.find(Severity::Warning, "warning", "Interop is on: for conformance runs only");
    }
    if seen.iter().any(|state| state.kind == Some(SealerKind::Software)) {
        lines.find(Severity::Warning, "warning", "software KEKs: development only");
    }
    if context.services.about.tls_profile == "interop" {
        lines.find(
            Severity::Notice,
            "warning",
            "TLS profile interop: for clients that cannot do better",
        );
    }
}

/// KEKs that were given up with their HSM, and what lay under them.
async fn lost(context: &mut Context<'_>, domain: Domain, lines: &mut Lines) -> Result<(), Failure> {
    for kek in kek_life::keks_of(context, domain).await? {
        if let Some(given_up) = kek.abandoned {
            let told = format!("given up with its HSM; {} records lay under it", given_up.records);
            lines.find(Severity::Critical, format!("kek.{}.lost", kek.generation), told);
        }
    }
    Ok(())
}

/// Whether the people there are could satisfy each rule of their domain's policy, and how many could be missing.
async fn quorum(context: &mut Context<'_>, domain: Domain, lines: &mut Lines) -> Result<(), Failure> {
    let keeper = proposal::keeper(context);
    let register = register(context.services, &keeper);
    let around = register.surroundings(domain, context.now.0, context.work).await?;
    let now_ms = context.services.clock.steady(context.now).0;
    let Some(policy) = &around.policy else {
        return Ok(());
    };
    for rule in &policy.record.policy.rules {
        let name = format!("quorum.{}", rule.rule_name);
        match reach(rule, &around.electorate, now_ms) {
            Reach::Spare(0) => lines.find(Severity::Notice, name, "can be met, with nobody to spare"),
            Reach::Spare(margin) => lines.add(name, format!("can be met, with {margin} to spare")),
            Reach::Emergency => lines.find(Severity::Warning, name, "can be met by its way for emergencies alone"),
            Reach::None => lines.find(Severity::Critical, name, "CANNOT be met by the people there are"),
        }
    }
    Ok(())
}

async fn custody(context: &mut Context<'_>, mut seen: Vec<CustodyState>, lines: &mut Lines) -> Result<(), Failure> {
    seen.sort_unstable_by_key(|state| state.domain.0);
    let beyond = seen.len().saturating_sub(MOST);
    for state in seen.into_iter().take(MOST) {
        let name = match state.domain {
            Domain::SYSTEM => "system".to_owned(),
            tenant => match tenant_name(context, tenant).await? {
                Some(name) => format!("tenant {name}"),
                None => continue,
            },
        };
        // Its own people are told of each endpoint.
        if context.principal.domain() == Some(Domain::SYSTEM)
            && let Some((severity, told)) = backlog::sum(context, state.domain).await?
        {
            lines.tell(severity, format!("endpoints.{name}"), told);
        }
        let (name, kind, keks) = (format!("custody.{name}"), describe(state.kind), state.keks);
        if state.compromised > 0 {
            let urged = "compromised: activate another KEK, rewrap, delete";
            let urged = format!("{} {urged}", state.compromised);
            lines.find(Severity::Critical, format!("{name}.compromised"), urged);
        }
        if state.open {
            lines.add(name, format!("{kind} ({keks} KEKs), open"));
        } else {
            lines.find(
                Severity::Critical,
                name,
                format!("{kind} ({keks} KEKs), cannot be reached"),
            );
        }
    }
    if beyond > 0 {
        lines.add("custody", format!("{beyond} more tenants"));
    }
    Ok(())
}

async fn tenant_name(context: &mut Context<'_>, tenant: Domain) -> Result<Option<String>, Failure> {
    let Some(record) = context.services.store.load(TenantRecord::key(tenant)).await? else {
        return Ok(None);
    };
    let record = TenantRecord::decode(records::open(&context.services.custody, &record)?)?;
    Ok(Some(record.name))
}

async fn profiles(context: &mut Context<'_>, lines: &mut Lines) -> Result<(), Failure> {
    let mut providers = Vec::new();
    for (profile, provider) in context.services.custody.providers() {
        if let Some(record) = hsm_profile::load(context, profile).await? {
            providers.push((record, profile, provider));
        }
    }
    providers.sort_by(|(a, ..), (b, ..)| a.name.cmp(&b.name));
    for (record, profile, provider) in providers {
        let name = format!("hsm_profile.{}", record.name);
        let what = match &record.token {
            Some(token) => format!("token {} of module {}", token.label, token.module),
            None => "key files on the server's disk".to_owned(),
        };
        if let Some(given_up) = record.abandoned {
            let (date, lost) = (given_up.at_ms.div_euclid(1000), given_up.records);
            lines.add(
                name,
                format!("{what}, given up {date} s after 1970, with {lost} records"),
            );
            continue;
        }
        match provider.health().await {
            Ok(()) => lines.add(name.as_str(), format!("{what}, answers")),
            Err(why) => lines.find(
                Severity::Critical,
                name.as_str(),
                format!("{what}, does not answer: {why}"),
            ),
        }
        if hsm_profile::staged(&context.services.store, profile).await?.is_some() {
            lines.find(
                Severity::Warning,
                name.as_str(),
                "a change of its PIN was interrupted: test the profile",
            );
        }
    }
    Ok(())
}

const fn describe(kind: Option<SealerKind>) -> &'static str {
    match kind {
        Some(SealerKind::Software) => "software",
        Some(SealerKind::Resident) => "resident in the HSM",
        Some(SealerKind::Protected) => "software, opened through an HSM",
        None => "no active KEK",
    }
}

async fn trail(context: &Context<'_>, lines: &mut Lines) -> Result<(), Failure> {
    let mut heads = context.services.store.trail_heads().await?;
    heads.sort_unstable_by_key(|head| head.position.stream);
    lines.add("trail.streams", heads.len().to_string());
    for head in heads.iter().take(MOST) {
        let (stream, sequence) = (head.position.stream, head.position.sequence);
        lines.add(format!("trail.{stream}"), format!("{sequence} {}", Hex(&head.hash)));
    }
    Ok(())
}
