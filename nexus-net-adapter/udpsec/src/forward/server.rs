//! The listening side: several callers at once, each with what it is permitted.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::Result;
use nexus_net_adapter::mux::Side;
use nexus_net_adapter::stream::ReliableStream;
use tokio::task::{AbortHandle, spawn_local};
use udp_sec::keys::PublicKey;

use super::mux::{Mux, MuxStream};
use super::spec::{ListenPermit, Permit, Target};
use super::wire::{self, Refusal, Request};
use super::{port, relay};
use crate::keys;
use crate::network::{Listener, Session, Settings};

/// What the callers have in common.
#[derive(Debug)]
pub(crate) struct Server {
    permits: Vec<Permit>,
    listen_permits: Vec<ListenPermit>,
    /// Who listens where.
    bound: RefCell<HashMap<SocketAddr, (PublicKey, AbortHandle)>>,
}

impl Server {
    /// A server whose callers may reach and listen at so much, and no more.
    pub(crate) fn new(permits: Vec<Permit>, listen_permits: Vec<ListenPermit>) -> Rc<Self> {
        Rc::new(Self { permits, listen_permits, bound: RefCell::default() })
    }

    /// Serves whoever calls.
    pub(crate) async fn run(self: &Rc<Self>, mut listener: Listener, settings: &Settings) -> Result<()> {
        loop {
            let session = listener.accept(settings).await?;
            spawn_local(Rc::clone(self).serve(session));
        }
    }

    /// Serves one session until it ends.
    async fn serve(self: Rc<Self>, session: Session) {
        let address = session.peer_addr().unwrap_or_default();
        // A session that ended at once is none.
        let Ok(session) = session.into_tasks() else { return };
        let Some(peer) = session.stream.peer() else { return };
        let caller = format!("caller {} at {address}", keys::to_text(peer.key()));
        eprintln!("{caller}");
        let mux = Mux::new(Side::Responder, peer);
        let end = mux.run(session.stream, |stream| {
            let connection =
                Connection { server: Rc::clone(&self), mux: Rc::clone(&mux), caller: *peer.key() };
            spawn_local(connection.serve(stream));
        });
        eprintln!("{caller} is gone: {}", end.await);
    }

    /// Who has listened at `address` until now makes room, if it is the same caller: its old session is lost, even if
    /// that is not known here yet.
    async fn take_over(&self, address: SocketAddr, caller: &PublicKey) {
        let former = self.bound.borrow_mut().remove(&address);
        match former {
            Some((owner, task)) if owner == *caller => {
                task.abort();
                // It ends, and closes its socket, when it is its turn.
                while !task.is_finished() {
                    tokio::task::yield_now().await;
                }
            }
            Some(other) => _ = self.bound.borrow_mut().insert(address, other),
            None => {}
        }
    }
}

/// A stream that a caller has opened.
struct Connection {
    server: Rc<Server>,
    mux: Rc<Mux>,
    caller: PublicKey,
}

impl Connection {
    async fn serve(self, stream: MuxStream) {
        match stream.read_message().await.map(|message| message.parse()) {
            Ok(Ok(Request::Connect(target))) => self.connect(stream, &target).await,
            Ok(Ok(Request::Listen(address))) => self.listen(stream, address).await,
            _ => stream.reset(Refusal::BadRequest),
        }
    }

    /// Takes the connection to its target.
    async fn connect(self, stream: MuxStream, target: &Target) {
        let permitted = self.server.permits.iter().any(|permit| permit.covers(target));
        let socket = match permitted {
            true => relay::connect(target).await,
            false => Err(Refusal::NotPermitted),
        };
        let outcome = match socket {
            Ok(socket) => relay::join(socket, stream).await,
            Err(why) => {
                stream.reset(why);
                Err(why)
            }
        };
        if let Err(why) = outcome {
            eprintln!("connect {target}: {why}");
        }
    }

    /// Listens for the caller, for as long as it keeps the stream.
    async fn listen(self, stream: MuxStream, address: SocketAddr) {
        if !self.server.listen_permits.iter().any(|permit| permit.covers(address)) {
            eprintln!("listen {address}: {}", Refusal::NotPermitted);
            return stream.reset(Refusal::NotPermitted);
        }
        self.server.take_over(address, &self.caller).await;
        let bound = port::bind(address).await.and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (bound, listener) = match bound {
            Ok(bound) => bound,
            Err(error) => {
                eprintln!("{error:#}");
                return stream.reset(Refusal::CannotListen);
            }
        };
        let Self { server, mux, caller } = self;
        let request = Request::Accepted(stream.id());
        let mut task = spawn_local(async move { port::accept(&listener, &mux, &request).await });
        let id = task.id();
        server.bound.borrow_mut().insert(bound, (caller, task.abort_handle()));
        if stream.write_all(&wire::framed(&bound)).await.is_ok() {
            tokio::select! {
                _ = stream.reset_by_peer() => {}
                _ = &mut task => {}
            }
        }
        task.abort();
        server.bound.borrow_mut().retain(|_, (_, task)| task.id() != id);
    }
}
