//! `/metrics` and `/healthz` on a loopback address.

use std::convert::Infallible;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::Metrics;
use crate::limits::{HTTP_CONNECTIONS, HTTP_TIME};

/// Answers until it is dropped. More connections than there are places wait.
pub async fn serve_metrics(listener: TcpListener, metrics: Arc<Metrics>) {
    let places = Arc::new(Semaphore::new(HTTP_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let metrics = Arc::clone(&metrics);
                tokio::spawn(async move {
                    converse(stream, metrics).await;
                    drop(place);
                });
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Pause after accept failed for want of file descriptors.
const ACCEPT_PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

async fn converse(stream: TcpStream, metrics: Arc<Metrics>) {
    let service = service_fn(move |request| {
        let response = answer(&request, &metrics);
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HTTP_TIME)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // A client that is slow or breaks the protocol is let go; there is nobody to tell.
    let _gone = timeout(HTTP_TIME, connection).await;
}

fn answer(request: &Request<Incoming>, metrics: &Metrics) -> Response<Full<Bytes>> {
    match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => response(StatusCode::OK, OPENMETRICS, metrics.text()),
        (&Method::GET | &Method::HEAD, "/healthz") if metrics.is_ready() => response(StatusCode::OK, TEXT, "ok\n"),
        (&Method::GET | &Method::HEAD, "/healthz") => {
            response(StatusCode::SERVICE_UNAVAILABLE, TEXT, "takes no messages\n")
        }
        (&Method::GET | &Method::HEAD, _) => response(StatusCode::NOT_FOUND, TEXT, "/metrics and /healthz\n"),
        _ => response(StatusCode::METHOD_NOT_ALLOWED, TEXT, "GET only\n"),
    }
}

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

fn response(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::Instant;

    use super::*;

    async fn listening() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve_metrics(listener, Arc::new(Metrics::new())));
        address
    }

    async fn asked(mut stream: TcpStream) -> String {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        said
    }

    #[tokio::test(start_paused = true)]
    async fn one_more_connection_waits_for_a_place() {
        let address = listening().await;
        let mut silent = Vec::new();
        for _ in 1..HTTP_CONNECTIONS {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        assert!(asked(TcpStream::connect(address).await.unwrap()).await.starts_with("HTTP/1.1 503"));
        silent.push(TcpStream::connect(address).await.unwrap());
        let mut waiting = Box::pin(asked(TcpStream::connect(address).await.unwrap()));
        assert!(timeout(HTTP_TIME / 2, &mut waiting).await.is_err());
        drop(silent.pop());
        assert!(waiting.await.starts_with("HTTP/1.1 503"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_client_is_let_go_in_time() {
        let mut stream = TcpStream::connect(listening().await).await.unwrap();
        let began = Instant::now();
        assert!(timeout(HTTP_TIME - Duration::from_millis(1), stream.read_u8()).await.is_err());
        assert!(stream.read_u8().await.is_err());
        assert!(began.elapsed() <= HTTP_TIME + Duration::from_millis(1));
    }
}
