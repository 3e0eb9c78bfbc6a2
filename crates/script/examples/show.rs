//! Shows a script as rules see it: `cargo run -p script --example show FILE…`.

use std::io::{self, Write as _};

fn main() -> io::Result<()> {
    for path in std::env::args_os().skip(1) {
        match script::read(&std::fs::read(path)?, script::Standing::Runs) {
            Some(script) => io::stdout().write_all(script.text.as_bytes())?,
            None => io::stdout().write_all(b"nothing here runs on a server\n")?,
        }
    }
    Ok(())
}
