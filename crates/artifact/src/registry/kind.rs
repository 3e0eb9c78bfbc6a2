//! Which hive it is, told by the keys that it holds, and what its keys are
//! called on a running system.

use super::data;
use super::hive::{Hive, Key};
use crate::bytes::utf16_at;
use model::Value;

/// What is known of a hive as a whole.
pub(super) struct Kind {
    /// Before the path of a key.
    pub(super) prefix: String,
    /// `ControlSet001`, for the set that was in force.
    pub(super) current_set: Option<String>,
    /// The computer, where the hive tells it.
    pub(super) computer: Option<String>,
}

impl Kind {
    /// Looks at the header's file name and at the keys below `root`.
    pub(super) fn of(hive: Hive<'_>, root: &Key<'_>) -> Self {
        let has = |path: &[&str]| hive.find(root, path).is_some();
        let file = utf16_at(hive.bytes, 48, 64).unwrap_or_default().to_ascii_lowercase();
        let prefix = if has(&["Select"]) && has(&["ControlSet001"]) {
            "HKLM\\SYSTEM"
        } else if has(&["Microsoft", "Windows NT"]) || has(&["Microsoft", "Windows", "CurrentVersion"]) {
            "HKLM\\SOFTWARE"
        } else if has(&["SAM", "Domains"]) {
            "HKLM\\SAM"
        } else if has(&["Policy", "Secrets"]) || has(&["Policy", "PolAdtEv"]) {
            "HKLM\\SECURITY"
        } else if has(&["Software", "Microsoft"]) {
            if file.ends_with("\\default") { "HKU\\.DEFAULT" } else { "HKCU" }
        } else if has(&["Local Settings", "Software"]) || file.ends_with("usrclass.dat") {
            "HKCU\\Software\\Classes"
        } else {
            &root.name
        };
        let mut kind = Self { prefix: prefix.to_owned(), current_set: None, computer: None };
        if prefix == "HKLM\\SYSTEM" {
            kind.look_at_system(hive, root);
        }
        kind
    }

    fn look_at_system(&mut self, hive: Hive<'_>, root: &Key<'_>) {
        let select = hive.find(root, &["Select"]);
        let current = select.and_then(|key| text_of(hive, &key, "Current"));
        let Some(number) = current.and_then(|text| text.parse::<u32>().ok()) else { return };
        let set = format!("ControlSet{number:03}");
        let path = [set.as_str(), "Control", "ComputerName", "ComputerName"];
        let named = hive.find(root, &path).and_then(|key| text_of(hive, &key, "ComputerName"));
        self.computer = named.filter(|name| !name.is_empty());
        self.current_set = Some(set);
    }

    /// What a running system calls the key at `path`: the control set in force
    /// is `CurrentControlSet`.
    pub(super) fn write_live_path(&self, path: &str, out: &mut String) {
        out.clear();
        if let Some(set) = &self.current_set {
            let below = path.get(self.prefix.len() + 1..).unwrap_or_default();
            if let Some(rest) =
                below.strip_prefix(set.as_str()).filter(|rest| matches!(rest.as_bytes(), [] | [b'\\', ..]))
            {
                out.push_str(&self.prefix);
                out.push_str("\\CurrentControlSet");
                out.push_str(rest);
                return;
            }
        }
        out.push_str(path);
    }
}

/// The text of a value of a key, for decoders.
pub(super) fn text_of(hive: Hive<'_>, key: &Key<'_>, name: &str) -> Option<String> {
    const BYTES_MAX: usize = 8 << 10;
    let value = hive.find_value(key, name)?;
    let data = hive.data(&value, BYTES_MAX, &mut |_, _| Ok(())).ok()?;
    let mut strings = Vec::new();
    let text = match data::value(value.kind, &data, &mut strings) {
        Value::Binary(_) => return None,
        value => value.to_text(),
    };
    Some(text)
}
