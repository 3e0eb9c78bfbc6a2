//! Doors for fuzzing: each parser as a plain function of bytes. Not part of
//! the contract.
