//! What a slot is called: the contract of names between formats, so that a rule
//! finds a field whether the event came as EVTX or as JSON.

/// The part of an event that an element stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Area {
    /// `Event` itself.
    Event,
    System,
    EventData,
    UserData,
    /// What the forwarding host rendered.
    RenderingInfo,
    Other,
}

impl Area {
    /// The area of element `name` in an element of area `parent`.
    pub(crate) fn of(parent: Option<Area>, name: &str) -> Area {
        match (parent, name) {
            (None, "Event") => Area::Event,
            (None | Some(Area::Event), "System") => Area::System,
            (None | Some(Area::Event), "EventData") => Area::EventData,
            (None | Some(Area::Event), "UserData") => Area::UserData,
            (None | Some(Area::Event), "RenderingInfo") => Area::RenderingInfo,
            (None | Some(Area::Event), _) => Area::Other,
            (Some(area), _) => area,
        }
    }

    /// Whether the element only holds others: no text is expected in it.
    pub(crate) fn is_container(self, name: &str) -> bool {
        matches!(
            (self, name),
            (Area::Event, "Event")
                | (Area::System, "System")
                | (Area::EventData, "EventData")
                | (Area::UserData, "UserData")
                | (Area::RenderingInfo, "RenderingInfo")
        )
    }

    pub(crate) fn is_system(self) -> bool {
        self == Area::System
    }

    /// Whether the `Name` attribute of element `name` is the field's name.
    pub(crate) fn names_fields(self, name: &str) -> bool {
        !self.is_system() && matches!(name, "Data" | "ComplexData")
    }
}

/// An element, as far as names need it.
pub(crate) struct Path<'a> {
    pub area: Area,
    pub element: &'a str,
}

impl Path<'_> {
    /// The slot of the element's text.
    pub(crate) fn text(&self) -> String {
        match (self.area, self.element) {
            // `Level` and others are System's; the message is nobody else's.
            (Area::RenderingInfo, element) if element != "Message" => format!("RenderingInfo_{element}"),
            (_, element) => element.to_owned(),
        }
    }

    /// The slot of the element's attribute.
    pub(crate) fn attribute(&self, attribute: &str) -> String {
        match (self.area, self.element, attribute) {
            (Area::System, "EventID", "Qualifiers") => "Qualifiers".to_owned(),
            (Area::System, "Provider", "EventSourceName") => "EventSourceName".to_owned(),
            (Area::System, "TimeCreated", "SystemTime") => "TimeCreated".to_owned(),
            (_, element, attribute) => format!("{element}_{attribute}"),
        }
    }
}
