//! Rules loaded, facts read, files scanned.

use super::*;
use model::Level;
use std::path::PathBuf;

fn loaded(text: &str) -> Loaded {
    load([RuleText { file: "a.yar", text }])
}

fn scan(rules: &RuleSet, bytes: &[u8]) -> Vec<Match> {
    rules.scan(bytes, FileName { path: "C:\\x\\note.txt", name: "note.txt" }).unwrap()
}

const TWO: &str = r#"
rule ours {
    meta:
        id = "0f8fad5b-d9cb-469f-a165-70867728950e"
        title = "Two words"
        level = "high"
        tags = "attack.t1505.003, assay.shell-found"
    strings:
        $b = "second"
        $a = "first" wide ascii
    condition:
        all of them
}

private rule hidden { condition: true }

rule foreign : WEBSHELL T1003_001 {
    meta:
        description = "somebody's"
        score = 80
        mitre_attack = "T1190, T1505.003"
    condition:
        hidden and filename == "note.txt" and extension == ".txt"
}
"#;

#[test]
fn facts_and_matches() {
    let loaded = loaded(TWO);
    assert_eq!(loaded.diagnostics, []);
    assert_eq!(loaded.rules.len(), 2);
    let matches = scan(&loaded.rules, b"..first, second, first");
    let [ours, foreign] = &matches[..] else { panic!("{matches:?}") };
    assert_eq!((ours.rule.title.as_str(), ours.rule.level, ours.offset), ("Two words", Level::High, 2));
    assert_eq!(ours.rule.tags, ["attack.t1505.003", "assay.shell-found"]);
    assert_eq!(ours.rule.techniques, ["T1505.003"]);
    let strings: Vec<_> = ours.strings.iter().map(|one| (one.offset, &*one.name, &*one.text)).collect();
    assert_eq!(strings, [(2, "$a", "first"), (9, "$b", "second")]);
    assert_eq!((foreign.rule.id.as_str(), foreign.rule.level), ("foreign", Level::High));
    assert_eq!(foreign.rule.techniques, ["T1003.001", "T1190", "T1505.003"]);
    assert!(foreign.rule.tags.contains(&"webshell".to_owned()), "{:?}", foreign.rule.tags);
    assert!(foreign.rule.tags.contains(&"assay.shell-found".to_owned()), "{:?}", foreign.rule.tags);
}

#[test]
fn one_bad_rule_costs_no_other() {
    let text = "import \"pe\"\nrule a { condition: true }\nrule b {\n condition: nothing\n}\n\n\
                private rule c { condition: pe.nothing }\nrule d { condition: a and not pe.is_pe }\n";
    let loaded = loaded(text);
    let told: Vec<_> = loaded.diagnostics.iter().map(|one| (one.line, one.rule.as_deref())).collect();
    assert_eq!(told, [(Some(4), Some("b")), (Some(7), Some("c"))], "{:?}", loaded.diagnostics);
    assert!(loaded.diagnostics[0].reason.contains("nothing"), "{:?}", loaded.diagnostics);
    let ids: Vec<String> = scan(&loaded.rules, b"x").iter().map(|one| one.rule.id.clone()).collect();
    assert_eq!(ids, ["a", "d"]);
}

#[test]
fn what_is_no_yara_is_left_out_whole() {
    let texts = ["rule a { condition: true }", "title: a Sigma rule", "rule a { condition: true }"];
    let loaded = load(texts.map(|text| RuleText { file: "x", text }));
    assert_eq!(loaded.diagnostics.len(), 1);
    assert_eq!(loaded.diagnostics[0].line, Some(1));
    let ids: Vec<String> = scan(&loaded.rules, b"x").iter().map(|one| one.rule.id.clone()).collect();
    assert_eq!(ids, ["a", "a#2"], "two files may use one name");
}

#[test]
fn includes_are_not_followed() {
    let loaded = loaded("include \"/etc/passwd\"\nrule a { condition: true }");
    assert_eq!(loaded.diagnostics.len(), 1, "{:?}", loaded.diagnostics);
}

#[test]
fn every_module_is_there() {
    let modules =
        ["console", "cuckoo", "dex", "dotnet", "elf", "hash", "macho", "math", "pe", "string", "time"];
    for module in modules {
        let loaded = loaded(&format!("import \"{module}\"\nrule a {{ condition: true }}"));
        assert_eq!(loaded.diagnostics, [], "{module}");
    }
    let signed = loaded("import \"pe\"\nrule a { condition: pe.number_of_signatures > 0 }");
    assert_eq!(signed.diagnostics, []);
}

#[test]
fn strings_are_bounded_and_plain() {
    let loaded = loaded("rule a { strings: $a = /\\x00[^z]*z/ condition: $a }");
    let bytes = [&[0u8][..], &[b'\\'; 400], b"z"].concat();
    let matches = scan(&loaded.rules, &bytes);
    let text = &matches[0].strings[0].text;
    assert!(text.starts_with("\\x00\\\\") && text.ends_with("… [402 bytes]") && text.len() < 400, "{text}");
}

/// Public rules: all files of the shared data load whole.
#[test]
fn public_rules_load() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/yara-rules");
    let mut texts = Vec::new();
    for folder in ["signature-base", "nsacyber-mitigating-web-shells"].map(|name| folder.join(name)) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|ending| ending == "yar" || ending == "yara") {
                texts.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    if texts.is_empty() {
        println!("skipped: {} is not there", folder.display());
        return;
    }
    let loaded = load(texts.iter().map(|(file, text)| RuleText { file, text }));
    println!("{} files, {} rules", texts.len(), loaded.rules.len());
    assert_eq!(loaded.diagnostics, []);
    assert!(loaded.rules.len() > 600, "{}", loaded.rules.len());
}
