//! What the casebook says of sketched cases.

mod answers;
mod books;
mod chains;
mod joins;
mod plain;
mod properties;
mod sketch;
mod tables;
mod techniques;
mod web_files;
