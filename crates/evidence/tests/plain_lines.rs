//! Lines that are split quickly are the records that the format's own way gives.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use evidence::{ItemHead, Limits, ReadItem, Visitor, open, read};
use model::{Problem, Record, Shape};
use std::sync::{Arc, Mutex};

/// Asks for all slots of lines without its mark, or for no quick way at all.
struct Keeper {
    mark: Option<&'static [u8]>,
    items: Mutex<Vec<(Vec<Shown>, Vec<Problem>)>>,
}

/// A record, and whether it came the quick way.
#[derive(Clone, Debug)]
struct Shown {
    text: String,
    is_quick: bool,
}

fn show(record: &Record<'_>) -> String {
    let shape = (&record.shape.log, record.shape.family);
    let values: Vec<_> = (0..record.shape.slots.len()).map(|slot| record.value(slot)).collect();
    format!("{shape:?} {:?} {:?} {values:?}", record.position, record.time)
}

impl Visitor for Keeper {
    type Part = Vec<Shown>;

    fn start(&self, _: &ItemHead<'_>) -> Self::Part {
        Vec::new()
    }

    fn record(&self, part: &mut Self::Part, record: &Record<'_>) {
        part.push(Shown { text: show(record), is_quick: false });
    }

    fn mark(
        &self,
        _: &mut Self::Part,
        shape: &Arc<Shape>,
        text: &[u8],
        marks: &mut Vec<u32>,
    ) -> Option<Arc<[u32]>> {
        let mark = self.mark?;
        assert_eq!(text.last(), Some(&b'\n'));
        let places = text.windows(mark.len()).zip(0..).filter(|(window, _)| *window == mark);
        // In no order.
        marks.extend(places.map(|(_, place)| place).collect::<Vec<u32>>().iter().rev());
        Some((0..shape.slots.len() as u32).collect())
    }

    fn count(&self, part: &mut Self::Part, record: &Record<'_>) {
        part.push(Shown { text: show(record), is_quick: true });
    }

    fn merge(&self, whole: &mut Self::Part, next: Self::Part) {
        whole.extend(next);
    }

    fn item(&self, item: ReadItem, whole: Option<Self::Part>, _content: Option<&[u8]>) {
        let records = whole.unwrap_or_default();
        assert_eq!(item.records, records.len() as u64);
        self.items.lock().unwrap().push((records, item.problems));
    }
}

fn shown(bytes: &[u8], mark: Option<&'static [u8]>) -> (Vec<Shown>, Vec<Problem>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x"), bytes).unwrap();
    let keeper = Keeper { mark, items: Mutex::default() };
    let limits = Limits::default();
    let opened = open(&[folder.path().to_path_buf()], &limits);
    assert_eq!(read(&opened.sources, &limits, &keeper), []);
    keeper.items.into_inner().unwrap().remove(0)
}

/// Both ways give the same; `quick_min` of a hundred records come the quick one.
#[track_caller]
fn check(bytes: &[u8], quick_min: usize) {
    let (slow, problems) = shown(bytes, None);
    assert!(slow.len() > 100 && !slow.iter().any(|record| record.is_quick));
    for mark in [&b"needle"[..], b"\x00no such\x00"] {
        let (quick, own) = shown(bytes, Some(mark));
        assert_eq!(own, problems);
        assert_eq!(quick.len(), slow.len());
        for (quick, slow) in quick.iter().zip(&slow) {
            assert_eq!(quick.text, slow.text, "quick: {}", quick.is_quick);
            assert!(!(quick.is_quick && quick.text.contains("needle")) || mark != b"needle");
        }
        let is_quick = quick.iter().filter(|record| record.is_quick).count();
        assert!(is_quick * 100 >= quick.len() * quick_min, "{is_quick} of {}", quick.len());
    }
}

/// Numbers that look drawn, the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn pick<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len() as u64) as usize]
    }
}

