//! Archives: good ones of all kinds, and those that are made to do harm.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod gather;
mod packing;

use evidence::{ArchiveLimits, Limits};
use gather::Gathered;
use packing::{ZipMember, gzip, noise, seven_zip, tar, tar_member, unhex, xz, zip};
use std::path::PathBuf;

const LOG: &[u8] = b"#Software: x\n#Fields: date time c-ip sc-status\n2021-03-04 00:00:05 203.0.113.7 200\n";

fn read(name: &str, bytes: &[u8], limits: &Limits) -> Gathered {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), bytes).unwrap();
    let mut gathered = gather::all(&[folder.path().to_path_buf()], limits);
    let prefix = format!("{}/", folder.path().display());
    for item in &mut gathered.items {
        item.item.path = item.item.path.replace(&prefix, "");
        item.item.root = item.item.root.replace(&prefix, "");
    }
    for (path, _) in &mut gathered.problems {
        *path = path.replace(&prefix, "");
    }
    gathered
}

/// Paths of items with the number of their records, then kinds of problems.
#[track_caller]
fn check(name: &str, bytes: &[u8], items: &[(&str, u64)], kinds: &[&str]) -> Gathered {
    let gathered = read(name, bytes, &Limits::default());
    let found: Vec<(&str, u64)> =
        gathered.items.iter().map(|item| (item.item.path.as_str(), item.item.records)).collect();
    assert_eq!(found, items, "{:?}", gathered.problems);
    assert_eq!(gathered.kinds(), kinds, "{:?}", gathered.problems);
    gathered
}

#[test]
fn members_are_items() {
    let member = ZipMember::new("C/inetpub/u_ex.log", LOG);
    let stored = ZipMember { method: 0, ..ZipMember::new("b\\c.log", LOG) };
    let streamed = ZipMember { flags: 8, ..ZipMember::new("s.log", LOG) };
    let folder = ZipMember { method: 0, ..ZipMember::new("d/", b"") };
    let bytes = zip(&[member, stored, streamed, folder]);
    let items = [("x.bin!C/inetpub/u_ex.log", 1), ("x.bin!b/c.log", 1), ("x.bin!s.log", 1)];
    let gathered = check("x.bin", &bytes, &items, &[]);
    assert!(gathered.items.iter().all(|item| item.item.root == "x.bin"));
    let archive = tar(&[("./a.log", LOG), ("b/c.log", LOG)]);
    check("x.tar", &archive, &[("x.tar!a.log", 1), ("x.tar!b/c.log", 1)], &[]);
    check("x.tgz", &gzip(&archive), &[("x.tgz!a.log", 1), ("x.tgz!b/c.log", 1)], &[]);
    let gathered = check("u_ex.log.gz", &gzip(LOG), &[("u_ex.log.gz!u_ex.log", 1)], &[]);
    assert_ne!(gathered.items[0].item.root, "u_ex.log.gz");
    let joined = [gzip(&LOG[..20]), gzip(&LOG[20..])].concat();
    check("u_ex.log.gz", &joined, &[("u_ex.log.gz!u_ex.log", 1)], &[]);
}

/// Event logs are also known by their chunks, without a header: those within
/// an archive's first bytes are not the archive's own.
#[test]
fn an_archive_that_begins_with_an_event_log_is_an_archive() {
    let mut chunk = vec![0; 4096 + 65_536];
    chunk[..8].copy_from_slice(b"ElfFile\0");
    chunk[4096..4104].copy_from_slice(b"ElfChnk\0");
    chunk[4096 + 40] = 128;
    let items = |archive: &[u8]| -> Vec<String> {
        let gathered = read("x", archive, &Limits::default());
        gathered.items.into_iter().map(|item| item.item.path).collect()
    };
    assert_eq!(items(&tar(&[("a.evtx", &chunk), ("b.log", LOG)])), ["x!a.evtx", "x!b.log"]);
    // 482 more bytes of name put the chunk at a sector's beginning.
    let name = "n".repeat(512 - 30);
    let stored = ZipMember { method: 0, ..ZipMember::new(&name, &chunk) };
    assert_eq!(items(&zip(&[stored, ZipMember::new("b.log", LOG)])).len(), 2);
}

#[test]
fn archives_nest_once() {
    let inner = zip(&[ZipMember::new("c.log", LOG)]);
    let middle = zip(&[ZipMember::new("b.zip", &inner)]);
    let outer = zip(&[ZipMember::new("a.zip", &middle)]);
    check("x.zip", &middle, &[("x.zip!b.zip!c.log", 1)], &[]);
    check("x.zip", &outer, &[("x.zip!a.zip!b.zip", 0)], &["limit"]);
    let packed = zip(&[ZipMember::new("a.tar.gz", &gzip(&tar(&[("c.log", LOG)])))]);
    check("x.zip", &packed, &[("x.zip!a.tar.gz!c.log", 1)], &[]);
    check("x.tar", &tar(&[("a.zip", &inner)]), &[("x.tar!a.zip!c.log", 1)], &[]);
}

