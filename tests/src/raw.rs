//! A connection without an HTTP client, for malformed requests.

use std::net::IpAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

const LONG: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub struct Raw {
    stream: TcpStream,
    pub since: Instant,
}

/// The raw data up to the end of one response.
#[derive(Debug)]
pub struct RawAnswer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Raw {
    pub async fn open(base: &str) -> Self {
        Self::with_buffer(base, None).await
    }

    /// Opens a connection that buffers few bytes until it is read.
    pub async fn narrow(base: &str) -> Self {
        Self::with_buffer(base, Some(4096)).await
    }

    async fn with_buffer(base: &str, bytes: Option<u32>) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        if let Some(bytes) = bytes {
            socket.set_recv_buffer_size(bytes).unwrap();
        }
        Self::connect(socket, base).await
    }

    /// Opens a connection from another address of this machine, such as 127.0.0.2.
    pub async fn from(address: &str, base: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        let address: IpAddr = address.parse().unwrap();
        socket.bind((address, 0).into()).unwrap();
        Self::connect(socket, base).await
    }

    async fn connect(socket: TcpSocket, base: &str) -> Self {
        let address = base.strip_prefix("http://").unwrap().parse().unwrap();
        Self {
            stream: socket.connect(address).await.unwrap(),
            since: Instant::now(),
        }
    }

    /// Sends bytes; false if the connection is closed.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Sends a byte every `pause` until a response arrives or the connection ends.
    pub async fn drip(&mut self, byte: u8, pause: Duration) {
        let mut one = [0];
        loop {
            let came = tokio::time::timeout(pause, self.stream.peek(&mut one));
            if came.await.is_ok() || !self.send([byte]).await {
                return;
            }
            assert!(self.since.elapsed() < LONG, "nothing ended the connection");
        }
    }

    /// Reads one response; `None` if the connection ends without one.
    pub async fn answer(&mut self) -> Option<RawAnswer> {
        let mut read = Vec::new();
        let mut buffer = vec![0; 65536];
        loop {
            if let Some(answer) = RawAnswer::parse(&read, false) {
                return Some(answer);
            }
            let came = tokio::time::timeout(LONG, self.stream.read(&mut buffer));
            match came
                .await
                .expect("the server answers or ends the connection")
            {
                Ok(0) | Err(_) => return RawAnswer::parse(&read, true),
                Ok(bytes) => read.extend_from_slice(&buffer[..bytes]),
            }
        }
    }

    /// Reads to the end of the connection and returns the number of bytes.
    pub async fn drain(&mut self) -> usize {
        let mut total = 0;
        let mut buffer = vec![0; 65536];
        loop {
            let came = tokio::time::timeout(LONG, self.stream.read(&mut buffer));
            match came.await.expect("the server ends the connection") {
                Ok(0) | Err(_) => return total,
                Ok(bytes) => total += bytes,
            }
        }
    }

    pub async fn ask(base: &str, request: impl AsRef<[u8]>) -> Option<RawAnswer> {
        let mut raw = Self::open(base).await;
        // A rejection may arrive, and the connection end, before everything was sent.
        raw.send(request).await;
        raw.answer().await
    }
}

impl RawAnswer {
    fn parse(read: &[u8], ended: bool) -> Option<Self> {
        let text = String::from_utf8_lossy(read);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let head = head.to_ascii_lowercase();
        let status: u16 = head.split(' ').nth(1)?.parse().ok()?;
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map(|length| length.parse::<usize>().unwrap());
        let whole = match length {
            Some(length) => body.len() >= length,
            None if head.contains("transfer-encoding: chunked") => body.ends_with("0\r\n\r\n"),
            None => status == 204 || status == 304,
        };
        (whole || ended).then(|| Self {
            status,
            head,
            body: body.to_owned(),
        })
    }

    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{} {}", self.head, self.body);
        let document = format!("\"type\":\"/problems/{code}\"");
        assert!(self.body.contains(&document), "{}", self.body);
        assert!(self.head.contains("content-type: application/problem+json"));
        assert!(self.head.contains("x-content-type-options: nosniff"));
    }
}
