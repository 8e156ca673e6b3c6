//! The system's shapes over our transports: a megabyte through each seam at 5 % loss, every byte compared.

mod facade;
mod heap;
mod interop;
mod net;
mod rejects;
mod size;
mod workload;
