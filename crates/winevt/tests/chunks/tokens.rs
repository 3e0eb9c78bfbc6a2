//! Each token of binary XML and each type of value, in the smallest chunk that
//! holds it.

use crate::builder::{Chunk, Stream, Wire, null, read, string, utf16};

/// One record, written by `write`, shows `expect`, and no problem.
#[track_caller]
fn check(write: impl FnOnce(&mut Stream), expect: &str) {
    let mut chunk = Chunk::new(1);
    chunk.record(write);
    let shown = read(&chunk.finish());
    assert_eq!(shown.problems, []);
    assert_eq!(shown.records, [expect]);
}

/// The same for `<EventData>` of a template with `values`.
#[track_caller]
fn check_data(definition: fn(&mut Stream), values: &[Wire], expect: &str) {
    let write = |stream: &mut Stream| {
        let write = |stream: &mut Stream| {
            stream.element("Event").content().element("EventData").content();
            definition(stream);
            stream.end().end();
        };
        stream.header().instance(write, values).raw(&[0]);
    };
    check(write, expect);
}

/// One `<Data Name="v">` with a value of type `kind`.
#[track_caller]
fn check_value(kind: u8, bytes: &[u8], expect: &str) {
    let definition = |stream: &mut Stream| {
        stream.element("Data").attribute("Name").text("v").content().normal(0).end();
    };
    check_data(definition, &[Wire::Value(kind, bytes.to_vec())], &format!("v={expect}"));
}

fn system(stream: &mut Stream) {
    stream.element("System").content();
    stream.element("Provider").attribute("Name").text("Example").attribute("Guid").optional(3).end_empty();
    stream.element("EventID").attribute("Qualifiers").optional(1).content().normal(0).end();
    stream.element_depending(2, "Version").content().optional(2).end();
    stream.element("TimeCreated").attribute("SystemTime").normal(4).end_empty();
    stream.element("EventRecordID").content().normal(5).end();
    stream.element("Correlation").attribute("ActivityID").optional(3).end_empty();
    stream.element("Execution").attribute("ProcessID").normal(6).attribute("ThreadID").normal(6).end_empty();
    stream.element("Channel").content().text("Security").end();
    stream.element("Computer").content().normal(7).end();
    stream.element("Security").attribute("UserID").optional(3).end_empty();
    stream.end();
}

fn system_values() -> Vec<Wire> {
    vec![
        Wire::Value(0x06, 4_688u16.to_le_bytes().to_vec()),
        null(),
        null(),
        null(),
        Wire::Value(0x11, 132_592_332_051_234_567u64.to_le_bytes().to_vec()),
        Wire::Value(0x0a, 77u64.to_le_bytes().to_vec()),
        Wire::Value(0x08, 4u32.to_le_bytes().to_vec()),
        string("HOST.example"),
    ]
}

#[test]
fn an_event_as_windows_writes_it() {
    let mut chunk = Chunk::new(5);
    let mut values = system_values();
    values.push(Wire::Fragment(|stream| {
        let definition = |stream: &mut Stream| {
            stream.element("EventData").content();
            stream.element("Data").attribute("Name").text("Image").content().normal(0).end();
            stream.element("Data").attribute("Name").text("User Name").content().normal(1).end();
            stream.end();
        };
        stream.header().instance(definition, &[string("C:\\a.exe"), null()]).raw(&[0]);
    }));
    chunk.record(|stream| {
        let definition = |stream: &mut Stream| {
            stream.element("Event").attribute("xmlns").text("urn:x").content();
            system(stream);
            stream.optional(8).end();
        };
        stream.header().instance(definition, &values).raw(&[0]);
    });
    let shown = read(&chunk.finish());
    assert_eq!(shown.problems, []);
    assert_eq!(
        shown.records,
        ["Provider_Name=Example Provider_Guid=-absent- Qualifiers=-absent- EventID=4688 Version=-absent- \
          TimeCreated=2021-03-03T08:20:05.1234567Z EventRecordID=77 Correlation_ActivityID=-absent- \
          Execution_ProcessID=4 Execution_ThreadID=4 Channel=Security Computer=HOST.example \
          Security_UserID=-absent- Image=C:\\a.exe User Name=-empty-"]
    );
    // The event's own number and time, not those of the record around it.
    assert_eq!((shown.positions[0].record, shown.positions[0].offset), (Some(77), 4_096 + 512));
    assert_eq!(shown.times, [Some("2021-03-03T08:20:05.1234567Z".to_owned())]);
}

#[test]
fn one_definition_serves_many_records() {
    let mut chunk = Chunk::new(1);
    let definition = |stream: &mut Stream| {
        stream.element("Event").content().element("EventData").content();
        stream.element("Data").attribute("Name").text("v").content().normal(0).end().end().end();
    };
    chunk.record(|stream| {
        stream.header().instance(definition, &[string("one")]);
    });
    // Record header, fragment header, instance up to the definition's offset.
    let offset = 512 + 24 + 4 + 10;
    chunk.record(|stream| {
        stream.header().instance_of(offset, &[string("two")]);
    });
    let shown = read(&chunk.finish());
    assert_eq!(shown.problems, []);
    assert_eq!(shown.records, ["v=one", "v=two"]);
}

