//! Watched connections, because actix limits only the time of the first request head of a
//! connection: neither later heads, nor clients that do not read their response.

use crate::config::Config;
use crate::http::connections::Connections;
use crate::http::per_address::Guest;
use crate::http::request_line::RequestLine;
use actix_http::error::DispatchError;
use actix_http::h1::H1Service;
use actix_http::{Extensions, HttpService};
use actix_server::Server;
use actix_service::{
    IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config,
};
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{AppConfig, ServiceRequest, ServiceResponse};
use actix_web::rt::net::TcpStream;
use actix_web::web::Bytes;
use std::cell::Cell;
use std::io::{Error, ErrorKind, Result as IoResult};
use std::net::TcpListener;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};

/// Bytes of a response that are handed to a connection at once; the rest is shared memory until
/// then.
const SLICE: usize = 64 * 1024;

/// A server on `listener` whose connections are watched, to be awaited.
///
/// `stopping` becomes true when the server is asked to stop.
///
/// HTTP/1.1 only: in HTTP/2 a client can block a single stream, where our timers have no effect.
pub(crate) fn server<F, I, S, B>(
    app: F,
    config: &Config,
    listener: TcpListener,
    stopping: watch::Sender<bool>,
) -> std::io::Result<Server>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, actix_http::Request>,
    S: ServiceFactory<
            actix_http::Request,
            Config = AppConfig,
            Response = ServiceResponse<B>,
            Error = actix_web::Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let heads = Duration::from_secs(config.header_timeout_seconds);
    let idle = Duration::from_secs(config.keep_alive_timeout_seconds);
    let answers = Duration::from_secs(config.response_timeout_seconds);
    let bodies = Duration::from_secs(config.body_timeout_seconds);
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let workers = config.workers.unwrap_or_else(cores);
    let connections = Connections::new(config, workers);
    let server = Server::build()
        .workers(workers)
        .shutdown_timeout(config.shutdown_timeout_seconds)
        .max_concurrent_connections(connections.per_worker);
    let stop = server.graceful_shutdown_signal();
    let told = stop.clone();
    actix_web::rt::spawn(async move {
        told.notified().await;
        stopping.send_replace(true);
    });
    let server = server.listen("verbund", listener, move || {
        let stop = stop.clone();
        let app = app()
            .into_factory()
            .map_err(|error: actix_web::Error| error.error_response());
        let http: H1Service<Connection, _, _> = HttpService::build()
            .keep_alive(idle)
            .client_request_timeout(heads)
            // A client that is refused before it has sent everything can still read why, since the
            // rest is read and discarded for as long (RFC 9112, 9.6).
            .client_disconnect_timeout(bodies)
            // A request is cancelled when its client disconnects.
            .h1_allow_half_closed(false)
            .graceful_shutdown_signal(move || {
                let stop = stop.clone();
                async move { stop.notified().await }
            })
            .on_connect_ext(|connection: &Connection, data: &mut Extensions| {
                data.insert(connection.turn.clone());
            })
            .h1(map_config(app, |()| AppConfig::default()));
        let connections = connections.clone();
        fn_service(move |stream: TcpStream| {
            let connections = connections.clone();
            async move {
                // Responses are written completely; waiting for more data would only delay them.
                let _ = stream.set_nodelay(true);
                let peer = stream.peer_addr()?;
                let guest = connections.admit(peer.ip())?;
                let connection = Connection::new(stream, guest, heads + idle, answers);
                Ok::<_, DispatchError>((connection, Some(peer)))
            }
        })
        .and_then(http)
    })?;
    Ok(server.run())
}

/// Whose turn it is on a connection: the client's, to send a request, or the server's.
#[derive(Clone, Default)]
struct Turn {
    servers: Rc<Cell<bool>>,
    /// Number of the server's turns: one may be over before it is observed.
    count: Rc<Cell<u64>>,
    /// The task that waits for the client when the server's turn ends.
    reader: Rc<Cell<Option<Waker>>>,
}

impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let servers = self.servers.get();
        f.debug_struct("Turn")
            .field("servers", &servers)
            .finish_non_exhaustive()
    }
}

/// The server's turn; ends on drop.
#[derive(Debug)]
struct Serving(Turn);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.servers.set(false);
        if let Some(reader) = self.0.reader.take() {
            reader.wake();
        }
    }
}