#[test]
fn a_nested_archive_too_big_for_memory_is_spooled() {
    let noise = noise(200_000);
    let inner = zip(&[ZipMember::new("noise", &noise), ZipMember::new("c.log", LOG)]);
    let outer = zip(&[ZipMember::new("b.zip", &inner)]);
    let limits = Limits { spool_bytes_max: 1_000, ..Limits::default() };
    let gathered = read("x.zip", &outer, &limits);
    assert_eq!(gathered.paths(), ["x.zip!b.zip!c.log", "x.zip!b.zip!noise"]);
    assert_eq!(gathered.kinds(), [""; 0]);
}

#[test]
fn hostile_names_stay_inside() {
    let names = ["../../etc/x.log", "/abs.log", "C:\\Windows\\y.log", "..\\z.log"];
    let members: Vec<_> = names.iter().map(|name| ZipMember::new(name, LOG)).collect();
    let items = [
        ("x.zip!%2E%2E/%2E%2E/etc/x.log", 1),
        ("x.zip!%2E%2E/z.log", 1),
        ("x.zip!C%3A/Windows/y.log", 1),
        ("x.zip!abs.log", 1),
    ];
    check("x.zip", &zip(&members), &items, &["path-traversal"; 4]);
    check("x.tar", &tar(&[("../a", LOG)]), &[("x.tar!%2E%2E/a", 1)], &["path-traversal"]);
    let odd = ZipMember { name: b"a!\xff.log", ..ZipMember::new("", LOG) };
    check("x.zip", &zip(&[odd]), &[("x.zip!a%21%FF.log", 1)], &[]);
}

#[test]
fn two_members_of_one_name_are_both_kept() {
    let other = &LOG[..LOG.len() - 40];
    let members = [ZipMember::new("a", LOG), ZipMember::new("a", other), ZipMember::new("a#2", LOG)];
    check("x.zip", &zip(&members), &[("x.zip!a", 1), ("x.zip!a#2", 0), ("x.zip!a#2#2", 1)], &[]);
}

#[test]
fn what_cannot_be_unpacked_is_told() {
    let encrypted = ZipMember { flags: 1, ..ZipMember::new("e.log", LOG) };
    let lzma = ZipMember { method: 14, ..ZipMember::new("l.log", LOG) };
    let link = ZipMember { mode: 0o120_777, ..ZipMember::new("s", b"/etc/passwd") };
    let good = ZipMember::new("g.log", LOG);
    let kinds = ["encrypted", "unsupported-compression", "symlink"];
    check("x.zip", &zip(&[encrypted, lzma, link, good]), &[("x.zip!g.log", 1)], &kinds);
    let members = [tar_member("l", b'2', b""), tar_member("d", b'3', b""), tar(&[("g.log", LOG)])].concat();
    check("x.tar", &members, &[("x.tar!g.log", 1)], &["not-a-file", "symlink"]);
    check("x.rar", b"Rar!\x1a\x07....", &[("x.rar", 0)], &["unsupported-archive"]);
}

#[test]
fn damage_ends_one_member_only() {
    let long: Vec<u8> = LOG.repeat(200);
    let mut bytes = zip(&[ZipMember { method: 0, ..ZipMember::new("a", LOG) }, ZipMember::new("b", &long)]);
    let at = bytes.windows(3).position(|window| window == b"203").unwrap();
    bytes[at] = b'3';
    check("x.zip", &bytes, &[("x.zip!a", 1), ("x.zip!b", 200)], &["bad-archive"]);
}

#[test]
fn a_cut_archive_gives_what_is_there() {
    for flags in [0, 8] {
        let noise = noise(9_000);
        let bytes = zip(&[
            ZipMember { flags, ..ZipMember::new("a.log", LOG) },
            ZipMember { flags, ..ZipMember::new("noise", &noise) },
        ]);
        let items = [("x.zip!a.log", 1), ("x.zip!noise", 0)];
        check("x.zip", &bytes[..5_000], &items, &["truncated", "truncated"]);
    }
    let bytes = tar(&[("a.log", LOG), ("b.log", &LOG.repeat(100))]);
    check("x.tar", &bytes[..2_000], &[("x.tar!a.log", 1), ("x.tar!b.log", 6)], &["truncated", "bad-record"]);
    let packed = gzip(LOG);
    let gathered = read("a.gz", &packed[..packed.len() - 9], &Limits::default());
    assert_eq!(gathered.kinds(), ["truncated"]);
}