/// What may stand in a value, where one line in twenty is spoilt.
const PLAIN: &[&str] = &["-", "a", "/owa/x.aspx", "200", "needle", "443", "Mozilla/5.0+(X)", "=", "x\u{7f}"];
const SPOILT: &[&str] = &[
    "",
    " ",
    "\t",
    "\"q r\"",
    "\u{e4}",
    "\u{212a}",
    "\0",
    "a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0b",
    "\r",
    "\"",
    ",",
    "#",
];

fn line(dice: &mut Dice, time: &str, columns: usize, separator: &str) -> String {
    let is_spoilt = dice.below(20) == 0;
    let columns = if is_spoilt { columns + dice.below(3) as usize - 1 } else { columns };
    let spoilt = dice.below(columns.max(1) as u64) as usize;
    let values = (0..columns)
        .map(|column| if is_spoilt && column == spoilt { dice.pick(SPOILT) } else { dice.pick(PLAIN) });
    let values: Vec<&str> = values.collect();
    let end = dice.pick(&["\r\n", "\r\n", "\r\n", "\n"]);
    let before = if dice.below(200) == 0 { dice.pick(&["\u{feff}", " ", "#", "\0", "\n"]) } else { "" };
    format!("{before}{time}{separator}{}{end}", values.join(separator))
}

fn time(dice: &mut Dice, between: &str, seconds: &mut u64, end: &str) -> String {
    *seconds += dice.below(9);
    let [hour, minute, second] = [*seconds / 3_600 % 24, *seconds / 60 % 60, *seconds % 60];
    match dice.below(100) {
        0 => format!("2021-03-01{between}-"),
        1 => format!("-{between}12:00:00"),
        2 => format!("2021-03-01{between}{hour:02}:{minute:02}:60{end}"),
        3 => format!("2021-13-01{between}{hour:02}:{minute:02}:{second:02}{end}"),
        _ => format!("2021-03-01{between}{hour:02}:{minute:02}:{second:02}{end}"),
    }
}

#[test]
fn lines_of_iis() {
    let (mut dice, mut seconds) = (Dice(1), 0);
    let mut log = String::from("#Software: Microsoft Internet Information Services 10.0\r\n");
    for n in 0..30_000 {
        if n % 7_000 == 0 {
            let more = ["", " time-taken", ""][n / 7_000 % 3];
            let bom = if n == 14_000 { "\u{feff}" } else { "" };
            log += &format!("{bom}#Fields: date time cs-method cs-uri-stem cs-uri-query sc-status{more}\r\n");
        }
        let columns = if n / 7_000 % 3 == 1 { 5 } else { 4 };
        let time = time(&mut dice, " ", &mut seconds, "");
        log += &line(&mut dice, &time, columns, " ");
    }
    check(log.as_bytes(), 40);
}

#[test]
fn lines_of_a_server_that_writes_no_date_go_their_own_way() {
    let mut log = String::from("#Date: 2021-03-01 00:00:00\r\n#Fields: time c-ip cs-method sc-status\r\n");
    (0..5_000).for_each(|n| log += &format!("{:02}:00:00 192.0.2.1 GET 200\r\n", n / 100 % 24));
    check(log.as_bytes(), 0);
}

#[test]
fn lines_of_exchange() {
    let (mut dice, mut seconds) = (Dice(2), 0);
    let mut log = String::from(
        "#Software: Microsoft Exchange Server\r\n#Version: 15.01.2106.002\r\n#Log-type: HttpProxy Logs\r\n",
    );
    for n in 0..30_000 {
        if n % 9_000 == 0 {
            let more = ["", ",GenericInfo", ""][n / 9_000 % 3];
            log +=
                &format!("#Fields: DateTime,RequestId,Protocol,UrlStem,ServerHostName,HttpStatus{more}\r\n");
        }
        let columns = if n / 9_000 % 3 == 1 { 6 } else { 5 };
        let end = dice.pick(&["Z", ".123Z", ".123", ".12Z", "+01:00"]);
        let time = time(&mut dice, "T", &mut seconds, end);
        log += &line(&mut dice, &time, columns, ",");
    }
    check(log.as_bytes(), 40);
}
