//! A proxy between two servers that simulates network faults.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// All data is delayed.
    Latency(Duration),
    /// The connection ends after this many bytes.
    CutAfter(usize),
    /// The connection stays open, and no data arrives.
    HalfOpen,
    /// One byte per second.
    Drip,
    Corrupt,
}

#[derive(Debug, Clone)]
struct Way {
    address: String,
    fault: Fault,
}

#[derive(Debug)]
pub struct Proxy {
    pub base: String,
    way: watch::Sender<Way>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub async fn start(base: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = format!("http://{}", listener.local_addr().unwrap());
        let way = watch::Sender::new(Way {
            address: address(base),
            fault: Fault::None,
        });
        let ways = way.subscribe();
        let task = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let mut changed = ways.clone();
                let way = changed.borrow_and_update().clone();
                tokio::spawn(async move {
                    tokio::select! {
                        _ = carry(client, way) => {}
                        // Open connections end.
                        _ = changed.changed() => {}
                    }
                });
            }
        });
        Self {
            base: own,
            way,
            task,
        }
    }

    /// Leads new connections to another server, and ends the others.
    pub fn lead_to(&self, base: &str) {
        self.way.send_modify(|way| way.address = address(base));
    }

    /// Applies a fault to new connections, and ends the others.
    pub fn does(&self, fault: Fault) {
        self.way.send_modify(|way| way.fault = fault);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn address(base: &str) -> String {
    base.strip_prefix("http://").unwrap().to_owned()
}

async fn carry(client: TcpStream, way: Way) -> std::io::Result<()> {
    if way.fault == Fault::HalfOpen {
        return std::future::pending().await;
    }
    let server = TcpStream::connect(&way.address).await?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let asking = async {
        tokio::io::copy(&mut from_client, &mut to_server).await?;
        to_server.shutdown().await
    };
    let answering = async {
        let mut buffer = vec![0; 16 * 1024];
        let mut passed = 0;
        loop {
            let read = from_server.read(&mut buffer).await?;
            if read == 0 {
                return to_client.shutdown().await;
            }
            let bytes = &mut buffer[..read];
            match way.fault {
                Fault::Latency(late) => tokio::time::sleep(late).await,
                Fault::CutAfter(most) if passed + read > most => {
                    return to_client.write_all(&bytes[..most - passed]).await;
                }
                Fault::None | Fault::HalfOpen | Fault::CutAfter(_) => {}
                Fault::Drip => {
                    for byte in bytes.iter() {
                        to_client.write_all(&[*byte]).await?;
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                    continue;
                }
                Fault::Corrupt => corrupt(bytes),
            }
            passed += read;
            to_client.write_all(bytes).await?;
        }
    };
    tokio::select! {
        outcome = answering => outcome,
        outcome = async { asking.await?; std::future::pending().await } => outcome,
    }
}

/// Inverts the first bytes of a compressed body, after the head and the length of the first chunk.
fn corrupt(bytes: &mut [u8]) {
    let find = |bytes: &[u8], what: &[u8]| {
        let place = bytes.windows(what.len()).position(|some| some == what);
        place.map(|place| place + what.len())
    };
    let Some(head) = find(bytes, b"\r\n\r\n") else {
        return;
    };
    let length = find(&bytes[head..], b"\r\n").unwrap_or_default();
    for byte in bytes[head + length..].iter_mut().take(8) {
        *byte = !*byte;
    }
}
