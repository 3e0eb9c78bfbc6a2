//! Small logs made in the tests.

use std::fs;
use std::path::Path;

/// An IIS log with a record at twenty past each of `hours` since 2021-03-01.
pub fn iis(hours: impl IntoIterator<Item = u32>) -> String {
    let mut log =
        "#Software: Microsoft Internet Information Services 10.0\r\n#Fields: date time c-ip cs-method \
                   cs-uri-stem cs-uri-query sc-status\r\n"
            .to_owned();
    for hour in hours {
        let (day, hour) = (hour / 24 + 1, hour % 24);
        log.push_str(&format!("2021-03-{day:02} {hour:02}:20:05 192.0.2.1 GET /owa/ - 200\r\n"));
    }
    log
}

/// An HttpProxy log of `host` with two requests over the hole.
pub fn httpproxy(host: &str) -> String {
    let columns = "DateTime,RequestId,ServerHostName,UrlStem,AnchorMailbox,HttpStatus,Protocol";
    let mut log = format!("{columns}\r\n#Log-type: HttpProxy Logs\r\n#Fields: {columns}\r\n");
    for hour in [1, 2] {
        log.push_str(&format!(
            "2021-03-01T{hour:02}:00:00.123Z,r{hour},{host},/ecp/y.js,ServerInfo~a@b.example:444/ecp/x?#,200,Ecp\r\n"
        ));
    }
    log
}

/// An event as a line of JSON.
pub fn event(channel: &str, computer: &str, provider: &str, id: u32, hour: u32) -> String {
    format!(
        "{{\"Event\":{{\"System\":{{\"Provider\":{{\"#attributes\":{{\"Name\":\"{provider}\"}}}},\"EventID\":{id},\
         \"TimeCreated\":{{\"#attributes\":{{\"SystemTime\":\"2021-03-01T{hour:02}:00:00Z\"}}}},\
         \"Channel\":\"{channel}\",\"Computer\":\"{computer}\"}},\"EventData\":{{}}}}}}\n"
    )
}

/// Writes `bytes` to `path` below `folder`.
pub fn put(folder: &Path, path: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    fs::write(path, bytes).expect("a file");
}

/// A zip archive of `members`.
pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("a member");
        std::io::Write::write_all(&mut writer, bytes).expect("bytes");
    }
    writer.finish().expect("an archive").into_inner()
}
