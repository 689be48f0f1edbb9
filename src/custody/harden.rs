//! Process hardening: no core dump, no tracing by the same user, death with the parent; and the socket pair to a worker.
#![allow(unsafe_code)] // prctl, setrlimit, socketpair, recv

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

/// Makes the process undumpable (core dumps off, `/proc/self/mem` closed to the same user). Call it first in `main`.
///
/// # Errors
/// What the operating system says.
pub fn harden() -> io::Result<()> {
    let none = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the structure lives through the call.
    if unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: this prctl takes integers only.
    if unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Whether [`harden`] is in force.
#[must_use]
pub fn is_hardened() -> bool {
    // SAFETY: this prctl takes integers only.
    unsafe { libc::prctl(libc::PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 }
}

/// Asks to be killed when the parent *thread* dies, and checks that the parent is still `parent` (it may have died
/// before).
///
/// # Errors
/// What the operating system says; `NotConnected` if the parent is gone already.
pub(super) fn die_with_parent(parent: u32) -> io::Result<()> {
    // SAFETY: this prctl takes integers only.
    if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    if std::os::unix::process::parent_id() == parent {
        Ok(())
    } else {
        Err(io::ErrorKind::NotConnected.into())
    }
}

/// A connected pair of sequenced-packet sockets: each write is one frame, whole or not at all, and the death of one end
/// is the end of file of the other. Neither end is inherited unless given on.
///
/// # Errors
/// What the operating system says.
pub(super) fn socket_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut pair = [-1; 2];
    // SAFETY: the array has room for the two descriptors.
    let outcome = unsafe {
        libc::socketpair(
            libc::AF_UNIX,
            libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC,
            0,
            pair.as_mut_ptr(),
        )
    };
    if outcome != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: two fresh descriptors that nobody else owns.
    Ok(unsafe { (OwnedFd::from_raw_fd(pair[0]), OwnedFd::from_raw_fd(pair[1])) })
}

/// Receives a frame that is there already.
///
/// # Errors
/// What the operating system says; `WouldBlock` where there is none.
pub(super) fn receive_now(socket: &impl AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    let raw = socket.as_fd().as_raw_fd();
    // SAFETY: the buffer is writable for its length, and the descriptor open.
    let received = unsafe { libc::recv(raw, buffer.as_mut_ptr().cast(), buffer.len(), libc::MSG_DONTWAIT) };
    usize::try_from(received).map_err(|_| io::Error::last_os_error())
}

/// Takes standard input over and leaves `/dev/null` in its place, so that nothing else in the process reads from it.
///
/// # Errors
/// What the operating system says.
pub(super) fn take_standard_input() -> io::Result<OwnedFd> {
    let taken = io::stdin().as_fd().try_clone_to_owned()?;
    let nothing = std::fs::File::open("/dev/null")?;
    // SAFETY: both descriptors are open; the one replaced is owned by nobody but the process as a whole.
    if unsafe { libc::dup2(nothing.as_raw_fd(), libc::STDIN_FILENO) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;

    #[test]
    fn frames_keep_their_bounds_and_death_is_seen() {
        let (near, far) = socket_pair().unwrap();
        let (near, far) = (UnixDatagram::from(near), UnixDatagram::from(far));
        near.send(b"one").unwrap();
        near.send(b"three").unwrap();
        let mut buffer = [0; 16];
        assert_eq!(far.recv(&mut buffer).unwrap(), 3);
        assert_eq!(far.recv(&mut buffer).unwrap(), 5);
        assert_eq!(
            receive_now(&far, &mut buffer).unwrap_err().kind(),
            io::ErrorKind::WouldBlock
        );
        near.send(b"two").unwrap();
        assert_eq!(receive_now(&far, &mut buffer).unwrap(), 3);
        drop(near);
        assert_eq!(far.recv(&mut buffer).unwrap(), 0);
        assert_eq!(receive_now(&far, &mut buffer).unwrap(), 0);
    }
}