#[test]
fn values_by_type() {
    check_value(0x00, &[], "-empty-");
    check_value(0x01, &utf16("tést\0rest"), "tést");
    check_value(0x01, &[], "");
    check_value(0x02, b"caf\xe9 \x80\0", "café €");
    check_value(0x03, &[0xff], "-1");
    check_value(0x04, &[0xff], "255");
    check_value(0x05, &(-2i16).to_le_bytes(), "-2");
    check_value(0x06, &65_535u16.to_le_bytes(), "65535");
    check_value(0x07, &(-3i32).to_le_bytes(), "-3");
    check_value(0x08, &u32::MAX.to_le_bytes(), "4294967295");
    check_value(0x09, &i64::MIN.to_le_bytes(), "-9223372036854775808");
    check_value(0x0a, &u64::MAX.to_le_bytes(), "18446744073709551615");
    check_value(0x0b, &0.1f32.to_le_bytes(), "0.1");
    check_value(0x0c, &0.25f64.to_le_bytes(), "0.25");
    check_value(0x0d, &1u32.to_le_bytes(), "true");
    check_value(0x0d, &0u32.to_le_bytes(), "false");
    check_value(0x0d, &16u32.to_le_bytes(), "16");
    check_value(0x0e, &[0xab, 0x01], "AB01");
    check_value(0x10, &0x1fu32.to_le_bytes(), "0x1f");
    check_value(0x10, &0x1fu64.to_le_bytes(), "0x1f");
    check_value(0x14, &0x3e7u32.to_le_bytes(), "0x3e7");
    check_value(0x15, &0x8000_0000_0000_0000u64.to_le_bytes(), "0x8000000000000000");
    check_value(0x13, &[1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0], "S-1-5-18");
    check_value(0x23, &utf16("<a/>"), "<a/>");
    // Nobody knows this type; its bytes are there all the same.
    check_value(0x5f, &[1, 2], "0102");
    // Too short for its type.
    check_value(0x08, &[1, 2], "0102");
    check_value(0x08, &[], "-empty-");
}

#[test]
fn text_ends_at_its_first_nul() {
    for nul in 0..40 {
        let mut units = utf16(&"ā".repeat(40));
        units[nul * 2..nul * 2 + 2].fill(0);
        check_value(0x01, &units, &"ā".repeat(nul));
    }
    // A zero byte is no NUL where it is half of a unit, nor is an odd byte at the end.
    check_value(0x01, &[0, 1, 0, 1, 0], "ĀĀ");
}

#[test]
fn times_by_type() {
    check_value(0x11, &132_592_332_051_234_567u64.to_le_bytes(), "2021-03-03T08:20:05.1234567Z");
    check_value(0x11, &0u64.to_le_bytes(), "1601-01-01T00:00:00.0000000Z");
    check_value(0x11, &(i64::MAX as u64).to_le_bytes(), "30828-09-14T02:48:05.4775807Z");
    check_value(0x11, &u64::MAX.to_le_bytes(), "18446744073709551615");
    let fields = [2_021u16, 3, 3, 3, 8, 20, 5, 123].map(u16::to_le_bytes).concat();
    check_value(0x12, &fields, "2021-03-03T08:20:05.123Z");
    check_value(0x12, &[0; 16], "-empty-");
    check_value(0x12, &[0xff; 16], &"FF".repeat(16));
}

#[test]
fn guids() {
    let guid = [0x78, 0x56, 0x34, 0x12, 0x34, 0x12, 0x78, 0x56, 1, 2, 3, 4, 5, 6, 7, 8];
    check_value(0x0f, &guid, "{12345678-1234-5678-0102-030405060708}");
}

