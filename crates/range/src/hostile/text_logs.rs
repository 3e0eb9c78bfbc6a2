//! Text logs that break their own grammar, or go on and on.

use super::{Input, json_lines, web_log};

pub fn inputs() -> Vec<Input> {
    [w3c(), exchange(), json(), markup()].concat()
}

const FIELDS: &str = "#Fields: date time c-ip cs-uri-stem sc-status\n";
const ROW: &str = "2021-03-04 11:20:05 203.0.113.7 /owa/x.aspx 200\n";

fn w3c() -> Vec<Input> {
    let log = web_log();
    let text = String::from_utf8_lossy(&log).into_owned();
    let wide = |little: bool| -> Vec<u8> {
        let unit = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(unit).collect()
    };
    let of = |name: &str, about: &str, bytes: Vec<u8>| Input::new(&format!("w3c-{name}.log"), about, bytes);
    let row_of = |change: &str| format!("{FIELDS}{}{ROW}", ROW.replace("/owa/x.aspx", change)).into_bytes();
    vec![
        of("5000-columns", "5,000 columns", {
            let names = (0..5_000).map(|index| format!(" f{index}")).collect::<String>();
            format!("#Fields: date time c-ip{names}\n{}\n", "x ".repeat(5_003)).into_bytes()
        }),
        of("one-name", "100 columns of one name", {
            format!("#Fields: date time{}\n{ROW}", " c-ip".repeat(100)).into_bytes()
        }),
        of(
            "no-fields",
            "rows without a #Fields line",
            format!("#Software: x\n{}", ROW.repeat(9)).into_bytes(),
        ),
        of("fields-only", "nothing but a #Fields line", FIELDS.into()),
        of("fields-each-row", "new columns for each of 2,000 rows", {
            let row = |index| format!("#Fields: date time x{index} cs-uri-stem sc-status\n{ROW}");
            (0..2_000).map(row).collect::<String>().into_bytes()
        }),
        of("nuls", "NULs where a crash left the row unwritten", {
            [FIELDS.as_bytes(), ROW.as_bytes(), &[0; 5_000], ROW.as_bytes()].concat()
        }),
        of("utf16le", "UTF-16, little end first", wide(true)),
        of("utf16be", "UTF-16, big end first", wide(false)),
        of("not-utf8", "bytes that are no UTF-8", {
            [FIELDS.as_bytes(), ROW.as_bytes(), b"2021-03-04 11:20:05 \xff\xfe /\xc3\x28 200\n"].concat()
        }),
        of("carriage-returns", "lines that end with carriage returns only", {
            text.replace('\n', "\r").into_bytes()
        }),
        of("empty-lines", "100,000 empty lines", format!("{FIELDS}{}", "\n".repeat(100_000)).into_bytes()),
        of(
            "comments",
            "50,000 lines of the frame",
            format!("{FIELDS}{}", "#x\n".repeat(50_000)).into_bytes(),
        ),
        of("long-line", "a line of 6 MiB", row_of(&"a".repeat(6 << 20))),
        of("escapes", "what steers a terminal", row_of("/\x1b[2J\x1b]0;x\x07\u{202e}\u{200b}")),
        of("formula", "what a spreadsheet would run", row_of("=HYPERLINK(\"http://example.test\")")),
        of("script", "what a browser would run", row_of("/</script><script>alert(1)</script>")),
        of("no-such-day", "times that are none", {
            let rows = ["2021-02-30 11:20:05", "9999-99-99 99:99:99", "0000-00-00 00:00:00", "- -"];
            let rows = rows.map(|time| format!("{time} 203.0.113.7 / 200\n"));
            format!("{FIELDS}{}", rows.concat()).into_bytes()
        }),
        of("ragged", "rows with too few and too many columns", {
            format!("{FIELDS}2021-03-04 11:20:05 x\n{}", ROW.replace(" 200", " 200 a b c")).into_bytes()
        }),
    ]
}

