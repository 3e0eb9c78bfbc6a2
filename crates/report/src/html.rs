//! x
use model::{Case, Run};
use std::io::{self, Write};
pub(crate) fn write_report(_c: &Case, _r: &Run, _o: &mut dyn Write) -> io::Result<()> {
    Ok(())
}
