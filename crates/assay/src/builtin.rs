//! Rules and casebooks that come with the program.

include!(concat!(env!("OUT_DIR"), "/builtin.rs"));
