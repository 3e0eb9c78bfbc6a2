//! Disk images: files of all kinds are found in all containers, and damage is
//! named.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod gather;
mod imaging;
mod packing;

use disk::sample::{self, DATA, FILE_NAME, clusters, record, reference, resident};
use evidence::{ArchiveLimits, Limits};
use gather::Gathered;
use imaging::{Disk, SET_CREATED, SET_MODIFIED, SHELL, converted, tool};
use model::{FileBasis, Timestamp};
use std::path::{Path, PathBuf};

const LOG: &str = "#Fields: date time c-ip sc-status\n";

/// A log that takes several clusters.
fn log() -> Vec<u8> {
    let lines = (0..4_000).map(|second| {
        let (minute, second) = (second / 60 % 60, second % 60);
        format!("2021-03-04 10:{minute:02}:{second:02} 203.0.113.7 200\n")
    });
    (LOG.to_owned() + &lines.collect::<String>()).into_bytes()
}

/// What an intruder left, and then deleted in part.
fn intrusion(folder: &Path) -> Option<Disk> {
    let log = log();
    let files: [(&str, &str, &[u8]); 11] = [
        ("Windows", "", b""),
        ("inetpub", "", b""),
        ("wwwroot", "", b""),
        ("error.aspx", "", SHELL),
        ("readme.txt", "", b"nothing"),
        ("readme.txt", "hidden.aspx", SHELL),
        ("gone.aspx", "", SHELL),
        ("old.log", "", &log),
        ("u_ex210304.log", "", &log),
        ("orphan.txt", "", b"whose folder is gone"),
        ("dropped", "", b""),
    ];
    let mut disk = Disk::new(folder, &files)?;
    for name in ["Windows", "inetpub", "wwwroot", "dropped"] {
        disk.make_folder(name);
    }
    disk.put_in("wwwroot", "inetpub");
    for name in ["error.aspx", "readme.txt", "gone.aspx"] {
        disk.put_in(name, "wwwroot");
    }
    disk.put_in("orphan.txt", "dropped");
    let reused = disk.record("dropped");
    disk.bytes[reused + 16] += 5;
    disk.set_times("error.aspx");
    disk.set_times("gone.aspx");
    disk.delete("gone.aspx");
    disk.delete("old.log");
    Some(disk)
}

fn read(path: &Path, limits: &Limits) -> Gathered {
    let mut gathered = gather::all(&[path.to_path_buf()], limits);
    let prefix = format!("{}/", path.parent().unwrap().display());
    for item in &mut gathered.items {
        item.item.path = item.item.path.replace(&prefix, "");
    }
    for (path, _) in &mut gathered.problems {
        *path = path.replace(&prefix, "");
    }
    gathered
}

/// What every container of [`intrusion`] must give.
#[track_caller]
fn check(path: &Path, volume: &str) -> Gathered {
    let gathered = read(path, &Limits::default());
    let name = path.file_name().unwrap().to_str().unwrap();
    let item = |file: &str| {
        let path = format!("{name}!{volume}/{file}");
        let found = gathered.items.iter().find(|item| item.item.path == path);
        found.unwrap_or_else(|| panic!("no {path} in {:#?}, {:?}", gathered.paths(), gathered.problems))
    };
    let shell = &item("inetpub/wwwroot/error.aspx").item;
    assert_eq!(shell.facts.created, Timestamp::from_filetime(SET_CREATED));
    assert_eq!(shell.facts.modified, Timestamp::from_filetime(SET_MODIFIED));
    assert!(shell.facts.changed > shell.facts.modified);
    assert_eq!((shell.facts.basis, shell.facts.deleted), (Some(FileBasis::Mft), false));
    assert!(shell.root.ends_with(name));
    let stream = &item("inetpub/wwwroot/readme.txt:hidden.aspx").item;
    assert_eq!(stream.sha256, shell.sha256);
    let gone = &item("inetpub/wwwroot/gone.aspx").item;
    assert_eq!((gone.sha256, gone.facts.deleted), (shell.sha256, true));
    assert_eq!(gone.facts.created, Timestamp::from_filetime(SET_CREATED));
    let log = item("u_ex210304.log");
    assert_eq!((log.item.format, log.item.records), (Some("w3c"), 4_000));
    // Its clusters are marked as in use: by somebody else, as far as we know.
    assert_eq!(item("old.log").item.size_bytes, 0);
    assert_eq!(item("$Orphans/orphan.txt").item.size_bytes, 20);
    let mft = item("$MFT");
    assert_eq!(mft.item.format, Some("mft"));
    let entry = mft.records.iter().find(|record| record.contains("error.aspx")).unwrap();
    let drive = if volume == "C" { "C:" } else { "" };
    let path = format!("Path = {:?}", format!("{drive}\\inetpub\\wwwroot\\error.aspx"));
    assert!(entry.contains(&path) && entry.contains("CreatedBeforeName = true"), "{entry}");
    assert_eq!(gathered.problems, []);
    let image = &gathered.items.iter().find(|item| item.item.path == name).unwrap().item;
    assert_eq!((image.format, image.records), (Some("disk-image"), 0));
    gathered
}

