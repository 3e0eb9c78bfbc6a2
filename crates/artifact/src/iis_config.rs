//! IIS configuration: applicationHost.config, and the web.config of sites.
//!
//! One record for each element that says which code answers which request, and
//! from which folder; log `iis-config`. `Element` is one of `global-module`
//! (native code), `module`, `handler`, `isapi-filter`, `isapi-cgi-restriction`,
//! `fast-cgi`, `build-provider`, `site`, `application`, `virtual-directory`,
//! `app-pool`, `app-pool-identity`, `rewrite`, and `script`: server-side code
//! where none belongs.
//!
//! # What the format does not say
//! What is in force: a web.config adds to those of the folders above it.

use crate::log::{self, text};
use crate::xml::{self, Document, Part};
use model::{Position, RecordSink, Shape, Value};
use std::sync::{Arc, LazyLock};

/// What the log is called.
pub const LOG: &str = "iis-config";

/// Bytes shown of script.
const SCRIPT_BYTES_MAX: usize = 512;

/// Sections and elements of interest: the two names around, its own, and what
/// it is called here.
const ELEMENTS: [(&str, &str, &str, &str); 15] = [
    ("system.webServer", "globalModules", "add", "global-module"),
    ("system.webServer", "modules", "add", "module"),
    ("system.web", "httpModules", "add", "module"),
    ("system.webServer", "handlers", "add", "handler"),
    ("system.web", "httpHandlers", "add", "handler"),
    ("system.webServer", "isapiFilters", "filter", "isapi-filter"),
    ("security", "isapiCgiRestriction", "add", "isapi-cgi-restriction"),
    ("system.webServer", "fastCgi", "application", "fast-cgi"),
    ("compilation", "buildProviders", "add", "build-provider"),
    ("system.applicationHost", "sites", "site", "site"),
    ("sites", "site", "application", "application"),
    ("site", "application", "virtualDirectory", "virtual-directory"),
    ("system.applicationHost", "applicationPools", "add", "app-pool"),
    ("applicationPools", "add", "processModel", "app-pool-identity"),
    ("rules", "rule", "action", "rewrite"),
];

/// Slots that are an attribute of the element.
const ATTRIBUTES: [(&str, &str); 17] = [
    ("Name", "name"),
    ("Path", "path"),
    ("Type", "type"),
    ("Image", "image"),
    ("PreCondition", "preCondition"),
    ("Verb", "verb"),
    ("Modules", "modules"),
    ("ScriptProcessor", "scriptProcessor"),
    ("ResourceType", "resourceType"),
    ("PhysicalPath", "physicalPath"),
    ("ApplicationPool", "applicationPool"),
    ("UserName", "userName"),
    ("IdentityType", "identityType"),
    ("Extension", "extension"),
    ("FullPath", "fullPath"),
    ("Arguments", "arguments"),
    ("Url", "url"),
];
/// Slots that come from what stands around the element.
const AROUND: [&str; 5] = ["Element", "Location", "Site", "Application", "Text"];

static SHAPE: LazyLock<Arc<Shape>> = LazyLock::new(|| {
    let names: Vec<&str> = AROUND.into_iter().chain(ATTRIBUTES.iter().map(|(name, _)| *name)).collect();
    log::shape(LOG, &names).into()
});

/// Whether an item that begins with `head` is such a configuration.
pub fn is(head: &[u8]) -> bool {
    let head = Document::beginning(head);
    head.as_ref().and_then(Document::root).is_some_and(|tag| xml::is_element(tag, "configuration"))
}

/// Reads a configuration.
pub fn read(bytes: &[u8], sink: &mut dyn RecordSink) {
    let document = Document::new(bytes);
    let mut around = Around::default();
    xml::walk(&document, sink, &mut |sink, names, place, part| match part {
        Part::Start(attributes) => around.start(sink, names, place, attributes),
        Part::End => around.end(names),
        Part::Text(_) => {}
    });
    // Wherever it stands, in a comment too: IIS can be told to run this file as a page.
    if let Some((place, script)) = document.find("<%") {
        let script = &script[..script.floor_char_boundary(SCRIPT_BYTES_MAX)];
        let mut values = [Value::Absent; AROUND.len() + ATTRIBUTES.len()];
        values[0] = Value::Utf8("script");
        values[4] = Value::Utf8(script);
        log::push(sink, &SHAPE, place, None, &values);
    }
}

/// What holds for the elements within.
#[derive(Default)]
struct Around {
    location: Option<String>,
    site: Option<String>,
    application: Option<String>,
    pool: Option<String>,
}

impl Around {
    /// The value that `names`, just begun or ended, sets for what is in it.
    fn place_of(&mut self, names: &[String]) -> Option<(&mut Option<String>, &'static str)> {
        match names {
            [.., last] if last == "location" => Some((&mut self.location, "path")),
            [.., sites, site] if sites == "sites" && site == "site" => Some((&mut self.site, "name")),
            [.., site, last] if site == "site" && last == "application" => {
                Some((&mut self.application, "path"))
            }
            [.., pools, add] if pools == "applicationPools" && add == "add" => Some((&mut self.pool, "name")),
            _ => None,
        }
    }

    fn start(
        &mut self,
        sink: &mut dyn RecordSink,
        names: &[String],
        place: Position,
        attributes: &[(String, String)],
    ) {
        let value = |wanted: &str| {
            attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
        };
        if let Some((around, attribute)) = self.place_of(names) {
            *around = value(attribute).map(str::to_owned);
        }
        let [.., first, second, third] = names else { return };
        let known = ELEMENTS.iter().find(|(a, b, c, _)| first == a && second == b && third == c);
        let Some((_, _, _, element)) = known else { return };
        let mut values = vec![
            Value::Utf8(element),
            text(self.location.as_deref()),
            text(self.site.as_deref()),
            text(self.application.as_deref()),
            Value::Absent,
        ];
        values.extend(ATTRIBUTES.iter().map(|(_, attribute)| text(value(attribute))));
        if *element == "app-pool-identity" {
            values[AROUND.len()] = text(self.pool.as_deref());
        }
        log::push(sink, &SHAPE, place, None, &values);
    }

    fn end(&mut self, names: &[String]) {
        if let Some((around, _)) = self.place_of(names) {
            *around = None;
        }
    }
}
