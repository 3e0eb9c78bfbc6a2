//! Sentences with holes: `{cves}[ from {sources}]`.
//!
//! A hole in braces is filled with a fact; a part in brackets is left out
//! when one of its holes has nothing to be filled with. Brackets do not nest.

/// The facts a sentence may name, and nothing else.
pub(crate) const FACTS: &[&str] = &[
    "addresses",
    "besides",
    "builds",
    "count",
    "covered",
    "cves",
    "directory",
    "files",
    "first",
    "fixed",
    "get",
    "last",
    "last-record",
    "last-sign",
    "latest",
    "missing",
    "own",
    "program",
    "requests",
    "seen-builds",
    "shells",
    "sources",
    "times",
    "unsettled",
    "until",
    "what",
    "window",
];

/// A parsed sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Sentence {
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Part {
    optional: bool,
    pieces: Vec<Piece>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Text(String),
    Hole(String),
}

impl Sentence {
    /// Reads a sentence; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = vec![Part { optional: false, pieces: Vec::new() }];
        let mut rest = text;
        while let Some(at) = rest.find(['{', '[', ']']) {
            let (before, marked) = rest.split_at(at);
            push(&mut parts, Piece::Text(before.to_owned()));
            let inside = parts.last().is_some_and(|part| part.optional);
            rest = &marked[1..];
            match (marked.as_bytes()[0], inside) {
                (b'{', _) => {
                    let (name, after) =
                        rest.split_once('}').ok_or_else(|| format!("a brace is open: {text:?}"))?;
                    if !FACTS.contains(&name) {
                        return Err(format!("there is no fact {name:?} in {text:?}"));
                    }
                    push(&mut parts, Piece::Hole(name.to_owned()));
                    rest = after;
                }
                (b'[', false) => parts.push(Part { optional: true, pieces: Vec::new() }),
                (b']', true) => parts.push(Part { optional: false, pieces: Vec::new() }),
                _ => return Err(format!("brackets do not match: {text:?}")),
            }
        }
        push(&mut parts, Piece::Text(rest.to_owned()));
        if parts.last().is_some_and(|part| part.optional) {
            return Err(format!("a bracket is open: {text:?}"));
        }
        Ok(Self { parts })
    }

    /// The sentence with its holes filled; `fact` gives an empty text for what
    /// is not known.
    pub fn render(&self, fact: impl Fn(&str) -> String) -> String {
        let mut out = String::new();
        for part in &self.parts {
            let mut text = String::new();
            let mut known = true;
            for piece in &part.pieces {
                match piece {
                    Piece::Text(own) => text.push_str(own),
                    Piece::Hole(name) => {
                        let filled = fact(name);
                        known &= !filled.is_empty();
                        text.push_str(&filled);
                    }
                }
            }
            if known || !part.optional {
                out.push_str(&text);
            }
        }
        // What joins a part to one that was left out.
        out.trim_start_matches([';', ',', ' ']).to_owned()
    }
}

fn push(parts: &mut [Part], piece: Piece) {
    if let Some(part) = parts.last_mut()
        && piece != Piece::Text(String::new())
    {
        part.pieces.push(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let rendered = match Sentence::parse(text) {
            Ok(sentence) => {
                sentence.render(|name| if name == "last" { String::new() } else { name.to_uppercase() })
            }
            Err(reason) => format!("error: {reason}"),
        };
        assert_eq!(rendered, expect);
    }

    #[test]
    fn sentences() {
        check("plain", "plain");
        check("{cves}[ from {sources}]", "CVES from SOURCES");
        check("{count} requests[; last {last}].", "COUNT requests.");
        check("until {last}", "until ");
        check("[{last}][; by {what}]", "by WHAT");
        check("{who}", "error: there is no fact \"who\" in \"{who}\"");
        check("[a [b]]", "error: brackets do not match: \"[a [b]]\"");
        check("a]", "error: brackets do not match: \"a]\"");
        check("[a", "error: a bracket is open: \"[a\"");
        check("{a", "error: a brace is open: \"{a\"");
    }
}
