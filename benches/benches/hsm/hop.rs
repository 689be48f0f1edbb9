//! What the way to another process and back costs on this machine, with nothing at its end: the least that a worker can cost. One thread
//! here that blocks in the kernel, and a task of the runtime that waits.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::figures::summary;

const MEASURED: Duration = Duration::from_secs(2);
/// As long as a request to unwrap is.
const REQUEST: [u8; 154] = [7; 154];

/// The other end: what came goes back.
pub fn echo() {
    let socket = UnixDatagram::from(std::io::stdin().as_fd().try_clone_to_owned().unwrap());
    let mut buffer = [0; 256];
    while let Ok(length @ 1..) = socket.recv(&mut buffer) {
        socket.send(&buffer[..length]).unwrap();
    }
}

fn other() -> (UnixDatagram, Child) {
    let (near, far) = UnixDatagram::pair().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .arg("echo")
        .stdin(Stdio::from(OwnedFd::from(far)))
        .spawn()
        .unwrap();
    (near, child)
}

pub fn hop(runtime: &Runtime) {
    let (socket, mut child) = other();
    let mut buffer = [0; 256];
    let (mut times, start) = (Vec::new(), Instant::now());
    while start.elapsed() < MEASURED {
        let before = Instant::now();
        socket.send(&REQUEST).unwrap();
        socket.recv(&mut buffer).unwrap();
        times.push(before.elapsed());
    }
    let (rate, median) = summary(times, start.elapsed());
    println!("to another process and back, a thread that blocks: {rate:.0}/s, median {median:.1?}");
    socket.set_nonblocking(true).unwrap();
    let (rate, median) = runtime.block_on(async {
        let waiting = tokio::spawn(async move {
            let socket = tokio::net::UnixDatagram::from_std(socket).unwrap();
            let (mut times, start) = (Vec::new(), Instant::now());
            while start.elapsed() < MEASURED {
                let before = Instant::now();
                socket.send(&REQUEST).await.unwrap();
                socket.recv(&mut buffer).await.unwrap();
                times.push(before.elapsed());
            }
            summary(times, start.elapsed())
        });
        waiting.await.unwrap()
    });
    println!("the same, a task of the runtime: {rate:.0}/s, median {median:.1?}");
    child.kill().unwrap();
    child.wait().unwrap();
}
