//! A TCP proxy that delays, limits, cuts, changes, repeats or holds back the bytes it passes on.

use super::{Line, LinkProfile, sleep_until};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const CHUNK: usize = 16 << 10;
/// Chunks under way, in one direction.
const UNDER_WAY: usize = 4096;
const POLL: Duration = Duration::from_millis(5);

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From whoever dialled the emulator to its target.
    Forward,
    /// From the target back.
    Backward,
}

/// What the network does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteFault {
    /// Ends the connection, both ways.
    Cut,
    /// Flips a bit.
    Corrupt,
    /// Passes some bytes on twice.
    Replay,
    /// Passes nothing on any more, both ways, and keeps the connection.
    Stall,
}

struct Armed {
    direction: Direction,
    after: usize,
    fault: ByteFault,
}

#[derive(Default)]
struct Control {
    armed: Mutex<Option<Armed>>,
    stalled: AtomicBool,
    stopped: AtomicBool,
}

/// The proxy. It ends when it is dropped.
pub struct TcpEmulator {
    address: SocketAddr,
    control: Arc<Control>,
}

impl TcpEmulator {
    /// Listens on a free local port and passes every connection on to `target`.
    pub fn start(target: SocketAddr, profile: LinkProfile) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let control = Arc::new(Control::default());
        let accepting = control.clone();
        std::thread::Builder::new().spawn(move || {
            while !accepting.stopped.load(Ordering::Relaxed) {
                match listener.accept() {
                    // A target that is not there yet looks like a connection that ends at once.
                    Ok((near, _)) => drop(pass(near, target, profile, &accepting)),
                    Err(_) => std::thread::sleep(POLL),
                }
            }
        })?;
        Ok(Self { address, control })
    }

    /// Where to dial.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets `fault` happen when `after` more bytes have gone in `direction`.
    pub fn inject(&self, direction: Direction, after: usize, fault: ByteFault) {
        let mut armed = self.control.armed.lock().unwrap_or_else(PoisonError::into_inner);
        *armed = Some(Armed { direction, after, fault });
    }
}

impl Drop for TcpEmulator {
    fn drop(&mut self) {
        self.control.stopped.store(true, Ordering::Relaxed);
    }
}

fn pass(
    near: TcpStream,
    target: SocketAddr,
    profile: LinkProfile,
    control: &Arc<Control>,
) -> std::io::Result<()> {
    near.set_nonblocking(false)?;
    let far = TcpStream::connect(target)?;
    for stream in [&near, &far] {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_millis(50)))?;
    }
    let ways = [(Direction::Forward, &near, &far), (Direction::Backward, &far, &near)];
    for (direction, from, to) in ways {
        let (sender, receiver) = sync_channel(UNDER_WAY);
        let (from, to, control) = (from.try_clone()?, to.try_clone()?, control.clone());
        let peer = from.try_clone()?;
        std::thread::Builder::new()
            .spawn(move || take(from, &sender, direction, Line::new(profile), &control))?;
        std::thread::Builder::new().spawn(move || deliver(to, &peer, &receiver))?;
    }
    Ok(())
}

enum Parcel {
    Bytes(Instant, Vec<u8>),
    Cut,
}

/// Reads, applies the fault, and gives every chunk its time of arrival.
fn take(
    mut from: TcpStream,
    sender: &SyncSender<Parcel>,
    direction: Direction,
    mut line: Line,
    control: &Control,
) {
    let mut buffer = vec![0; CHUNK];
    loop {
        if control.stopped.load(Ordering::Relaxed) {
            let _ = sender.send(Parcel::Cut);
            return;
        }
        let count = match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => count,
            Err(error) if crate::channel::tls::is_wait(&error) => continue,
            Err(_) => return,
        };
        let mut bytes = buffer[..count].to_vec();
        match control.due(direction, count) {
            Some((_, ByteFault::Cut)) => {
                let _ = sender.send(Parcel::Cut);
                return;
            }
            Some((_, ByteFault::Stall)) => control.stalled.store(true, Ordering::Relaxed),
            Some((position, ByteFault::Corrupt)) => bytes[position] ^= 1,
            Some((_, ByteFault::Replay)) => bytes.extend_from_within(..),
            None => {}
        }
        let parcel = Parcel::Bytes(line.arrival(bytes.len()), bytes);
        if !control.stalled.load(Ordering::Relaxed) && sender.send(parcel).is_err() {
            return;
        }
    }
}

impl Control {
    /// The fault that strikes within the next `count` bytes, and where.
    fn due(&self, direction: Direction, count: usize) -> Option<(usize, ByteFault)> {
        let mut guard = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let armed = guard.as_mut().filter(|armed| armed.direction == direction)?;
        if armed.after >= count {
            armed.after -= count;
            return None;
        }
        let struck = (armed.after, armed.fault);
        *guard = None;
        Some(struck)
    }
}

fn deliver(mut to: TcpStream, from: &TcpStream, receiver: &Receiver<Parcel>) {
    loop {
        match receiver.recv() {
            Ok(Parcel::Bytes(due, bytes)) => {
                sleep_until(due);
                if to.write_all(&bytes).is_err() {
                    break;
                }
            }
            Ok(Parcel::Cut) => break,
            Err(_) => {
                // The end of one direction leaves the other.
                let _ = to.shutdown(Shutdown::Write);
                return;
            }
        }
    }
    for stream in [&to, from] {
        let _ = stream.shutdown(Shutdown::Both);
    }
}
