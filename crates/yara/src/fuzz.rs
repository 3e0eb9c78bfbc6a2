//! Entrances for fuzzing.

use crate::{FileName, RuleSet, RuleText, load};
use std::sync::LazyLock;

/// Asks every module that reads formats.
const MODULES: &str = r#"
import "pe" import "elf" import "macho" import "dotnet" import "dex" import "hash" import "math" import "string"
rule programs {
    condition:
        pe.is_pe or pe.number_of_signatures > 0 or pe.imphash() == "" or elf.type == elf.ET_EXEC or
        macho.cputype == 7 or dotnet.is_dotnet or dex.header.file_size > 0 or
        math.entropy(0, filesize) > 7.9 or hash.md5(0, filesize) == ""
}
"#;

static RULES: LazyLock<RuleSet> = LazyLock::new(|| load([RuleText { file: "fuzz", text: MODULES }]).rules);

/// A rule file, and a scan with it.
pub fn rule(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let loaded = load([RuleText { file: "fuzz", text: &text }]);
    let _ = loaded.rules.scan(b"MZ fuzz <% eval(1) %>", FileName::default());
}

/// A program, damaged.
pub fn program(data: &[u8]) {
    let _ = RULES.scan(data, FileName::default());
}
