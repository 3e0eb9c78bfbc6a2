//! What the casebook says of sketched cases.

mod answers;
mod books;
mod chains;
mod joins;
mod properties;
mod sketch;
mod tables;
mod web_files;