#[test]
fn raw_images_with_and_without_a_partition_table() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = intrusion(folder.path()) else { return };
    let place = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let bare = check(&place("bare.dd", &disk.bytes), "C");
    check(&place("mbr.img", &disk.in_mbr()), "C");
    let gpt = check(&place("gpt.bin", &disk.in_gpt()), "C");
    let image = gpt.items.iter().find(|item| item.item.path == "gpt.bin").unwrap();
    let kinds: Vec<_> = image.item.problems.iter().map(|problem| problem.kind).collect();
    assert_eq!(kinds, ["overwritten", "unsupported-filesystem"], "{:?}", image.item.problems);
    // Progress is that of the image, once.
    assert_eq!(bare.progress, disk.bytes.len() as u64);
}

#[test]
fn raw_images_that_were_cut() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = intrusion(folder.path()) else { return };
    let bytes = disk.in_mbr();
    let size = bytes.len() / 3 + 1;
    for first in ["server.001", "server.dd.aa"] {
        let cut = tempfile::tempdir().unwrap();
        let names = if first.ends_with("aa") { ["aa", "ab", "ac"] } else { ["001", "002", "003"] };
        let files = names.map(|ending| cut.path().join(first).with_extension(ending));
        for (file, part) in files.iter().zip(bytes.chunks(size)) {
            std::fs::write(file, part).unwrap();
        }
        let whole = check(&cut.path().join(first), "C");
        assert!(whole.problems.is_empty(), "{:?}", whole.problems);
        // Later parts are the disk's, and no items of an unknown kind.
        let all = read(cut.path(), &Limits::default());
        let format = |file: &PathBuf| {
            let name = file.file_name().unwrap().to_str().unwrap();
            all.items.iter().find(|item| item.item.path.ends_with(name)).unwrap().item.format
        };
        let formats: Vec<Option<&str>> = files.iter().map(format).collect();
        assert_eq!(formats, [Some("disk-image"); 3]);
        std::fs::remove_file(&files[1]).unwrap();
        let holed = read(&cut.path().join(first), &Limits::default());
        assert!(
            holed.problems.iter().any(|(_, problem)| problem.wanted.contains("the segment server")),
            "{:?}",
            holed.problems
        );
    }
}

#[test]
fn virtual_disks() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = intrusion(folder.path()) else { return };
    let raw = folder.path().join("server.dd");
    std::fs::write(&raw, disk.in_mbr()).unwrap();
    for (format, ending) in [("vpc", "vhd"), ("vhdx", "vhdx")] {
        let Some(image) = converted(&raw, format, ending) else { return };
        let gathered = check(&image, "C");
        assert_eq!(gathered.kinds(), ["overwritten"]);
    }
    let fixed = folder.path().join("fixed.vhd");
    let arguments = ["convert", "-f", "raw", "-O", "vpc", "-o", "subformat=fixed"];
    let paths = [raw.to_str().unwrap(), fixed.to_str().unwrap()];
    if tool("qemu-img", &[&arguments[..], &paths].concat()) {
        check(&fixed, "C");
    }
}

