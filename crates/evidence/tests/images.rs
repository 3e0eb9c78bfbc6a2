//! Disk images: files of all kinds are found in all containers, and damage is
//! named.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod gather;
mod imaging;
mod packing;

use evidence::Limits;
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
    let kinds: Vec<_> =
        gathered.problems.iter().map(|(path, problem)| (path.as_str(), problem.kind)).collect();
    assert_eq!(kinds, [(format!("{name}!{volume}/old.log").as_str(), "overwritten")]);
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
    assert_eq!(kinds, ["unsupported-filesystem"], "{:?}", image.item.problems);
    // Progress is that of the image, once.
    assert_eq!(bare.progress, disk.bytes.len() as u64);
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
        let image = gathered.items.iter().find(|item| item.item.format == Some("disk-image")).unwrap();
        assert_eq!(image.item.problems, []);
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
    let image = several.items.iter().find(|item| item.item.format == Some("disk-image")).unwrap();
    assert_eq!(image.item.problems, []);
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
