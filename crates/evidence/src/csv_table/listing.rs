//! Listings of files in tables, as collectors write them: records of files,
//! with the names that every file record has (`Path`, `Name`, `Extension`,
//! `Size`, `SHA256`, `Created`, `Modified`, `Changed`, `Accessed`).
//!
//! Known are tables with a column for the whole path and one for a hash, a size
//! or a time, and MFTECmd's, in which folder and name stand apart. Columns of
//! other names keep them.
//!
//! # Times
//! Those without a zone are UTC in MFTECmd's tables and where the column says
//! `Utc`; elsewhere they stay the text that they are.
//!
//! # Not here
//! Reading the table; what files there are on a disk image.

use super::time;
use model::{LogFamily, Shape, Slot, Value};

/// Columns, in lower case without blanks, and their names in file records.
const NAMES: [(&str, &str); 34] = [
    ("fullpath", "Path"),
    ("ospath", "Path"),
    ("filepath", "Path"),
    ("fullname", "Path"),
    ("path", "Path"),
    ("filename", "Name"),
    ("name", "Name"),
    ("extension", "Extension"),
    ("size", "Size"),
    ("filesize", "Size"),
    ("length", "Size"),
    ("sha256", "SHA256"),
    ("hash.sha256", "SHA256"),
    ("created", "Created"),
    ("creationtime", "Created"),
    ("creationtimeutc", "Created"),
    ("created0x10", "Created"),
    ("btime", "Created"),
    ("birthtime", "Created"),
    ("modified", "Modified"),
    ("lastmodified", "Modified"),
    ("lastwritetime", "Modified"),
    ("lastwritetimeutc", "Modified"),
    ("lastmodified0x10", "Modified"),
    ("mtime", "Modified"),
    ("changed", "Changed"),
    ("lastrecordchange0x10", "Changed"),
    ("ctime", "Changed"),
    ("accessed", "Accessed"),
    ("lastaccess", "Accessed"),
    ("lastaccesstime", "Accessed"),
    ("lastaccesstimeutc", "Accessed"),
    ("lastaccess0x10", "Accessed"),
    ("atime", "Accessed"),
];

/// MFTECmd's column that says whether an entry is not deleted.
const IN_USE: &str = "InUse";

const TIMES: [&str; 4] = ["Created", "Modified", "Changed", "Accessed"];

/// What the columns of a listing are.
pub(super) struct Listing {
    /// Their names in file records, or their own.
    names: Vec<String>,
    path: Option<usize>,
    /// Columns of folder and name, where there is none of the path.
    parts: Option<(usize, usize)>,
    is_utc: bool,
}

impl Listing {
    /// The columns of a listing; `None` for another table.
    pub(super) fn of(columns: &[String]) -> Option<Self> {
        let mut names: Vec<String> = Vec::with_capacity(columns.len());
        for column in columns {
            let plain = column.to_lowercase().replace(' ', "");
            let known = NAMES.iter().find(|(own, _)| *own == plain).map(|(_, name)| *name);
            // Of two columns for one thing the first counts.
            let name = known.filter(|name| names.iter().all(|other| other != name));
            names.push(name.unwrap_or(column).to_owned());
        }
        let at = |wanted: &str| names.iter().position(|name| name == wanted);
        let own = |wanted: &str| columns.iter().position(|column| column == wanted);
        let is_mftecmd = own("EntryNumber").is_some() && own("LastModified0x10").is_some();
        let parts = own("ParentPath").zip(own("FileName")).filter(|_| is_mftecmd);
        let tells = ["SHA256", "Size"].iter().chain(&TIMES).any(|name| at(name).is_some());
        let path = at("Path");
        (tells && (path.is_some() || parts.is_some())).then_some(Self {
            path,
            parts,
            is_utc: is_mftecmd,
            names,
        })
    }

    /// The shape of its records: the columns, then what is made of the path.
    pub(super) fn shape(&self) -> Shape {
        let made = self.made().map(Slot::new);
        let slots = self.names.iter().map(|name| Slot::new(name)).chain(made).collect();
        Shape::new(LogFamily::Artifacts, "file", slots, true)
    }

    fn made(&self) -> impl Iterator<Item = &'static str> {
        let has = |wanted: &str| self.names.iter().any(|name| name == wanted);
        let made = ["Path", "Name", "Extension"].into_iter().filter(move |made| !has(made));
        made.chain(has(IN_USE).then_some("Deleted"))
    }

    /// The whole path of a record's cells.
    pub(super) fn path<'a>(&self, cell: impl Fn(usize) -> Option<&'a str>) -> String {
        let path = match (self.path, self.parts) {
            (Some(path), _) => cell(path).unwrap_or("").to_owned(),
            (None, Some((folder, name))) => {
                let folder = cell(folder).unwrap_or("").trim_end_matches('\\');
                let folder = folder.strip_prefix('.').unwrap_or(folder);
                format!("{folder}\\{}", cell(name).unwrap_or(""))
            }
            (None, None) => String::new(),
        };
        // A device's path is the drive's.
        let plain = path.strip_prefix("\\\\.\\").or_else(|| path.strip_prefix("\\\\?\\"));
        plain.map_or_else(|| path.clone(), str::to_owned)
    }

    /// The values of a record: of its cells, then what is made of its `path`.
    pub(super) fn values<'a>(
        &self,
        cells: &[Value<'a>],
        columns: &[String],
        path: &'a str,
    ) -> Vec<Value<'a>> {
        let own =
            self.names.iter().zip(columns).zip(cells).enumerate().map(|(index, ((name, column), value))| {
                match value {
                    Value::Utf8(_) if self.path == Some(index) => Value::Utf8(path),
                    // Where it is said with its dot, it is the same without.
                    Value::Utf8(text) if name == "Extension" => {
                        crate::text::value(text.strip_prefix('.').unwrap_or(text))
                    }
                    Value::Utf8(text) if TIMES.contains(&name.as_str()) => {
                        time(column, text, self.is_utc).map_or(*value, Value::Time)
                    }
                    other => *other,
                }
            });
        let mut values: Vec<Value<'a>> = own.collect();
        let name = path.rsplit(['\\', '/']).next().unwrap_or(path);
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        values.extend(self.made().map(|made| match made {
            "Path" => crate::text::value(path),
            "Name" => crate::text::value(name),
            "Deleted" => {
                let in_use = self.names.iter().position(|name| name == IN_USE);
                match in_use.and_then(|index| cells.get(index)) {
                    Some(Value::Utf8(text)) => Value::Bool(text.eq_ignore_ascii_case("false")),
                    _ => Value::Absent,
                }
            }
            _ => crate::text::value(extension),
        }));
        values
    }

    /// The record's time: when the content was last written, else made.
    pub(super) fn time(&self, values: &[Value<'_>]) -> Option<model::Timestamp> {
        ["Modified", "Created"].iter().find_map(|wanted| {
            let index = self.names.iter().position(|name| name == wanted)?;
            match values.get(index) {
                Some(Value::Time(time)) => Some(*time),
                _ => None,
            }
        })
    }
}
