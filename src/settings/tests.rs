//! Settings as files and environments have them.

use super::*;

const FILE: &str = r#"
    data = "data"
    [listener]
    address = "127.0.0.1:5696"
    certificate = "server.pem"
    key = "/etc/server-key.pem"
    [listener.limits]
    idle_seconds = 60
"#;

fn read(text: &str, environment: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claviger.toml");
    std::fs::write(&path, text).unwrap();
    let environment = environment.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    Settings::read(&path, environment)
}

#[test]
fn a_file_is_read_and_paths_count_from_it() {
    let settings = read(FILE, &[("HOME", "/root"), ("CLAVIGER_SHARED", "/x")]).unwrap();
    assert!(settings.data.is_absolute() && settings.data.ends_with("data"));
    assert_eq!(settings.listener.key, Path::new("/etc/server-key.pem"));
    assert_eq!(settings.listener.profile, ProfileName::Bsi);
    assert_eq!(settings.listener.limits.idle_seconds, Some(60));
    assert_eq!(settings.listener.limits.connections, None);
}

#[test]
fn what_is_not_known_is_an_error() {
    for unknown in [
        "colour = 1",
        "[listener.limits]\nidle = 1",
        "[tenant]\nname = \"x\"",
        "[log]\nformat = \"xml\"",
        "[outbox]\nallow = [\"10.0.0.0/8\"]",
        "[outbox]\nkey = \"a.pem\"",
        "[audit]\nanchor = \"data/anchor\"",
    ] {
        let text = match unknown.strip_prefix("[listener.limits]\n") {
            Some(line) => format!("{FILE}\n{line}"),
            None if unknown.starts_with('[') => format!("{FILE}\n{unknown}"),
            None => format!("{unknown}\n{FILE}"),
        };
        assert!(matches!(read(&text, &[]), Err(SettingsError::Content(..))), "{unknown}");
    }
    let variable = read(FILE, &[("CLAVIGER_LISTENER_ADRESS", "x")]);
    assert!(matches!(variable, Err(SettingsError::Variable(name)) if name == "CLAVIGER_LISTENER_ADRESS"));
}

#[test]
fn the_environment_comes_before_the_file() {
    let set = [
        ("CLAVIGER_LISTENER_ADDRESS", "0.0.0.0:9"),
        ("CLAVIGER_LISTENER_LIMITS_IDLE_SECONDS", "7"),
        ("CLAVIGER_LISTENER_PROFILE", "interop"),
        ("CLAVIGER_CONFORMANCE_INTEROP", "true"),
    ];
    let settings = read(FILE, &set).unwrap();
    assert_eq!(settings.listener.address.port(), 9);
    assert_eq!(settings.listener.limits.idle_seconds, Some(7));
    assert!(settings.conformance.interop);
    let refused = read(FILE, &[("CLAVIGER_CONFORMANCE_INTEROP", "true")]);
    assert!(matches!(refused, Err(SettingsError::Content(..))), "interop with bsi");
}

#[test]
fn people_may_have_a_listener_of_their_own() {
    let more = "[admin_listener]\naddress = \"127.0.0.1:1\"\nauthorities = [\"people.pem\"]\nregistered_people = true\n[people]\nrequire_hardware = [\"system-auditor\"]";
    let settings = read(
        &format!("{FILE}\n{more}"),
        &[("CLAVIGER_ADMIN_LISTENER_ADDRESS", "127.0.0.1:9")],
    )
    .unwrap();
    let admin = settings.admin_listener.unwrap();
    assert_eq!(admin.address.port(), 9);
    assert!(admin.authorities.iter().all(|path| path.is_absolute()) && admin.registered_people);
    assert_eq!(settings.people.require_hardware, [RoleName::SystemAuditor]);
    let half = format!("{FILE}\n[admin_listener]\naddress = \"127.0.0.1:1\"\nkey = \"k.pem\"");
    assert!(matches!(read(&half, &[]), Err(SettingsError::Content(..))));
    let role = format!("{FILE}\n[people]\nrequire_hardware = [\"emperor\"]");
    assert!(matches!(read(&role, &[]), Err(SettingsError::Content(..))));
}

#[test]
fn https_may_have_a_listener() {
    let table = "[https_listener]\naddress = \"127.0.0.1:1\"";
    let mut settings = read(&format!("{FILE}\n{table}"), &[]).unwrap();
    assert_eq!(settings.https_listener.as_ref().unwrap().address.port(), 1);
    settings.serve_https(Some(([127, 0, 0, 1], 2).into()));
    let https = settings.https_listener.unwrap();
    assert_eq!(https.address.port(), 2);
    assert_eq!(https.told_uri().as_deref(), Some("https://127.0.0.1:2/kmip"));
    let everywhere = HttpsListenerTable {
        address: ([0, 0, 0, 0], 443).into(),
        ..https
    };
    assert_eq!(everywhere.told_uri(), None);
    let named = HttpsListenerTable {
        uri: Some("https://kms.example/kmip".to_owned()),
        ..everywhere
    };
    assert_eq!(named.told_uri(), named.uri);
    let by_environment = read(FILE, &[("CLAVIGER_HTTPS_LISTENER_ADDRESS", "127.0.0.1:9")]).unwrap();
    assert_eq!(by_environment.https_listener.unwrap().address.port(), 9);
    for wrong in [
        "key = \"k.pem\"",
        "path = \"/x\"",
        "uri = \"http://kms/kmip\"",
        "limits = { connections = 0 }",
    ] {
        let refused = read(&format!("{FILE}\n{table}\n{wrong}"), &[]);
        assert!(matches!(refused, Err(SettingsError::Content(..))), "{wrong}");
    }
}

#[test]
fn every_place_of_the_environment_is_a_setting() {
    for place in BY_ENVIRONMENT {
        // Some are nothing without others.
        if ["admin_listener", "https_listener", "outbox"]
            .iter()
            .any(|table| place.starts_with(table))
        {
            continue;
        }
        let name = format!("{PREFIX}{}", place.replace('.', "_").to_ascii_uppercase());
        let value = match *place {
            "listener.address" => "1.2.3.4:5",
            "listener.profile" => "interop",
            "log.format" => "json",
            "custody.rng" => "os+hsm",
            "audit.durable_reads" | "conformance.interop" | "demo" | "identity.require_possession" => "true",
            number if number.contains("limits") || number.starts_with("objects") || number.starts_with("store") => {
                "2000"
            }
            _ => "text",
        };
        let profile = ("CLAVIGER_LISTENER_PROFILE", "interop");
        assert!(read(FILE, &[profile, (&name, value)]).is_ok(), "{place}");
    }
}