#[test]
fn e01_images_in_one_file_and_in_several() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut disk) = intrusion(folder.path()) else { return };
    // Bytes that do not pack, in free space, so that there is more than one segment.
    let noise = packing::noise(3 << 20);
    let end = disk.bytes.len() - (1 << 20);
    disk.bytes[end - noise.len()..end].copy_from_slice(&noise);
    let raw = folder.path().join("server.dd");
    std::fs::write(&raw, disk.in_mbr()).unwrap();
    let acquire = |name: &str, segment: &str| {
        let target = folder.path().join(name);
        let paths = [target.to_str().unwrap(), raw.to_str().unwrap()];
        let options = ["-u", "-q", "-f", "encase6", "-c", "fast", "-S", segment, "-t"];
        tool("ewfacquire", &[&options[..], &paths].concat())
    };
    if !acquire("one", "1GiB") || !acquire("several", "1MiB") {
        return;
    }
    check(&folder.path().join("one.E01"), "C");
    let several = check(&folder.path().join("several.E01"), "C");
    assert_eq!(several.kinds(), ["overwritten"]);
    // A later segment is hashed, and read with the first only.
    let later = read(&folder.path().join("several.E02"), &Limits::default());
    assert_eq!((later.paths(), later.kinds()), (vec!["several.E02"], vec![]));
    std::fs::remove_file(folder.path().join("several.E02")).unwrap();
    let gap = read(&folder.path().join("several.E01"), &Limits::default());
    assert!(gap.kinds().contains(&"truncated"), "{:?}", gap.kinds());
    std::fs::remove_file(folder.path().join("several.E01")).unwrap();
    let alone = read(&folder.path().join("several.E03"), &Limits::default());
    assert_eq!((alone.paths(), alone.kinds()), (vec!["several.E03"], vec!["truncated"]));
}

#[test]
fn mft_as_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = intrusion(folder.path()) else { return };
    let path = folder.path().join("$MFT");
    std::fs::write(&path, disk.mft()).unwrap();
    let small = Limits { spool_bytes_max: 4 << 10, ..Limits::default() };
    let gathered = read(&path, &small);
    assert_eq!(gathered, read(&path, &Limits::default()));
    assert_eq!((gathered.paths(), gathered.kinds()), (vec!["$MFT"], vec![]));
    assert_eq!(gathered.progress, disk.mft().len() as u64);
    let records = &gathered.items[0].records;
    let of = |name: &str| records.iter().find(|record| record.contains(&format!("Name = {name:?}"))).unwrap();
    let shell = of("error.aspx");
    let offset = disk.record("error.aspx") - disk.record("$MFT");
    assert!(shell.starts_with(&format!("@{offset} 2021-03-05T00:00:00Z Artifacts log=mft")), "{shell}");
    for line in [
        "Path = \"\\\\inetpub\\\\wwwroot\\\\error.aspx\"",
        "Extension = \"aspx\"",
        "Size = 80",
        "Created = 2021-03-04T11:31:47Z",
        "CreatedBeforeName = true",
        "Deleted = false",
        "Folder = false",
        "Orphan = false",
        "Streams = (absent)",
    ] {
        assert!(shell.contains(&format!("\n  {line}")), "{line}: {shell}");
    }
    assert!(of("readme.txt").contains("Streams = \"hidden.aspx\""));
    assert!(of("gone.aspx").contains("Deleted = true"));
    assert!(of("wwwroot").contains("Folder = true"));
    let orphan = of("orphan.txt");
    assert!(
        orphan.contains("Path = \"\\\\$Orphans\\\\orphan.txt\"") && orphan.contains("Orphan = true"),
        "{orphan}"
    );
    // Bounded folders cost paths, and that is told.
    let few = disk::Limits { folders_max: 1, ..disk::Limits::default() };
    let bounded = read(&path, &Limits { disk: few, ..Limits::default() });
    assert_eq!((bounded.kinds(), bounded.items[0].records.len()), (vec!["limit"], records.len()));
    // Cut, and with a record overwritten.
    let mut bytes = disk.mft();
    bytes.truncate(disk.mft().len() - 100);
    bytes[1024..1030].copy_from_slice(b"\xff\xff\xff\xff\xff\xff");
    std::fs::write(&path, bytes).unwrap();
    let kinds = read(&path, &Limits::default()).kinds();
    assert_eq!(kinds, ["bad-record", "truncated"]);
}