/// Makes it the server's turn until the whole body of its response has been handed over.
pub(crate) async fn track_exchange(
    request: ServiceRequest,
    next: actix_web::middleware::Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let serving = request.conn_data::<Turn>().cloned().map(|turn| {
        turn.servers.set(true);
        turn.count.set(turn.count.get().wrapping_add(1));
        Serving(turn)
    });
    let response = next.call(request).await?;
    Ok(response.map_body(|_, body| {
        BoxBody::new(Answer {
            body: body.boxed(),
            rest: Bytes::new(),
            _serving: serving,
        })
    }))
}

/// The body of a response in slices, so that the buffer of a connection is bounded.
struct Answer {
    body: BoxBody,
    rest: Bytes,
    _serving: Option<Serving>,
}

impl MessageBody for Answer {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_next(cx)) {
                Some(Ok(bytes)) => self.rest = bytes,
                end => return Poll::Ready(end),
            }
        }
        let length = self.rest.len().min(SLICE);
        Poll::Ready(Some(Ok(self.rest.split_to(length))))
    }
}

#[derive(Debug)]
struct Patience {
    limit: Duration,
    /// Bytes that must be transferred within the limit to restart it.
    least: usize,
    moved: usize,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    fn new(limit: Duration, least: usize) -> Self {
        Self {
            limit,
            least,
            moved: 0,
            timer: None,
        }
    }

    fn rest(&mut self) {
        self.timer = None;
    }

    /// Whether the limit has passed; otherwise schedules a wake-up of `cx`.
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        if self.timer.is_none() {
            self.moved = 0;
        }
        let limit = self.limit;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        while timer.as_mut().poll(cx).is_ready() {
            if self.moved < self.least {
                return true;
            }
            self.moved = 0;
            timer.as_mut().reset(Instant::now() + limit);
        }
        false
    }
}

/// A TCP connection that ends when the client is too slow.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    turn: Turn,
    _guest: Option<Guest>,
    /// The server's turns that the wait for a head has seen.
    served: u64,
    line: RequestLine,
    /// The server's turns before the request line.
    line_after: u64,
    head: Patience,
    answer: Patience,
}

impl Connection {
    fn new(stream: TcpStream, guest: Option<Guest>, head: Duration, answer: Duration) -> Self {
        let seconds = usize::try_from(answer.as_secs()).unwrap_or(usize::MAX);
        Self {
            stream,
            turn: Turn::default(),
            _guest: guest,
            served: 0,
            line: RequestLine::default(),
            line_after: 0,
            // Only a complete head ends the wait for it, however many bytes arrive.
            head: Patience::new(head, usize::MAX),
            answer: Patience::new(answer, seconds.saturating_mul(LEAST_PER_SECOND)),
        }
    }

    fn waits_for_client(&self) -> bool {
        !self.turn.servers.get() && self.answer.timer.is_none()
    }

    fn too_slow() -> Error {
        Error::from(ErrorKind::TimedOut)
    }
}

/// Minimum speed in bytes per second at which a client must read its response.
const LEAST_PER_SECOND: usize = 1024;

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<IoResult<()>> {
        let connection = &mut *self;
        let served = connection.turn.count.get();
        if !connection.waits_for_client() || connection.served != served {
            // The wait for the next head restarts.
            connection.head.rest();
            connection.served = served;
            connection.turn.reader.set(Some(cx.waker().clone()));
        }
        if connection.waits_for_client() && connection.head.is_over(cx) {
            return Poll::Ready(Err(Self::too_slow()));
        }
        if connection.waits_for_client() && connection.line_after != served {
            connection.line_after = served;
            connection.line.restart();
        }
        if connection.line.give_late(buffer).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut connection.stream).poll_read(cx, buffer))?;
        connection.line.encode(buffer, before);
        Poll::Ready(Ok(()))
    }
}

impl Connection {
    fn written(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<IoResult<usize>>,
    ) -> Poll<IoResult<usize>> {
        match outcome {
            Poll::Ready(Ok(bytes)) => {
                self.answer.moved = self.answer.moved.saturating_add(bytes);
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending if self.answer.is_over(cx) => Poll::Ready(Err(Self::too_slow())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<IoResult<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<IoResult<()>> {
        // Everything written is flushed: nothing waits for the client any more.
        self.answer.rest();
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<IoResult<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