#[test]
fn arrays_are_lists() {
    check_value(0x81, &utf16("a\0\0b c\0"), r#"["a", "", "b c"]"#);
    check_value(0x81, &utf16("a\0"), "a");
    check_value(0x81, &utf16("a\0b"), r#"["a", "b"]"#);
    check_value(0x81, &[], "-empty-");
    check_value(0x82, b"a\0b\0", r#"["a", "b"]"#);
    check_value(0x86, &[1, 0, 2, 0], r#"["1", "2"]"#);
    check_value(0x94, &[1, 0, 0, 0, 2, 0, 0, 0], r#"["0x1", "0x2"]"#);
    check_value(0x8d, &[1, 0, 0, 0, 0, 0, 0, 0], r#"["true", "false"]"#);
    check_value(0x8d, &[1, 0, 0, 0, 9, 0, 0, 0], r#"["1", "9"]"#);
    let sid = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
    check_value(0x93, &[sid, sid].concat(), r#"["S-1-5-18", "S-1-5-18"]"#);
}

#[test]
fn optional_null_is_absent_normal_null_is_empty() {
    let definition = |stream: &mut Stream| {
        stream.element("Data").attribute("Name").text("normal").content().normal(0).end();
        stream.element("Data").attribute("Name").text("optional").content().optional(0).end();
        stream.element_depending(0, "Data").attribute("Name").text("depends").content().text("x").end();
        stream.element("Data").attribute("Name").text("nothing").end_empty();
        stream.element("Data").attribute("Name").text("unfilled").content().optional(9).end();
    };
    let expect = "normal=-empty- optional=-absent- depends=-absent- nothing=-empty- unfilled=-empty-";
    check_data(definition, &[null()], expect);
    let expect = "normal=a optional=a depends=x nothing=-empty- unfilled=-empty-";
    check_data(definition, &[string("a")], expect);
}

#[test]
fn names_of_data() {
    let definition = |stream: &mut Stream| {
        stream.element("Data").content().normal(0).end();
        stream.element("Data").content().normal(1).end();
        stream.element("Data").attribute("Name").normal(0).content().normal(1).end();
        stream.element("Binary").content().normal(2).end();
    };
    let values = [string("one"), string("two"), Wire::Value(0x0e, vec![0xff])];
    check_data(definition, &values, "Data=one Data=two one=two Binary=FF");
}

#[test]
fn text_put_together() {
    let definition = |stream: &mut Stream| {
        stream.element("Data").attribute("Name").text("v").content();
        stream.text("a").entity("amp").raw(&[0x08, b'#', 0]).cdata("<c>").normal(0).entity("own").end();
        stream.element("Data").attribute("Name").text("w").content();
        stream.text("x").entity("lt").entity("gt").entity("quot").entity("apos").end();
    };
    check_data(definition, &[Wire::Value(0x04, vec![5])], "v=a&#<c>5&own; w=x<>\"'");
}

#[test]
fn plain_elements_without_a_template() {
    check(
        |stream| {
            stream.header().element("Event").content().element("UserData").content();
            stream.element("Wire").attribute("xmlns").text("urn:x").content().text("\r\n ");
            stream.element("URL").attribute("scheme").text("http").content();
            stream.text("http:").entity("lt").text("x").end().text("\n");
            stream.element("Flags").attribute("value").text("2").end_empty();
            stream.element("Count").content().raw(&[0x05, 0x08, 9, 0, 0, 0]).end();
            stream.element("None").end_empty();
            stream.end().end().end().raw(&[0]);
        },
        "URL_scheme=http URL=http:<x Flags_value=2 Count=9 None=-empty-",
    );
}

#[test]
fn plain_fields_are_named_by_their_name() {
    check(
        |stream| {
            stream.element("Event").content().element("EventData").content();
            stream.element("Data").attribute("Name").text("a b").content().text("1").end();
            stream.element("Data").content().text("2").end();
            // Processing instructions say nothing.
            stream.raw(&[0x0b]).counted("pi");
            stream.end().end();
        },
        "a b=1 Data=2",
    );
}

#[test]
fn a_fragment_may_be_plain_and_others_may_follow() {
    let write = |stream: &mut Stream| {
        let definition = |stream: &mut Stream| {
            stream.element("Event").content().optional(0).end();
        };
        let fragment = Wire::Fragment(|stream| {
            stream.header().element("EventData").content().leaf("Data", "1").end();
            stream.element("RenderingInfo").attribute("Culture").text("en").content();
            stream.leaf("Message", "m").leaf("Level", "Information").end().raw(&[0]);
        });
        stream.header().instance(definition, &[fragment]).raw(&[0]);
    };
    check(write, "Data=1 RenderingInfo_Culture=en Message=m RenderingInfo_Level=Information");
}

#[test]
fn a_stream_written_into_a_stream() {
    check(
        |stream| {
            stream.element("Event").content().element("EventData").content();
            stream.raw(&[0x05, 0x21]);
            let size = stream.bytes.len();
            stream.raw(&[0, 0]).leaf("Data", "1").raw(&[0]);
            let written = (stream.bytes.len() - size - 2) as u16;
            stream.bytes[size..size + 2].copy_from_slice(&written.to_le_bytes());
            stream.end().end();
        },
        "Data=1",
    );
}

#[test]
fn user_data_by_leaf_and_no_event_data_at_all() {
    let write = |user_data: Wire| {
        move |stream: &mut Stream| {
            let definition = |stream: &mut Stream| {
                stream.element("Event").content().element("UserData").content().optional(0).end().end();
            };
            stream.header().instance(definition, &[user_data]).raw(&[0]);
        }
    };
    let filled = Wire::Fragment(|stream| {
        let definition = |stream: &mut Stream| {
            stream.element("LogFileCleared").attribute("xmlns:e").text("u").content();
            stream.element("SubjectUserName").content().normal(0).end().end();
        };
        stream.instance(definition, &[string("admin")]);
    });
    check(write(filled), "SubjectUserName=admin");
    // The place of a fragment that is not there is no field.
    check(write(null()), "UserData=-absent-");
}
