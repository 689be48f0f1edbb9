//! How connections behave: records, deadlines, limits, order, drain.

use crate::world::*;
use claviger::listener::{Limits, OutgoingError, TlsProfile};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

/// Keeps what the server sent, so that its records can be counted.
struct Tap {
    stream: TcpStream,
    received: Arc<Mutex<Vec<u8>>>,
}

impl AsyncRead for Tap {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.received.lock().unwrap().extend_from_slice(&buf.filled()[before..]);
        polled
    }
}

impl AsyncWrite for Tap {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The lengths of the records in a stream of TLS.
fn records(mut bytes: &[u8]) -> Vec<usize> {
    let mut lengths = Vec::new();
    while let [_, _, _, a, b, rest @ ..] = bytes {
        let length = usize::from(u16::from_be_bytes([*a, *b]));
        lengths.push(length);
        bytes = &rest[length..];
    }
    lengths
}

#[tokio::test]
async fn an_answer_is_one_record_up_to_sixteen_kilobytes() {
    let world = World::new(TlsProfile::Bsi, Limits::default()).await;
    let received = Arc::new(Mutex::new(Vec::new()));
    let stream = TcpStream::connect(world.address).await.unwrap();
    let tap = Tap {
        stream,
        received: received.clone(),
    };
    let mut stream = connect_over(tap, Arc::new(world.config(Some(&world.alice()))))
        .await
        .unwrap();
    // The session ticket comes with the first answer.
    ask(&mut stream, 0).await.unwrap();
    for (size, count) in [(0, 1), (200, 1), (4096, 1), (16_384, 1), (16_392, 2), (100_000, 7)] {
        received.lock().unwrap().clear();
        stream.write_all(&request(size, 0)).await.unwrap();
        let answer = read(&mut stream).await.unwrap();
        assert!(answer.len() >= usize::try_from(size).unwrap());
        let records = records(&received.lock().unwrap());
        assert_eq!(records.len(), count, "{size}: {records:?}");
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let world = World::new(TlsProfile::Bsi, Limits::default()).await;
    let mut stream = world.connect(Some(&world.alice())).await.unwrap();
    let many: Vec<u8> = [(64, 50), (128, 0), (4096, 10), (256, 0)]
        .iter()
        .flat_map(|(s, d)| request(*s, *d))
        .collect();
    stream.write_all(&many).await.unwrap();
    for size in [64, 128, 4096, 256] {
        assert_eq!(read(&mut stream).await.unwrap().len(), size);
    }
}

#[tokio::test]
async fn a_slow_sender_is_cut_and_an_idle_one_is_not() {
    let limits = Limits {
        message: Duration::from_millis(300),
        ..Limits::default()
    };
    let world = World::new(TlsProfile::Bsi, limits).await;
    let alice = world.alice();
    let mut idle = world.connect(Some(&alice)).await.unwrap();
    let mut slow = world.connect(Some(&alice)).await.unwrap();
    let mut cut = false;
    for byte in request(0, 0) {
        if slow.write_all(&[byte]).await.is_err() {
            cut = true;
            break;
        }
        let mut nothing = [0; 1];
        if let Ok(Ok(0) | Err(_)) = tokio::time::timeout(Duration::from_millis(60), slow.read(&mut nothing)).await {
            cut = true;
            break;
        }
    }
    assert!(cut);
    assert_eq!(ask(&mut idle, 0).await.unwrap(), "alice");
}

#[tokio::test]
async fn a_silent_stranger_is_cut_at_the_handshake() {
    let limits = Limits {
        handshake: Duration::from_millis(200),
        ..Limits::default()
    };
    let world = World::new(TlsProfile::Bsi, limits).await;
    let mut silent = TcpStream::connect(world.address).await.unwrap();
    let ended = tokio::time::timeout(LONGEST, silent.read(&mut [0; 16])).await;
    assert!(matches!(ended, Ok(Ok(0) | Err(_))));
}

#[tokio::test]
async fn an_idle_limit_holds() {
    let limits = Limits {
        idle: Duration::from_secs(2),
        ..Limits::default()
    };
    let world = World::new(TlsProfile::Bsi, limits).await;
    let mut stream = world.connect(Some(&world.alice())).await.unwrap();
    assert_eq!(ask(&mut stream, 0).await.unwrap(), "alice");
    let ended = tokio::time::timeout(LONGEST, stream.read(&mut [0; 16])).await;
    assert!(matches!(ended, Ok(Ok(0))), "closed with close_notify");
}

#[tokio::test]
async fn an_overlong_message_is_answered_and_the_server_lives_on() {
    let limits = Limits {
        message_length: 1024,
        ..Limits::default()
    };
    let world = World::new(TlsProfile::Bsi, limits).await;
    let alice = world.alice();
    for length in [1024_u32, 1 << 20, u32::MAX - 7] {
        let mut stream = world.connect(Some(&alice)).await.unwrap();
        let mut long = vec![0x42, 0, 0x78, 1];
        long.extend(length.to_be_bytes());
        long.resize(3000, 0);
        stream.write_all(&long).await.unwrap();
        assert!(text(&read(&mut stream).await.unwrap()).starts_with("too long after"));
        assert_eq!(stream.read(&mut [0; 16]).await.unwrap(), 0);
    }
    let mut web = world.connect(Some(&alice)).await.unwrap();
    web.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(web.read(&mut [0; 16]).await.unwrap(), 0);
    assert_eq!(world.ask(Some(&alice)).await.unwrap(), "alice");
}

#[tokio::test]
async fn truncated_messages_and_broken_tls_hurt_nobody() {
    let world = World::new(TlsProfile::Bsi, Limits::default()).await;
    let alice = world.alice();
    let mut stream = world.connect(Some(&alice)).await.unwrap();
    stream.write_all(&request(0, 0)[..12]).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut garbage = TcpStream::connect(world.address).await.unwrap();
    garbage.write_all(&[0xFF; 100]).await.unwrap();
    drop(world.connect(Some(&alice)).await.unwrap());
    assert_eq!(world.ask(Some(&alice)).await.unwrap(), "alice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_at_once() {
    let world = Arc::new(World::new(TlsProfile::Bsi, Limits::default()).await);
    let config = Arc::new(world.config(Some(&world.alice())));
    let clients = (0..100).map(|i| {
        let (world, config) = (world.clone(), config.clone());
        tokio::spawn(async move {
            let mut stream = world.connect_with(config).await.unwrap();
            for _ in 0..10 {
                assert_eq!(ask(&mut stream, i * 100).await.unwrap(), "alice");
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
}

#[tokio::test]
async fn limits_on_connections_and_handshakes_hold() {
    let limits = Limits {
        connections: 2,
        ..Limits::default()
    };
    let world = World::new(TlsProfile::Bsi, limits).await;
    let alice = world.alice();
    let first = world.connect(Some(&alice)).await.unwrap();
    let mut second = world.connect(Some(&alice)).await.unwrap();
    assert!(world.ask(Some(&alice)).await.is_err());
    drop(first);
    until(async || world.ask(Some(&alice)).await.is_ok_and(|name| name == "alice")).await;
    assert_eq!(ask(&mut second, 0).await.unwrap(), "alice");
    let limits = Limits {
        handshakes_per_source: 1,
        ..Limits::default()
    };
    let world = World::new(TlsProfile::Bsi, limits).await;
    let silent = TcpStream::connect(world.address).await.unwrap();
    until(async || world.ask(Some(&alice)).await.is_err()).await;
    drop(silent);
    let alice = world.alice();
    until(async || world.ask(Some(&alice)).await.is_ok_and(|name| name == "alice")).await;
}

#[tokio::test]
async fn shutdown_finishes_what_is_in_flight() {
    let world = World::new(TlsProfile::Bsi, Limits::default()).await;
    let alice = world.alice();
    let mut idle = world.connect(Some(&alice)).await.unwrap();
    ask(&mut idle, 0).await.unwrap();
    let mut busy = world.connect(Some(&alice)).await.unwrap();
    busy.write_all(&request(64, 1_000)).await.unwrap();
    world.until_asked(2).await;
    world.begin_shutdown();
    assert_eq!(
        idle.read(&mut [0; 16]).await.unwrap(),
        0,
        "an idle connection is closed at once"
    );
    assert_eq!(
        read(&mut busy).await.unwrap().len(),
        64,
        "a request in flight is answered"
    );
    assert_eq!(busy.read(&mut [0; 16]).await.unwrap(), 0);
    assert!(TcpStream::connect(world.address).await.is_err(), "nobody else gets in");
    assert_eq!(world.end().await.cut, 0);
}

#[tokio::test]
async fn a_drain_has_an_end() {
    let limits = Limits {
        drain: Duration::from_millis(200),
        ..Limits::default()
    };
    let world = World::new(TlsProfile::Bsi, limits).await;
    let mut busy = world.connect(Some(&world.alice())).await.unwrap();
    busy.write_all(&request(64, 60_000)).await.unwrap();
    world.until_asked(1).await;
    assert_eq!(world.end().await.cut, 1);
}

#[tokio::test]
async fn the_server_asks_its_client_over_the_clients_connection() {
    let world = World::new(TlsProfile::Bsi, Limits::default()).await;
    let mut stream = world.connect(Some(&world.alice())).await.unwrap();
    assert_eq!(ask(&mut stream, 0).await.unwrap(), "alice");
    let outgoing = world.outgoing.clone();
    assert_eq!(outgoing.connections(), 1);
    // Numbers are unique in the process, and other tests have connections too.
    let mut number = None;
    for candidate in 1..100_000 {
        let nobody = outgoing.request(candidate, request(1, 1), Duration::ZERO).await;
        if nobody != Err(OutgoingError::Closed) {
            number = Some(candidate);
            break;
        }
    }
    // The one that found the connection was sent as well; its answer is no longer wanted.
    assert_eq!(read(&mut stream).await.unwrap(), request(1, 1));
    let asked = tokio::spawn(async move { outgoing.request(number.unwrap(), request(5, 6), LONGEST).await });
    assert_eq!(read(&mut stream).await.unwrap(), request(5, 6));
    let reply = |size: u8| vec![0x42, 0, 0x7B, 1, 0, 0, 0, 8, 0x42, 0, 0x7B, 1, 0, 0, 0, size];
    stream
        .write_all(&[reply(0), request(64, 0), reply(1)].concat())
        .await
        .unwrap();
    assert_eq!(read(&mut stream).await.unwrap().len(), 64);
    assert_eq!(asked.await.unwrap(), Ok(reply(1)));
    // A response that nobody asked for ends the connection.
    stream.write_all(&reply(2)).await.unwrap();
    assert_eq!(stream.read(&mut [0; 16]).await.unwrap(), 0);
}
