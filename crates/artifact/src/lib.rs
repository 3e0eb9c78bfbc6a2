//! Windows artifacts as records: what stands on a disk and is no log.
//!
//! One module for each: [`registry`] hives (with what services, Amcache and
//! Shimcache say in them), [`prefetch`] files, shell links ([`lnk`]),
//! scheduled [`task`]s, [`iis_config`]. Each has `is`, which knows its format by
//! the beginning of the bytes, and `read`, which pushes one record for each
//! thing of interest and one problem for each loss.
//!
//! # Times
//! A record's time is when what it tells of happened, as far as the artifact
//! knows: the last write of a registry key, a run of a program, the
//! registration of a task. Times of the *file* that an artifact names
//! (Shimcache, shell links) are slots only: a program may have been written
//! years before it was used.
//!
//! # Not here
//! Opening files; what any of it means: that is the rules' business.

pub mod iis_config;
pub mod lnk;
pub mod prefetch;
pub mod registry;
pub mod task;

mod bytes;
mod log;
mod xml;
