//! How connections behave: records, deadlines, limits, order, drain.

use crate::world::*;
use claviger::listener::{Limits, TlsProfile};
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