fn exchange() -> Vec<Input> {
    const FRAME: &str =
        "#Software: Microsoft Exchange Server\n#Version: 15.01.2106.002\n#Log-type: HttpProxy Logs\n";
    const NAMES: &str = "#Fields: DateTime,RequestId,UrlStem,AnchorMailbox\n";
    const ROW: &str = "2021-03-04T11:20:05.123Z,1,/ecp/y.js,x@example.test\n";
    let of = |name: &str, about: &str, body: String| {
        Input::new(&format!("exchange-{name}.LOG"), about, format!("{FRAME}{body}"))
    };
    vec![
        of("open-quote", "a quote that never closes, 3 MiB", {
            format!("{NAMES}2021-03-04T11:20:05.123Z,\"{}", "x\n".repeat(3 << 19))
        }),
        of("open-quotes", "a quote that never closes in each of 500 rows", {
            NAMES.to_owned() + &ROW.replace(",1,", ",\"1,").repeat(500)
        }),
        of(
            "quotes",
            "1 MiB of quotes",
            format!("{NAMES}2021-03-04T11:20:05.123Z,{}\n{ROW}", "\"".repeat(1 << 20)),
        ),
        of("quoted-names", "column names with line ends in quotes", {
            format!("#Fields: DateTime,\"Request\nId\",UrlStem,\"\"\n{ROW}")
        }),
        of("3000-columns", "3,000 columns", format!("#Fields: DateTime{}\n{ROW}", ",x".repeat(3_000))),
        of("no-columns", "rows without names", ROW.repeat(20)),
        of("long-type", "a log type of 64 KiB", format!("#Log-type: {}\n{NAMES}{ROW}", "x".repeat(65_536))),
        of("types", "another log type for each of 2,000 rows", {
            let part = |index| format!("#Log-type: t{index}\n{NAMES}{ROW}");
            (0..2_000).map(part).collect()
        }),
        of(
            "commas",
            "1 MiB of commas",
            format!("{NAMES}2021-03-04T11:20:05.123Z{}\n{ROW}", ",".repeat(1 << 20)),
        ),
    ]
}

fn json() -> Vec<Input> {
    let lines = json_lines();
    let first = String::from_utf8_lossy(&lines).lines().next().unwrap_or_default().to_owned();
    // The second line is the odd one: the first says what the file is.
    let with = |value: &str| {
        let odd = first.replacen("\"Message\":\"assay-range synthetic\"", &format!("\"Message\":{value}"), 1);
        format!("{first}\n{odd}\n{first}\n").into_bytes()
    };
    let of =
        |name: &str, about: &str, bytes: Vec<u8>| Input::new(&format!("json-{name}.jsonl"), about, bytes);
    vec![
        of("deep-arrays", "100,000 arrays in one another", with(&"[".repeat(100_000))),
        of("deep-objects", "10,000 objects in one another", {
            with(&format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000)))
        }),
        of("many-keys", "100,000 keys", {
            let keys: Vec<String> = (0..100_000).map(|index| format!("\"k{index}\":1")).collect();
            with(&format!("{{{}}}", keys.join(",")))
        }),
        of("one-key", "one key 5,000 times", with(&format!("{{{}\"k\":1}}", "\"k\":1,".repeat(5_000)))),
        of("numbers", "numbers that no machine holds", {
            with(&format!("[1e999,-1e999,{},0.{}]", "9".repeat(5_000), "0".repeat(5_000)))
        }),
        of("surrogates", "halves of characters", with(r#""\ud800\udc00\ud800 \udfff""#)),
        of("open-string", "a string that never ends", with("\"x")),
        of("controls", "NULs and control characters within a string", with("\"\0\u{1}\u{1b}[2J\"")),
        of("one-line", "all objects on one line", {
            String::from_utf8_lossy(&lines).replace('\n', "").into_bytes()
        }),
        of("open-array", "an array that never ends", {
            format!("[{}", String::from_utf8_lossy(&lines).replace('\n', ",\n")).into_bytes()
        }),
        of("bom", "a byte order mark before each line", {
            String::from_utf8_lossy(&lines).replace("{\"@", "\u{feff}{\"@").into_bytes()
        }),
    ]
}

fn markup() -> Vec<Input> {
    let laughs: String = (1..10)
        .map(|index| format!("<!ENTITY l{index} \"{}\">\n", format!("&l{};", index - 1).repeat(10)))
        .collect();
    vec![
        Input::new("laughs.xml", "entities that unfold to ten thousand million", {
            format!(
                "<?xml version=\"1.0\"?>\n<!DOCTYPE x [\n<!ENTITY l0 \"ha\">\n{laughs}]>\n<Events><Event>&l9;</Event></Events>\n"
            )
        }),
        Input::new("outside.xml", "an entity that names a file outside", {
            "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/hostname\">]>\n<Task><Actions>&e;</Actions></Task>\n"
        }),
        Input::new("deep.xml", "100,000 elements in one another", "<a>".repeat(100_000)),
        Input::new(
            "page.html",
            "a page that says it is a log",
            "<html>#Fields: date time\n<script>x</script>\n",
        ),
    ]
}
