//! Connections over which the server asks (KMIP 2.1 §6.1.54), with real TLS.

use super::world::{World, ask, read, reply, request};
use claviger::listener::{Limits, TlsProfile};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// A connection over which the server asks these requests after its first answer.
async fn reversed(world: &World, requests: &[Vec<u8>], answers_again: bool) -> TlsStream<TcpStream> {
    let mut stream = world.connect(Some(&world.alice())).await.unwrap();
    *world.script.lock().unwrap() = Some((requests.to_vec().into(), answers_again));
    assert_eq!(ask(&mut stream, 0).await.unwrap(), "alice");
    stream
}

async fn is_closed(mut stream: TlsStream<TcpStream>) {
    // With a word, or without one where it had more to say.
    assert!(matches!(stream.read(&mut [0; 16]).await, Ok(0) | Err(_)));
}

#[tokio::test]
async fn the_server_asks_one_thing_after_the_other_and_answers_again() {
    let world = World::new(TlsProfile::Bsi, Limits::default()).await;
    let mut stream = reversed(&world, &[request(1, 2), request(3, 4)], true).await;
    for asked in [request(1, 2), request(3, 4)] {
        assert_eq!(read(&mut stream).await.unwrap(), asked);
        stream.write_all(&reply(true)).await.unwrap();
    }
    assert_eq!(ask(&mut stream, 0).await.unwrap(), "alice");
    // It is asked nothing now, so it answers nothing.
    stream.write_all(&reply(true)).await.unwrap();
    is_closed(stream).await;
}

#[tokio::test]
async fn whoever_answers_something_else_or_unasked_is_cut() {
    let world = World::new(TlsProfile::Bsi, Limits::default()).await;
    let overlong = [0x42, 0, 0x7B, 1, 0x7F, 0xFF, 0xFF, 0xF8];
    for answer in [
        request(1, 1),
        reply(false),
        overlong.to_vec(),
        b"GET / HTTP/1.1\r\n".to_vec(),
    ] {
        let mut stream = reversed(&world, &[request(1, 2)], true).await;
        assert_eq!(read(&mut stream).await.unwrap(), request(1, 2));
        stream.write_all(&answer).await.unwrap();
        is_closed(stream).await;
    }
    for unasked in [request(1, 1), reply(true)] {
        let mut stream = reversed(&world, &[], false).await;
        stream.write_all(&unasked).await.unwrap();
        is_closed(stream).await;
    }
}

#[tokio::test]
async fn whoever_is_silent_is_cut_and_shutdown_waits_for_nobody() {
    let limits = Limits {
        message: Duration::from_millis(300),
        ..Limits::default()
    };
    let world = World::new(TlsProfile::Bsi, limits).await;
    let mut silent = reversed(&world, &[request(1, 2)], true).await;
    assert_eq!(read(&mut silent).await.unwrap(), request(1, 2));
    is_closed(silent).await;

    let limits = Limits {
        idle: Duration::from_millis(300),
        ..Limits::default()
    };
    let world = World::new(TlsProfile::Bsi, limits).await;
    is_closed(reversed(&world, &[], false).await).await;

    let world = World::new(TlsProfile::Bsi, Limits::default()).await;
    let waiting = reversed(&world, &[], false).await;
    assert_eq!(world.end().await.cut, 0);
    is_closed(waiting).await;
}

#[tokio::test]
async fn news_has_a_connection_that_waits_asked_at_once() {
    let world = World::new(TlsProfile::Bsi, Limits::default()).await;
    let mut stream = reversed(&world, &[], false).await;
    *world.script.lock().unwrap() = Some(([request(1, 2)].into(), true));
    world.news.notify_one();
    assert_eq!(read(&mut stream).await.unwrap(), request(1, 2));
}
