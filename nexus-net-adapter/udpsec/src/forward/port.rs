//! A port of this machine whose connections each become a stream.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use tokio::net::TcpListener;
use tokio::task::spawn_local;
use tokio::time::sleep;

use super::mux::Mux;
use super::relay;
use super::wire::Request;

/// The pause after the system could not accept: too many files are open.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections for as long as it is polled, and opens a stream of `mux` with `request` for each. Those for which
/// there is no room wait, all but one in the system. To drop this ends no connection.
pub(crate) async fn accept(listener: &TcpListener, mux: &Rc<Mux>, request: &Request) {
    loop {
        let Ok((socket, from)) = listener.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        let room = mux.room().await;
        let (mux, request) = (Rc::clone(mux), request.clone());
        spawn_local(async move {
            let outcome = match mux.open(&request).await {
                Ok(stream) => relay::join(socket, stream).await,
                Err(why) => {
                    relay::reset(&socket);
                    Err(why)
                }
            };
            if let Err(why) = outcome {
                eprintln!("{from}: {request}: {why}");
            }
            drop(room);
        });
    }
}

/// Listens at `address`.
///
/// # Errors
/// What to do about it.
pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|error| anyhow!("cannot listen at {address}: {error}; choose another port"))
}
