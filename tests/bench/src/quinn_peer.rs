//! quinn as the peer to compare with: datagrams of 1200 bytes, ChaCha20-Poly1305, NewReno; everything else as
//! quinn has it by default (segmentation offload on), but for windows as large as our 4 MiB buffers.
//!
//! Driven the way that measured fastest here: one thread (a fifth less CPU time than tokio's several), and
//! chunks that quinn neither copies in nor out.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use quinn::congestion::NewRenoConfig;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, Endpoint, ServerConfig, TransportConfig, VarInt};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::quic::Suite;
use tokio::time::timeout;

use crate::measure::Stopwatch;
use crate::report::Side;
use crate::{Failure, RecvArgs, SendArgs};

const DATAGRAM: u16 = 1_200;
const WINDOW: u32 = 4 << 20;
/// What the application gives and takes at a time.
const CHUNK: usize = 64 << 10;

/// Receives for the given time.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn receive(args: &RecvArgs) -> Result<Side, Failure> {
    let certified = rcgen::generate_simple_self_signed([String::from("localhost")])?;
    let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let certificate = certified.cert.der().clone();
    fs::write(&args.identity, &certificate)?;
    let tls = rustls::ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key.into())?;
    let crypto = QuicServerConfig::with_initial(Arc::new(tls), initial_suite()?)?;
    let mut config = ServerConfig::with_crypto(Arc::new(crypto));
    config.transport_config(transport());
    let endpoint = Endpoint::server(config, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    println!("ready {}", endpoint.local_addr()?);
    std::io::stdout().flush()?;

    let connection = endpoint.accept().await.ok_or("the endpoint closed")?.await?;
    let mut stream = connection.accept_uni().await?;
    let stopwatch = Stopwatch::start();
    let span = Duration::from_secs_f64(args.seconds);
    let mut bytes = 0;
    while let Some(rest) = span.checked_sub(stopwatch.elapsed()) {
        match timeout(rest, stream.read_chunk(usize::MAX, true)).await {
            Ok(chunk) => bytes += chunk?.ok_or("the sender ended the stream")?.bytes.len() as u64,
            Err(_) => break,
        }
    }
    let side = stopwatch.stop(bytes);
    connection.close(VarInt::from_u32(0), b"");
    endpoint.wait_idle().await;
    Ok(side)
}

/// Sends until the receiver closes.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn send(args: &SendArgs) -> Result<Side, Failure> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from(fs::read(&args.identity)?))?;
    let tls = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let crypto = QuicClientConfig::with_initial(Arc::new(tls), initial_suite()?)?;
    let mut config = ClientConfig::new(Arc::new(crypto));
    config.transport_config(transport());
    let mut endpoint = Endpoint::client(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    endpoint.set_default_client_config(config);

    let connection = endpoint.connect(args.to, "localhost")?.await?;
    let mut stream = connection.open_uni().await?;
    let stopwatch = Stopwatch::start();
    let data = Bytes::from(vec![0x5a; CHUNK]);
    let mut bytes = 0;
    let sending = async {
        while stream.write_chunk(data.clone()).await.is_ok() {
            bytes += data.len() as u64;
        }
    };
    let closed = timeout(Duration::from_secs_f64(args.seconds_max), sending).await;
    let side = stopwatch.stop(bytes);
    closed.map_err(|_| "the receiver did not close in time")?;
    Ok(side)
}

/// ring, with ChaCha20-Poly1305 alone for the data.
fn provider() -> Arc<CryptoProvider> {
    let cipher_suites = vec![ring::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256];
    Arc::new(CryptoProvider { cipher_suites, ..ring::default_provider() })
}

/// RFC 9001 section 5.2: Initial packets are sealed with AES-128-GCM, whatever comes after.
fn initial_suite() -> Result<Suite, Failure> {
    Ok(ring::cipher_suite::TLS13_AES_128_GCM_SHA256
        .tls13()
        .and_then(|suite| suite.quic_suite())
        .ok_or("no suite for Initial packets")?)
}

fn transport() -> Arc<TransportConfig> {
    let mut config = TransportConfig::default();
    config
        .initial_mtu(DATAGRAM)
        .min_mtu(DATAGRAM)
        .mtu_discovery_config(None)
        .congestion_controller_factory(Arc::new(NewRenoConfig::default()))
        .stream_receive_window(WINDOW.into())
        .receive_window(WINDOW.into())
        .send_window(WINDOW.into());
    Arc::new(config)
}
