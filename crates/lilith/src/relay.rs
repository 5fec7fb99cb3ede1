//! The way of peers to jobs: the server owns the ports that peers dial, and copies bytes between
//! them and the job that listens on this machine, wherever it was put. TLS runs from end to end
//! between the two `twain` processes, with pinned keys: what passes here is ciphertext.
//!
//! Who dials before the job listens waits in the queue of the system's connections; nobody is
//! accepted for a job that is not there.

use crate::error::{Code, ServiceError};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::AbortHandle;

/// A pair needs one connection, and tries two; strangers may take some.
const CONNECTIONS: usize = 16;

/// The ports.
#[derive(Debug)]
pub struct Relay {
    bind: IpAddr,
    ports: Mutex<HashMap<u16, Port>>,
    /// Bytes carried in connections that have ended, both ways.
    carried: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Port {
    target: watch::Sender<Option<SocketAddr>>,
    task: AbortHandle,
}

impl Drop for Port {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Relay {
    /// Listens on this address.
    pub fn new(bind: IpAddr) -> Self {
        Self { bind, ports: Mutex::default(), carried: Arc::default() }
    }

    fn ports(&self) -> MutexGuard<'_, HashMap<u16, Port>> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens on a port, if it does not yet.
    ///
    /// # Errors
    /// [`Code::PortTaken`] if another program of the machine has it.
    pub fn open(&self, port: u16) -> Result<(), ServiceError> {
        let mut ports = self.ports();
        if ports.contains_key(&port) {
            return Ok(());
        }
        let failed = |error: std::io::Error| {
            let text = format!("the server cannot listen on port {port}: {error}");
            ServiceError::new(Code::PortTaken, text)
        };
        let listener = std::net::TcpListener::bind((self.bind, port)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let listener = TcpListener::from_std(listener).map_err(failed)?;
        let (target, aim) = watch::channel(None);
        let task = tokio::spawn(serve(listener, aim, self.carried.clone())).abort_handle();
        ports.insert(port, Port { target, task });
        Ok(())
    }

    /// Leads who dials a port to a job, or to none.
    pub fn aim(&self, port: u16, job: Option<SocketAddr>) {
        if let Some(port) = self.ports().get(&port) {
            port.target.send_replace(job);
        }
    }

    /// Gives ports back that are not among these.
    pub fn keep_only(&self, kept: &[u16]) {
        self.ports().retain(|port, _| kept.contains(port));
    }

    /// How many ports are held.
    pub fn held(&self) -> usize {
        self.ports().len()
    }

    /// Bytes carried in connections that have ended, both ways.
    pub fn carried(&self) -> u64 {
        self.carried.load(Ordering::Relaxed)
    }
}

async fn serve(
    listener: TcpListener,
    mut aim: watch::Receiver<Option<SocketAddr>>,
    carried: Arc<AtomicU64>,
) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let job = match aim.wait_for(Option::is_some).await {
            Ok(job) => *job,
            Err(_) => return,
        };
        let Some(job) = job else { continue };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = aim.changed() => continue,
        };
        let (Ok((peer, _)), Ok(permit)) = (accepted, room.clone().try_acquire_owned()) else {
            continue;
        };
        let carried = carried.clone();
        tokio::spawn(async move {
            if let Ok((to, from)) = carry(peer, job).await {
                carried.fetch_add(to + from, Ordering::Relaxed);
            }
            drop(permit);
        });
    }
}

async fn carry(mut peer: TcpStream, job: SocketAddr) -> std::io::Result<(u64, u64)> {
    let mut job = TcpStream::connect(job).await?;
    // Rounds of small messages must not wait for more to send.
    peer.set_nodelay(true)?;
    job.set_nodelay(true)?;
    copy_bidirectional(&mut peer, &mut job).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn who_dials_early_is_led_to_the_job_when_it_listens() {
        let relay = Relay::new(IpAddr::from([127, 0, 0, 1]));
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        assert_eq!(relay.open(port).unwrap_err().code, Code::PortTaken);
        drop(free);
        relay.open(port).unwrap();
        relay.open(port).unwrap();
        let mut peer = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        peer.write_all(b"early").await.unwrap();
        let job = TcpListener::bind("127.0.0.1:0").await.unwrap();
        relay.aim(port, job.local_addr().ok());
        let (mut end, _) = job.accept().await.unwrap();
        let mut read = [0; 5];
        end.read_exact(&mut read).await.unwrap();
        end.write_all(b"hello").await.unwrap();
        drop(end);
        let mut text = String::new();
        peer.read_to_string(&mut text).await.unwrap();
        drop(peer);
        assert_eq!((&read, text.as_str()), (b"early", "hello"));
        relay.keep_only(&[]);
        assert_eq!(relay.held(), 0);
    }
}