#[test]
fn bombs_end_at_the_limits() {
    let zeros = vec![0u8; 8 << 20];
    let limits = Limits {
        archive: ArchiveLimits { ratio_free_bytes: 1 << 20, ratio_max: 10, ..ArchiveLimits::default() },
        ..Limits::default()
    };
    let gathered = read("x.zip", &zip(&[ZipMember::new("a", &zeros), ZipMember::new("b", LOG)]), &limits);
    assert_eq!(gathered.kinds(), ["limit"]);
    assert!(gathered.items[0].item.size_bytes < 2 << 20);
    assert_eq!(gathered.items[1].item.records, 1);
    let gathered = read("x.gz", &gzip(&zeros), &limits);
    assert_eq!(gathered.kinds(), ["limit"]);
    let gathered = read("x.tar.gz", &gzip(&tar(&[("a", &zeros), ("b", LOG)])), &limits);
    assert_eq!(gathered.kinds(), ["limit", "limit"]);
    // Nested: the inner one draws on the outer one's budget.
    let inner = zip(&[ZipMember::new("a", &zeros)]);
    let members: Vec<_> = (0..8).map(|_| ZipMember::new("i.zip", &inner)).collect();
    let gathered = read("x.zip", &zip(&members), &limits);
    assert!(gathered.items.iter().map(|item| item.item.size_bytes).sum::<u64>() < 2 << 20);
    assert!(gathered.kinds().contains(&"limit"));
}

#[test]
fn many_members_end_at_the_limit() {
    let names: Vec<String> = (0..50).map(|n| format!("{n:02}")).collect();
    let members: Vec<_> = names.iter().map(|name| ZipMember::new(name, LOG)).collect();
    let limits = Limits { items_max: 10, ..Limits::default() };
    let gathered = read("x.zip", &zip(&members), &limits);
    assert_eq!(gathered.items.len(), 10);
    assert_eq!(gathered.kinds(), ["limit"]);
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), LOG)).collect();
    let gathered = read("x.tar", &tar(&members), &limits);
    assert_eq!(gathered.items.len(), 10);
    assert_eq!(gathered.kinds(), ["limit"]);
}

#[cfg(unix)]
#[test]
fn links_and_loops_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("a/b");
    std::fs::create_dir_all(&below).unwrap();
    std::fs::write(below.join("u.log"), LOG).unwrap();
    std::os::unix::fs::symlink(folder.path(), below.join("loop")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", below.join("out")).unwrap();
    let gathered = gather::all(&[folder.path().to_path_buf()], &Limits::default());
    assert_eq!(gathered.items.len(), 1);
    assert_eq!(gathered.kinds(), ["symlink", "symlink"]);
    let missing: PathBuf = folder.path().join("missing");
    assert_eq!(gather::all(&[missing], &Limits::default()).kinds(), ["unreadable"]);
}

#[test]
fn deep_folders_end_at_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("a/b/c")).unwrap();
    std::fs::write(folder.path().join("a/b/c/u.log"), LOG).unwrap();
    std::fs::write(folder.path().join("a/u.log"), LOG).unwrap();
    let limits = Limits { folder_depth_max: 2, ..Limits::default() };
    let gathered = gather::all(&[folder.path().to_path_buf()], &limits);
    assert_eq!(gathered.items.len(), 1);
    assert_eq!(gathered.kinds(), ["limit"]);
}

#[test]
fn members_of_7z_are_items() {
    let long = LOG.repeat(100);
    let inner = zip(&[ZipMember::new("i.log", LOG)]);
    let blocks: [&[(&str, &[u8])]; 2] = [
        &[("a.log", LOG), ("b/c.log", &long), ("../d.log", LOG)],
        &[("/e.log", LOG), ("a.log", b"#Software: y\n"), ("n.zip", &inner)],
    ];
    let items = [
        ("x.7z!%2E%2E/d.log", 1),
        ("x.7z!a.log", 1),
        ("x.7z!a.log#2", 0),
        ("x.7z!b/c.log", 100),
        ("x.7z!e.log", 1),
        ("x.7z!n.zip!i.log", 1),
    ];
    let gathered = check("x.7z", &seven_zip(&blocks), &items, &["path-traversal", "path-traversal"]);
    let facts = &gathered.items[1].item.facts;
    assert_eq!(facts.modified.unwrap().to_string(), "2021-03-04T11:20:05Z");
    assert_eq!((facts.created, facts.basis), (None, Some(model::FileBasis::Archive)));
    let outer = zip(&[ZipMember::new("x.7z", &seven_zip(&[&[("a.log", LOG)]]))]);
    check("x.zip", &outer, &[("x.zip!x.7z!a.log", 1)], &[]);
}

