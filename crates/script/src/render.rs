//! Statements written out, one a line.

use crate::Script;
use crate::flow::Flow;
use crate::source::{Bits, CHECKED, FILE, INPUT};
use crate::statement::Statements;
use crate::token::{Kind, Token};
use std::collections::BTreeMap;

/// Of a string so much is written.
const STRING_BYTES_MAX: usize = 2_000;
/// All of the text at most.
const TEXT_BYTES_MAX: usize = 8 << 20;

pub(crate) fn render(statements: &Statements, flow: &Flow<'_>) -> Script {
    let mut script = Script::default();
    for statement in &statements.list {
        let Some(first) = statement.tokens.first() else { continue };
        if script.text.len() >= TEXT_BYTES_MAX {
            break;
        }
        let mut marks: BTreeMap<usize, u8> = BTreeMap::new();
        flow.marks(&statement.tokens, statement.function, &mut |end, bits| {
            *marks.entry(end).or_default() |= bits;
        });
        script.lines.push((script.text.len(), u64::from(first.at)));
        let mut before: Option<&Token> = None;
        for (index, token) in statement.tokens.iter().enumerate() {
            if before.is_some_and(|before| before.kind != Kind::Sign && token.kind != Kind::Sign) {
                script.text.push(' ');
            }
            write(token, &mut script.text);
            if let Some(bits) = marks.get(&(index + 1)) {
                script.text.push_str(mark(*bits));
            }
            before = Some(token);
        }
        script.text.push('\n');
    }
    script
}

fn write(token: &Token, into: &mut String) {
    if token.kind != Kind::Text {
        into.push_str(&token.text);
        return;
    }
    into.push('"');
    let end = token.text.floor_char_boundary(STRING_BYTES_MAX);
    for letter in token.text[..end].chars() {
        match letter {
            '"' => into.push('\''),
            // What a string says must not look like what the script does.
            ' ' => into.push('_'),
            '(' => into.push('{'),
            letter if letter.is_control() => into.push('_'),
            letter => into.push(letter),
        }
    }
    into.push('"');
    if token.is_packed {
        into.push_str("@packed@");
    }
}

/// The mark of what a value holds.
fn mark(bits: Bits) -> &'static str {
    match bits {
        _ if bits & INPUT != 0 => "@input@",
        _ if bits & CHECKED != 0 => "@checked@",
        _ if bits & FILE != 0 => "@file@",
        _ => "@name@",
    }
}
