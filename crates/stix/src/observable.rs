//! Ids of cyber-observable objects (STIX 2.1, section 2.9): two that say the same have the same id, whoever made them.

use crate::{Namespace, Object, jcs};
use serde_json::{Map, Value};

/// The properties that an id is made of, by type (sections 6.1 to 6.18).
const CONTRIBUTING: &[(&str, &[&str])] = &[
    ("artifact", &["hashes", "payload_bin"]),
    ("autonomous-system", &["number"]),
    ("directory", &["path"]),
    ("domain-name", &["value"]),
    ("email-addr", &["value"]),
    ("email-message", &["from_ref", "subject", "body"]),
    ("file", &["hashes", "name", "extensions", "parent_directory_ref"]),
    ("ipv4-addr", &["value"]),
    ("ipv6-addr", &["value"]),
    ("mac-addr", &["value"]),
    ("mutex", &["name"]),
    (
        "network-traffic",
        &["start", "end", "src_ref", "dst_ref", "src_port", "dst_port", "protocols", "extensions"],
    ),
    ("process", &[]),
    ("software", &["name", "cpe", "swid", "vendor", "version"]),
    ("url", &["value"]),
    ("user-account", &["account_type", "user_id", "account_login"]),
    ("windows-registry-key", &["key", "values"]),
    ("x509-certificate", &["hashes", "serial_number"]),
];
/// Of several hashes one counts: the first of these that is there.
const HASHES: [&str; 4] = ["MD5", "SHA-1", "SHA-256", "SHA-512"];

impl Object {
    /// Whether it is a cyber-observable object of the specification.
    pub fn is_observable(&self) -> bool {
        CONTRIBUTING.iter().any(|(kind, _)| *kind == self.kind())
    }

    /// Gives it the id that the specification wants. Where it has none of the properties that an id is made of, it must
    /// look random; then it comes from its content in `namespace`.
    pub fn seal_observable(&mut self, namespace: &Namespace) -> &str {
        let contributing = CONTRIBUTING.iter().find(|(kind, _)| *kind == self.kind());
        let mut name = Map::new();
        for property in contributing.map_or(&[][..], |(_, properties)| properties) {
            if let Some(value) = self.get(property) {
                let value = if *property == "hashes" { one_hash(value) } else { value.clone() };
                name.insert((*property).to_owned(), value);
            }
        }
        let uuid = if name.is_empty() {
            namespace.uuid_like_random(&self.content())
        } else {
            Namespace::OBSERVABLES.uuid(&jcs::to_vec(&Value::Object(name)))
        };
        self.put_id(&uuid.to_string());
        self.id()
    }
}

fn one_hash(hashes: &Value) -> Value {
    let Some(map) = hashes.as_object() else { return hashes.clone() };
    let first = HASHES.iter().find_map(|name| map.get_key_value(*name));
    // What the specification does not say, all libraries do: of others, the first.
    let chosen = first.or_else(|| map.iter().next());
    chosen.map(|(name, value)| (name.clone(), value.clone())).into_iter().collect::<Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Ids that the library of OASIS gives (stix2 3.0.2); the oracle test asks it anew.
    #[test]
    fn ids_of_observables() {
        let check = |kind: &str, properties: Value, wanted: &str| {
            let mut object = Object::new(kind);
            for (name, value) in properties.as_object().unwrap() {
                object.set(name, value.clone());
            }
            assert_eq!(object.seal_observable(&Namespace::ASSAY), wanted);
        };
        check(
            "ipv4-addr",
            json!({"value": "198.51.100.3"}),
            "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4",
        );
        let hashes = json!({"SHA-256": "ab".repeat(32), "MD5": "cd".repeat(16)});
        check(
            "file",
            json!({"name": "a b.aspx", "hashes": hashes}),
            "file--8a39b863-a979-5476-9dd1-01186cfedf2c",
        );
        check(
            "user-account",
            json!({"user_id": "\u{e9}\u{2028}", "account_login": "x\"y"}),
            "user-account--0db482d2-6014-57f0-a08b-1d6a8a9bdd5a",
        );
        check(
            "domain-name",
            json!({"value": "example.com"}),
            "domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7",
        );
    }

    #[test]
    fn a_process_looks_random() {
        let mut process = Object::new("process");
        process.set("pid", 7);
        let id = process.seal_observable(&Namespace::ASSAY).to_owned();
        assert_eq!(&id["process--".len() + 14..][..1], "4", "{id}");
    }

    #[test]
    fn one_hash_counts() {
        assert_eq!(one_hash(&json!({"SHA-256": "b", "MD5": "a"})), json!({"MD5": "a"}));
        assert_eq!(one_hash(&json!({"SSDEEP": "c", "TLSH": "d"})), json!({"SSDEEP": "c"}));
    }
}
