//! KMIP over HTTPS: encodings, what HTTP refuses, deadlines, drain.

use crate::world::*;
use claviger::listener::{Limits, TlsProfile};
use kmip_protocol::names::KmipVocabulary;
use kmip_ttlv::{TextLimits, json, xml};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

type Stream = TlsStream<TcpStream>;

/// A response of HTTP.
struct Response {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Response {
    fn content_type(&self) -> &str {
        let line = self.head.lines().find_map(|l| l.strip_prefix("content-type: "));
        line.unwrap_or_default()
    }
}

fn post(kind: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("POST /kmip HTTP/1.1\r\nhost: a\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

async fn response(stream: &mut Stream) -> Option<Response> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let length = head.lines().find_map(|l| l.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |l| l.parse().unwrap())];
    stream.read_exact(&mut body).await.ok()?;
    Some(Response { status, head, body })
}

async fn ask_for(stream: &mut Stream, request: &[u8]) -> Response {
    stream.write_all(request).await.unwrap();
    response(stream).await.unwrap()
}

#[tokio::test]
async fn every_encoding_is_answered_in_kind_on_one_connection() {
    let world = World::https(Limits::default()).await;
    let mut stream = world.connect(Some(&world.alice())).await.unwrap();
    let message = request(40, 0);
    let as_xml = xml::from_ttlv(&message, &KmipVocabulary).unwrap().to_string();
    let as_json = json::from_ttlv(&message, &KmipVocabulary).unwrap().to_string();
    let ttlv = ask_for(&mut stream, &post("application/octet-stream", &message)).await;
    assert_eq!((ttlv.status, ttlv.content_type()), (200, "application/octet-stream"));
    assert_eq!(text(&ttlv.body), "alice");
    assert!(ttlv.head.contains("cache-control: no-store"));
    let limits = TextLimits::default();
    let read = ask_for(&mut stream, &post("text/xml; charset=utf-8", as_xml.as_bytes())).await;
    assert_eq!((read.status, read.content_type()), (200, "text/xml"));
    let body = core::str::from_utf8(&read.body).unwrap();
    assert_eq!(*xml::to_ttlv(body, &KmipVocabulary, limits).unwrap(), ttlv.body);
    let read = ask_for(&mut stream, &post("application/json", as_json.as_bytes())).await;
    assert_eq!((read.status, read.content_type()), (200, "application/json"));
    let body = core::str::from_utf8(&read.body).unwrap();
    assert_eq!(*json::to_ttlv(body, &KmipVocabulary, limits).unwrap(), ttlv.body);
}

#[tokio::test]
async fn an_old_client_closes_after_each_request() {
    let world = World::https(Limits::default()).await;
    let mut stream = world.connect(Some(&world.alice())).await.unwrap();
    let newer = String::from_utf8(post("application/octet-stream", &[])).unwrap();
    let message = request(0, 0);
    let older = newer.replace("HTTP/1.1", "HTTP/1.0");
    let older = older.replace("content-length: 0", &format!("content-length: {}", message.len()));
    let answer = ask_for(&mut stream, &[older.as_bytes(), &message].concat()).await;
    assert_eq!((answer.status, text(&answer.body).as_str()), (200, "alice"));
    assert!(!matches!(stream.read(&mut [0; 16]).await, Ok(1..)));
}

#[tokio::test]
async fn what_is_no_message_is_refused_by_http() {
    let limits = Limits {
        message_length: 1024,
        ..Limits::default()
    };
    let world = World::https(limits).await;
    let alice = world.alice();
    let long = vec![b'x'; 1025];
    let chunked = [
        b"POST /kmip HTTP/1.1\r\nhost: a\r\ncontent-type: application/octet-stream\r\ntransfer-encoding: chunked\r\n\r\n401\r\n",
        long.as_slice(),
        b"\r\n0\r\n\r\n",
    ];
    let cases: [(&[u8], u16); 9] = [
        (b"GET /kmip HTTP/1.1\r\nhost: a\r\n\r\n", 405),
        (b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", 404),
        (b"POST /kmip/x HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n", 404),
        (&post("text/plain", &request(0, 0)), 415),
        (b"POST /kmip HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n", 415),
        (&post("application/octet-stream", &long), 413),
        (&chunked.concat(), 413),
        // The exchange of these tests says nothing to what it cannot read.
        (&post("text/xml", b"<RequestMessage"), 400),
        (
            &post("application/octet-stream", &[0x42, 0, 0x78, 1, 0, 0, 0, 0, 0]),
            400,
        ),
    ];
    for (request, status) in cases {
        let mut stream = world.connect(Some(&alice)).await.unwrap();
        let answer = ask_for(&mut stream, request).await;
        assert_eq!(answer.status, status, "{}", String::from_utf8_lossy(request));
        assert!(answer.body.is_empty());
        assert!(answer.head.contains("connection: close"));
    }
    let mut stream = world.connect(Some(&alice)).await.unwrap();
    stream.write_all(&[b'x'; 40_000]).await.unwrap();
    assert_ne!(response(&mut stream).await.map(|r| r.status), Some(200));
    let mut stream = world.connect(Some(&alice)).await.unwrap();
    assert_eq!(
        ask_for(&mut stream, &post("application/octet-stream", &request(0, 0)))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn nobody_gets_in_without_a_certificate() {
    let world = World::https(Limits::default()).await;
    let Ok(mut stream) = world.connect(None).await else {
        return;
    };
    let _ = stream
        .write_all(&post("application/octet-stream", &request(0, 0)))
        .await;
    assert!(response(&mut stream).await.is_none());
}

#[tokio::test]
async fn the_handshake_chooses_http() {
    let world = World::https(Limits::default()).await;
    let alice = world.alice();
    let mut config = world.config(Some(&alice));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = world.connect_with(config.clone().into()).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
    config.alpn_protocols = vec![b"h2".to_vec()];
    assert!(world.connect_with(config.into()).await.is_err());
    let plain = World::new(TlsProfile::Bsi, Limits::default()).await;
    assert_eq!(plain.ask(Some(&plain.alice())).await.unwrap(), "alice");
}

#[tokio::test]
async fn slow_and_silent_peers_are_cut() {
    let limits = Limits {
        message: Duration::from_secs(1),
        idle: Duration::from_secs(2),
        ..Limits::default()
    };
    let world = World::https(limits).await;
    let alice = world.alice();
    let whole = post("application/octet-stream", &request(0, 0));
    // Within the head, within the body, before the first request, after one.
    for (sent, answered) in [(10, false), (whole.len() - 3, false), (0, false), (whole.len(), true)] {
        let mut stream = world.connect(Some(&alice)).await.unwrap();
        stream.write_all(&whole[..sent]).await.unwrap();
        let answer = timeout(LONGEST, response(&mut stream)).await.unwrap();
        assert_eq!(answer.is_some_and(|a| a.status == 200), answered, "{sent}");
        let ended = timeout(LONGEST, stream.read(&mut [0; 16])).await;
        assert!(matches!(ended, Ok(Ok(0) | Err(_))), "{sent}");
    }
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_cut() {
    let limits = Limits {
        write: Duration::from_millis(300),
        ..Limits::default()
    };
    let world = World::https(limits).await;
    let size = 64 * 1024 * 1024;
    let whole = post("application/octet-stream", &request(size, 0));
    let mut taken = true;
    // The answer has to be made and the time to be over before anybody reads: how long that takes is the machine's.
    for pause in [2, 8, 30] {
        let mut stream = world.connect(Some(&world.alice())).await.unwrap();
        stream.write_all(&whole).await.unwrap();
        tokio::time::sleep(Duration::from_secs(pause)).await;
        taken = timeout(LONGEST, response(&mut stream)).await.unwrap().is_some();
        if !taken {
            break;
        }
    }
    assert!(!taken, "it was cut before all was taken");
}

#[tokio::test]
async fn shutdown_finishes_what_is_in_flight() {
    let world = World::https(Limits::default()).await;
    let alice = world.alice();
    let fresh = world.connect(Some(&alice)).await.unwrap();
    let mut idle = world.connect(Some(&alice)).await.unwrap();
    ask_for(&mut idle, &post("application/octet-stream", &request(0, 0))).await;
    let mut busy = world.connect(Some(&alice)).await.unwrap();
    busy.write_all(&post("application/octet-stream", &request(64, 1_000)))
        .await
        .unwrap();
    world.until_asked(2).await;
    world.begin_shutdown();
    assert_eq!(response(&mut busy).await.unwrap().body.len(), 64);
    let ended = timeout(LONGEST, idle.read(&mut [0; 16])).await;
    assert!(matches!(ended, Ok(Ok(0) | Err(_))));
    assert_eq!(world.end().await.cut, 0, "not even one that never asked anything");
    drop(fresh);
}
