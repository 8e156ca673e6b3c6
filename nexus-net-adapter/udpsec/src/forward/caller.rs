//! The calling side: its listeners stay while sessions come and go.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use nexus_net_adapter::mux::{Side, StreamId};
use nexus_net_adapter::reconnect::{Event, Reconnect, Schedule};
use nexus_net_adapter::select::Happened;
use nexus_net_adapter::stream::ReliableStream;
use tokio::net::TcpListener;
use tokio::task::{JoinSet, spawn_blocking, spawn_local};
use tokio::time::sleep;

use super::mux::{Mux, MuxStream};
use super::spec::{Forwarding, Target};
use super::wire::{Refusal, Request};
use super::{port, relay};
use crate::network::{Caller, Failure, Session};

/// Whose connections the peer hands over to us: where those go that were accepted for each of our streams.
type Targets = Rc<RefCell<HashMap<StreamId, Target>>>;

/// A port of ours, and where its connections end.
pub(crate) struct Local {
    listener: Rc<TcpListener>,
    target: Target,
}

impl Local {
    /// Listens for `forwarding`, and says where.
    pub(crate) async fn bind(forwarding: &Forwarding) -> Result<Self> {
        let listener = port::bind(forwarding.bind).await?;
        let target = forwarding.target.clone();
        eprintln!("forwarding {} here to {target} there", listener.local_addr()?);
        Ok(Self { listener: Rc::new(listener), target })
    }
}

/// Forwards over one session after the other, until trying again is over.
pub(crate) async fn run(caller: Arc<Caller>, local: &[Local], remote: &[Forwarding]) -> Result<()> {
    let mut reconnect = Reconnect::new(Schedule::default());
    let mut session = call(&caller).await?.map_err(|failure| failure.advice)?;
    loop {
        let lost = serve(session, local, remote).await?;
        eprintln!("session lost: {lost}");
        let mut failure = None;
        session = loop {
            let event = reconnect.on_failure(failure.as_ref().map(reason), getrandom::u32()?);
            eprintln!("{event}");
            let Event::Waiting { wait, .. } = event else {
                let advice = failure.map(|failure| failure.advice);
                return Err(advice.unwrap_or_else(|| anyhow!("the session was lost: {lost}")));
            };
            sleep(Duration::from_micros(wait.as_micros())).await;
            // New connections wait at the listeners meanwhile.
            match call(&caller).await? {
                Ok(session) => break session,
                Err(failed) => {
                    eprintln!("udpsec: {:#}", failed.advice);
                    failure = Some(failed);
                }
            }
        };
        eprintln!("{}", reconnect.on_success());
    }
}

/// Calls without holding up the tasks of this thread: what had arrived whole is still handed over.
async fn call(caller: &Arc<Caller>) -> Result<Result<Session, Failure>> {
    let caller = Arc::clone(caller);
    Ok(spawn_blocking(move || caller.call()).await?)
}

const fn reason(failure: &Failure) -> Happened {
    failure.reason
}

/// Forwards over one session until it ends, and says why it did.
///
/// # Errors
/// The peer does not listen where it is asked to.
async fn serve(session: Session, local: &[Local], remote: &[Forwarding]) -> Result<String> {
    let session = session.into_tasks()?;
    let peer = session.stream.peer().ok_or_else(|| anyhow!("the session ended at once"))?;
    let mux = Mux::new(Side::Initiator, peer);
    let targets = Targets::default();
    // Dropped with the session, and with it the tasks that would open streams of it.
    let mut tasks = JoinSet::new();
    for Local { listener, target } in local {
        let (listener, mux) = (Rc::clone(listener), Rc::clone(&mux));
        let request = Request::Connect(target.clone());
        tasks.spawn_local(async move {
            port::accept(&listener, &mux, &request).await;
            Ok(())
        });
    }
    for forwarding in remote {
        tasks.spawn_local(listen_there(Rc::clone(&mux), forwarding.clone(), Rc::clone(&targets)));
    }
    let run = mux.run(session.stream, |stream| {
        spawn_local(connect_here(stream, Rc::clone(&targets)));
    });
    let mut run = pin!(run);
    loop {
        tokio::select! {
            end = &mut run => return Ok(end.to_string()),
            Some(ended) = tasks.join_next() => ended??,
        }
    }
}

/// Has the peer listen for `forwarding`, and keeps it at that.
async fn listen_there(mux: Rc<Mux>, forwarding: Forwarding, targets: Targets) -> Result<()> {
    let Forwarding { bind, target } = forwarding;
    let explain = |why: Refusal| anyhow!("the peer does not listen at {bind}: {why}");
    let stream = match mux.open(&Request::Listen(bind)).await {
        Err(Refusal::SESSION_ENDED) => return Ok(()),
        opened => opened.map_err(explain)?,
    };
    targets.borrow_mut().insert(stream.id(), target.clone());
    let bound = stream.read_message().await.and_then(|message| {
        // Nothing that a peer says is printed as it came.
        message.parse::<SocketAddr>().map_err(|_| Refusal::BadRequest)
    });
    match bound {
        Ok(address) => eprintln!("forwarding {address} there to {target} here"),
        Err(Refusal::SESSION_ENDED) => return Ok(()),
        Err(why) => return Err(explain(why)),
    }
    match stream.reset_by_peer().await {
        Refusal::SESSION_ENDED => Ok(()),
        why => Err(explain(why)),
    }
}

/// Takes a connection that the peer accepted for us to its target.
async fn connect_here(stream: MuxStream, targets: Targets) {
    let target = match stream.read_message().await.map(|message| message.parse()) {
        Ok(Ok(Request::Accepted(listening))) => targets.borrow().get(&listening).cloned(),
        _ => None,
    };
    let Some(target) = target else { return stream.reset(Refusal::BadRequest) };
    let outcome = match relay::connect(&target).await {
        Ok(socket) => relay::join(socket, stream).await,
        Err(why) => {
            stream.reset(why);
            Err(why)
        }
    };
    if let Err(why) = outcome {
        eprintln!("{target}: {why}");
    }
}