#[test]
fn change_journals_with_and_without_their_empty_beginning() {
    let folder = tempfile::tempdir().unwrap();
    // A journal of which 200 KiB were given back; a page holds 51 records of 80 bytes.
    let mut pages = Vec::new();
    let mut usn = 200 << 10;
    for page in 0..3u64 {
        let start = pages.len();
        for _ in 0..51 {
            pages.extend(sample::change(usn, 21, 20, 0x8000_0102, "page.aspx"));
            usn = (200 << 10) + pages.len() as u64;
        }
        pages.resize(start + 4_096, 0);
        usn = (200 << 10) + (page + 1) * 4_096;
    }
    let check = |name: &str, bytes: &[u8], records: usize, kinds: &[&str]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let gathered = read(&path, &Limits::default());
        let item = &gathered.items[0];
        assert_eq!((item.item.format, item.records.len()), (Some("usn"), records), "{name}");
        assert_eq!(gathered.kinds(), kinds, "{name}");
        assert_eq!(item.item.size_bytes, bytes.len() as u64);
        item.records[0].clone()
    };
    let first = check("$J", &pages, 153, &[]);
    for line in [
        "Path = (absent)",
        "Name = \"page.aspx\"",
        "Extension = \"aspx\"",
        "Reason = DATA_EXTEND, FILE_CREATE, CLOSE",
        "Entry = 21",
        "Parent = 20",
        "Usn = 204800",
        "Attributes = 0x20",
    ] {
        assert!(first.contains(&format!("\n  {line}")), "{line}: {first}");
    }
    assert!(first.starts_with("@0 2021-03-04T11:31:47Z Artifacts log=usn"), "{first}");
    let sparse = [vec![0; 200 << 10], pages.clone()].concat();
    assert!(check("sparse", &sparse, 153, &[]).starts_with("@204800 "));
    // From the middle of a page on: numbers tell where pages begin.
    check("shifted", &pages[800..], 143, &[]);
    let mut damaged = pages.clone();
    damaged[4_096 + 160] = 7;
    check("damaged", &damaged, 153 - 49, &["bad-record"]);
    // Zeros and then something else are no journal.
    let path = folder.path().join("zeros");
    std::fs::write(&path, [vec![0; 200 << 10], b"text".to_vec()].concat()).unwrap();
    let gathered = read(&path, &Limits::default());
    assert_eq!((gathered.items[0].item.format, gathered.items[0].item.size_bytes), (None, (200 << 10) + 4));
}