#[test]
fn a_big_member_of_7z_is_read_whole() {
    let big = LOG.repeat(60_000);
    assert!(big.len() > 4 << 20);
    let bytes = seven_zip(&[&[("a.log", LOG), ("big.log", &big), ("z.log", LOG)]]);
    check("x.7z", &bytes, &[("x.7z!a.log", 1), ("x.7z!big.log", 60_000), ("x.7z!z.log", 1)], &[]);
}

#[test]
fn xz_is_unpacked() {
    check("a.log.xz", &xz(LOG), &[("a.log.xz!a.log", 1)], &[]);
    check("a.tar.xz", &xz(&tar(&[("a.log", LOG)])), &[("a.tar.xz!a.log", 1)], &[]);
    let packed = xz(&noise(9_000));
    let gathered = read("a.xz", &packed[..packed.len() / 2], &Limits::default());
    assert_eq!(gathered.kinds(), ["truncated"]);
}

#[test]
fn a_damaged_or_closed_7z_is_told() {
    let good = seven_zip(&[&[("a.log", LOG), ("b.log", LOG)], &[("c.log", LOG)]]);
    let noise = noise(5_000);
    let mut damaged = seven_zip(&[&[("a.log", LOG), ("noise", &noise), ("b.log", LOG)], &[("c.log", LOG)]]);
    damaged[3_000] ^= 0xff;
    let gathered = read("x.7z", &damaged, &Limits::default());
    let paths = gathered.paths();
    assert!(paths.contains(&"x.7z!a.log") && paths.contains(&"x.7z!c.log"), "{paths:?}");
    assert_eq!(gathered.kinds(), ["bad-archive", "bad-archive"], "{:?}", gathered.problems);
    check("x.7z", &good[..good.len() - 5], &[], &["truncated"]);
    check("x.7z", b"7z\xbc\xaf\x27\x1c....", &[], &["bad-archive"]);
    // The same member twice, password "x": once with an open list, once without.
    let open_list = "377abcaf271c0004d09f2006100000000000000061000000000000000138e1dc0b05a533834626930c773023a33137b2010406000109100a014e277b5e00070b0100022406f1070122c8ff7469d18eb2e557c7dc19aacdc8ba080597ff125c5f5f335e049b11b4a919e8d02121011601000c090500080a0186a6103600000501110d0061002e006c006f00670000000000";
    let closed_list = "377abcaf271c0004fd51b09880000000000000005300000000000000136dc3b75e086559bf9a2274a2bb67b1114a733a3039e861e0a25b2c64734b5f295292c50cef313f8df2afd631c7062c06ef9009e921c809af10c0be2fc50e371e0caa5cf35645f4dba1552922ec2e2e10a194f8c3d0e2e221500ad4eea0178f642ff1d63477866a4587d6d08a916cc9e5891f5219307db3024c74e917416d3a34300c3a1706100109700a0190e92ee300070b0100022406f1070122c8ff24eae571f7083bfa7e809c891e1a856e73e1ea5f1f903fc7f2475aaac2d0b6c723030101055d0000800001000c646100080a01805411300000";
    for archive in [open_list, closed_list] {
        check("x.7z", &unhex(archive), &[], &["encrypted"]);
    }
}

#[test]
fn bombs_in_7z_and_xz_end_at_the_limits() {
    let zeros = vec![0u8; 8 << 20];
    let limits = Limits {
        archive: ArchiveLimits { ratio_free_bytes: 1 << 20, ratio_max: 10, ..ArchiveLimits::default() },
        ..Limits::default()
    };
    let bytes = seven_zip(&[&[("a", &zeros), ("b", LOG)]]);
    for (name, bytes) in [("x.7z", &bytes), ("x.xz", &xz(&zeros))] {
        let gathered = read(name, bytes, &limits);
        assert!(gathered.kinds().contains(&"limit"), "{:?}", gathered.kinds());
        assert!(gathered.items.iter().map(|item| item.item.size_bytes).sum::<u64>() < 2 << 20);
        // What stands behind a bomb is not unpacked to be reached.
        assert_eq!(gathered.items.len(), 1, "{name}");
    }
    let small = Limits {
        archive: ArchiveLimits { dictionary_bytes_max: 64 << 10, ..ArchiveLimits::default() },
        ..Limits::default()
    };
    for (name, bytes) in [("x.7z", bytes), ("x.xz", xz(&zeros))] {
        assert!(!read(name, &bytes, &small).kinds().is_empty());
    }
    let few = Limits { items_max: 2, ..Limits::default() };
    let gathered = read("x.7z", &seven_zip(&[&[("a", LOG), ("b", LOG), ("c", LOG)]]), &few);
    assert_eq!((gathered.items.len(), gathered.kinds()), (2, vec!["limit"]));
}