#[test]
fn journals_in_an_image_know_their_folders() {
    let changes = sample::change(1 << 40, 21, reference(20, 1), 0x100, "page.aspx");
    let named = |parent, name| resident(FILE_NAME, "", &sample::file_name(parent, name, 1));
    // A hole of 1 TiB, then one cluster.
    let journal = clusters(DATA, "$J", 0, &[0x05, 0, 0, 0, 0x80, 0, 0x11, 1, 100, 0], (1 << 40) + 512);
    let records = [
        (20, record(1, 3, 0, &[named(reference(5, 5), "wwwroot")])),
        (21, record(1, 1, 0, &[named(reference(5, 5), "$UsnJrnl"), resident(DATA, "", b""), journal])),
        // 4 GiB of nothing, and a name that would lead out.
        (
            22,
            record(
                1,
                1,
                0,
                &[named(reference(5, 5), "..\\x"), clusters(DATA, "", 0, &[0x04, 0, 0, 0x80, 0, 0], 1 << 32)],
            ),
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.dd");
    std::fs::write(&path, sample::volume(&records, &[(100, &changes)])).unwrap();
    let gathered = read(
        &path,
        &Limits {
            archive: ArchiveLimits { ratio_free_bytes: 1 << 20, ..ArchiveLimits::default() },
            ..Limits::default()
        },
    );
    let item = |path: &str| gathered.items.iter().find(|item| item.item.path == path).unwrap();
    let journal = item("x.dd!volume1/$UsnJrnl:$J");
    assert_eq!((journal.item.format, journal.item.size_bytes), (Some("usn"), 512));
    assert!(journal.records[0].contains("Path = \"\\\\wwwroot\\\\page.aspx\""), "{:?}", journal.records);
    let sparse = &item("x.dd!volume1/..%5Cx").item;
    assert_eq!((sparse.size_bytes, sparse.problems[0].kind), (1 << 20, "limit"));
}

#[test]
fn images_count_as_archives() {
    let folder = tempfile::tempdir().unwrap();
    let inner = packing::zip(&[packing::ZipMember::new("c.log", &log())]);
    let named = |name| resident(FILE_NAME, "", &sample::file_name(reference(5, 5), name, 1));
    let runs = [0x11, 100, 100, 0];
    let records =
        [(20, record(1, 1, 0, &[named("a.zip"), clusters(DATA, "", 0, &runs, inner.len() as u64)]))];
    let disk = sample::volume(&records, &[(100, &inner)]);
    let check = |name: &str, bytes: &[u8], path: &str, records: u64, kinds: &[&str]| {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        let gathered = read(&file, &Limits { spool_bytes_max: 4 << 10, ..Limits::default() });
        let item = gathered.items.iter().find(|item| item.item.path == path);
        let item = item.unwrap_or_else(|| panic!("{:?}", gathered.paths()));
        assert_eq!(item.item.records, records);
        assert_eq!(gathered.kinds(), kinds, "{:?}", gathered.problems);
    };
    check("x.dd", &disk, "x.dd!volume1/a.zip!c.log", 4_000, &[]);
    let zip = packing::zip(&[packing::ZipMember::new("x.vhd", &sample::vhd(&disk))]);
    check("x.zip", &zip, "x.zip!x.vhd!volume1/a.zip", 0, &["limit"]);
    let tar = packing::tar(&[("x.E01", &sample::ewf(&disk))]);
    check("x.tgz", &packing::gzip(&tar), "x.tgz!x.E01!volume1/a.zip", 0, &["limit"]);
}

#[test]
fn deleted_files_keep_their_ending_beside_a_namesake() {
    let named = |name| resident(FILE_NAME, "", &sample::file_name(reference(5, 5), name, 1));
    let file = |flags, content: &[u8]| record(1, flags, 0, &[named("x.aspx"), resident(DATA, "", content)]);
    let disk = sample::volume(&[(20, file(0, b"deleted")), (21, file(1, b"live"))], &[]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.dd");
    std::fs::write(&path, disk).unwrap();
    let gathered = read(&path, &Limits::default());
    let found = gathered.items.iter().filter(|item| item.item.path.contains(".aspx"));
    let found: Vec<_> =
        found.map(|item| (item.item.path.as_str(), item.item.size_bytes, item.item.facts.deleted)).collect();
    assert_eq!(found, [("x.dd!volume1/x#2.aspx", 7, true), ("x.dd!volume1/x.aspx", 4, false)]);
}

#[test]
fn what_is_no_ntfs_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut disk = vec![0; 64 << 10];
    disk[450] = 7;
    disk[454] = 1;
    disk[458] = 100;
    disk[510..512].copy_from_slice(b"\x55\xaa");
    disk[512 + 3..512 + 11].copy_from_slice(b"-FVE-FS-");
    for (name, bytes, kinds) in [
        ("bitlocker.dd", disk.as_slice(), ["encrypted", "unsupported-filesystem"].as_slice()),
        ("x.Ex01", b"EVF2\x0d\x0a\x81\0\x01\x01", &["unsupported-archive"]),
        ("x.vhdx", b"vhdxfile", &["bad-image"]),
        ("x.E01", b"EVF\x09\x0d\x0a\xff\0\x01\x01\0\0\0", &["bad-image", "truncated"]),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let gathered = read(&path, &Limits::default());
        let mut found = gathered.kinds();
        found.sort();
        assert_eq!((gathered.paths(), found.as_slice()), (vec![name], kinds), "{:?}", gathered.items);
    }
}

#[test]
fn more_files_or_longer_paths_than_the_limits_let_pass() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.dd");
    std::fs::write(&path, sample::intrusion()).unwrap();
    let whole = read(&path, &Limits::default());
    let few = read(&path, &Limits { items_max: 3, ..Limits::default() });
    let short = disk::Limits { path_bytes_max: 20, ..disk::Limits::default() };
    let short = read(&path, &Limits { disk: short, ..Limits::default() });
    assert_eq!((whole.items.len(), whole.kinds()), (7, vec![]), "{:?}", whole.problems);
    assert_eq!((few.items.len(), few.kinds()), (4, vec!["limit"]), "{:?}", few.paths());
    assert_eq!((short.items.len(), short.kinds()), (3, vec!["limit"]), "{:?}", short.paths());
}
