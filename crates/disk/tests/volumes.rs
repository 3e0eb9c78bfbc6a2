//! Volumes and images made by hand: what is in them, and what lies.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use disk::image::Kind;
use disk::ntfs::{Entry, Volume};
use disk::sample::{self, DATA, FILE_NAME, clusters, listed, record, reference, resident};
use disk::{Faults, Limits, ReadAt, image, partition};
use std::io;
use std::sync::Arc;

type Store = Arc<dyn ReadAt>;

fn all(store: &dyn ReadAt) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut block = vec![0; 1000];
    loop {
        match store.read_at(bytes.len() as u64, &mut block)? {
            0 => return Ok(bytes),
            read => bytes.extend(&block[..read]),
        }
        assert!(bytes.len() < 1 << 24);
    }
}

fn open(disk: Vec<u8>) -> (Volume<'static>, Faults) {
    let faults = Faults::new(100);
    let disk: Store = Arc::new(disk);
    let places = partition::volumes(disk.as_ref(), &Limits::default(), &faults);
    (Volume::open(&disk, &places[0], &Limits::default(), &faults).unwrap(), faults)
}

/// The own content of the entry, and whether its clusters are known.
fn content(volume: &Volume<'static>, entry: &Entry) -> (io::Result<Vec<u8>>, bool) {
    let stream = entry.streams.iter().find(|stream| stream.name.is_empty()).unwrap();
    (all(stream.open(volume).as_ref()), stream.is_whole)
}

fn named(parent: u64, name: &str) -> Vec<u8> {
    resident(FILE_NAME, "", &sample::file_name(parent, name, 1))
}

#[test]
fn every_image_gives_the_disk_in_it() {
    let disk = sample::intrusion();
    let images = [
        (Kind::Raw, disk.clone()),
        (Kind::Vhd, sample::vhd(&disk)),
        (Kind::Vhdx, sample::vhdx(&disk, false)),
        (Kind::Vhdx, sample::vhdx(&disk, true)),
        (Kind::Ewf, sample::ewf(&disk)),
    ];
    for (kind, bytes) in images {
        assert_eq!(image::sniff(&bytes), Some(kind));
        let faults = Faults::new(10);
        let store: Store = Arc::new(bytes);
        let opened = image::open(kind, vec![store], &Limits::default(), &faults).unwrap();
        assert!(all(opened.as_ref()).unwrap() == disk, "{kind:?}");
        let expected = usize::from(kind == Kind::Vhdx);
        // The second header and region table of our VHDX are missing.
        assert_eq!(faults.list().len(), expected, "{:?}", faults.list());
    }
}

#[test]
fn a_file_in_pieces_and_a_deleted_one() {
    let (volume, faults) = open(sample::intrusion());
    let parts = volume.entry_at(23).unwrap();
    let (bytes, is_whole) = content(&volume, &parts);
    assert!(is_whole && !parts.is_damaged);
    let bytes = bytes.unwrap();
    assert!(bytes.len() == 2_048 && bytes.starts_with(b"#Fields") && bytes[1_536..].contains(&b'2'));
    let gone = volume.entry_at(22).unwrap();
    assert!(!gone.in_use && gone.streams.len() == 2);
    let folders = volume.folders();
    assert!(folders.root_holds("windows"));
    assert_eq!(folders.place(gone.names[0].parent, "gone.aspx").parts, ["Windows", "gone.aspx"]);
    assert!(volume.entry_at(24).is_none(), "it only continues another");
    assert_eq!(faults.list(), []);
}

#[test]
fn packed_clusters_and_holes() {
    // 16 clusters of zeros but for one letter, packed into one; then a hole of 4 GiB.
    let mut block = vec![0x03, 0xb0, 0x02, b'a', 0xfc, 0x0f];
    block.extend([0x00, 0x00]);
    let runs = [0x11, 1, 100, 0x01, 15, 0];
    let attribute = sample::packed(clusters(DATA, "", 0, &runs, 8_192));
    let sparse = clusters(DATA, "", 0, &[0x11, 1, 101, 0x04, 0, 0, 0x80, 0, 0], 1 << 32);
    let records =
        [(20, record(1, 1, 0, &[named(5, "a"), attribute])), (21, record(1, 1, 0, &[named(5, "b"), sparse]))];
    let (volume, _) = open(sample::volume(&records, &[(100, &block), (101, b"begin")]));
    let (bytes, is_whole) = content(&volume, &volume.entry_at(20).unwrap());
    let bytes = bytes.unwrap();
    assert!(is_whole && bytes.len() == 8_192);
    assert!(bytes[..4_096].iter().all(|byte| *byte == b'a') && bytes[4_096..].iter().all(|byte| *byte == 0));
    let entry = volume.entry_at(21).unwrap();
    let stream = &entry.streams[0];
    assert_eq!((stream.size_bytes, stream.allocated_bytes(&volume)), (1 << 32, 512));
    let mut end = [1; 4];
    assert_eq!(stream.open(&volume).read_at((1 << 32) - 2, &mut end).unwrap(), 2);
    assert_eq!(end, [0, 0, 1, 1]);
}

#[test]
fn lists_of_clusters_that_lie() {
    let lies: [(&str, Vec<u8>); 4] = [
        ("behind the volume", clusters(DATA, "", 0, &[0x11, 1, 100, 0x21, 1, 0, 0x7f, 0], 1_024)),
        ("before it", clusters(DATA, "", 0, &[0x11, 1, 100, 0x11, 1, 0x80, 0], 1_024)),
        ("too few", clusters(DATA, "", 0, &[0x11, 1, 100, 0], u64::MAX)),
        ("cut", clusters(DATA, "", 0, &[0x11, 1, 100, 0x88, 1], 1_024)),
    ];
    for (lie, attribute) in lies {
        let records = [(20, record(1, 1, 0, &[named(5, "a"), attribute]))];
        let (volume, _) = open(sample::volume(&records, &[(100, &[b'x'; 512])]));
        let (bytes, is_whole) = content(&volume, &volume.entry_at(20).unwrap());
        assert!(!is_whole && bytes.is_err(), "{lie}");
    }
}

#[test]
fn loops_of_folders_and_lists() {
    let list = [listed(DATA, 0, reference(23, 1)), listed(DATA, 0, reference(24, 1))].concat();
    let records = [
        (20, record(1, 3, 0, &[named(reference(21, 1), "a")])),
        (21, record(1, 3, 0, &[named(reference(20, 1), "b")])),
        (22, record(1, 1, 0, &[named(reference(20, 1), "x"), resident(DATA, "", b"x")])),
        // Lists itself and one that continues another.
        (23, record(1, 1, 0, &[named(5, "y"), resident(sample::ATTRIBUTE_LIST, "", &list)])),
        (24, record(1, 1, reference(22, 1), &[resident(DATA, "", b"z")])),
    ];
    let (volume, _) = open(sample::volume(&records, &[]));
    let entry = volume.entry_at(22).unwrap();
    let folders = volume.folders();
    let place = folders.place(entry.names[0].parent, "x");
    assert_eq!((place.parts, place.is_orphan), (vec!["$Orphans", "x"], true));
    let entry = volume.entry_at(23).unwrap();
    assert!(entry.is_damaged && entry.streams.is_empty());
}

#[test]
fn damage_is_named_and_the_rest_is_read() {
    let kinds = |faults: &Faults| faults.list().iter().map(|problem| problem.kind).collect::<Vec<_>>();
    // The boot sector is gone; its copy is in the last sector.
    let mut disk = sample::intrusion();
    let boot = disk[..512].to_vec();
    let end = disk.len() - 512;
    disk[end..].copy_from_slice(&boot);
    disk[..512].fill(0);
    let mut mbr = vec![0; 512];
    mbr[450] = 7;
    mbr[454] = 1;
    mbr[458..462].copy_from_slice(&256u32.to_le_bytes());
    mbr[510..512].copy_from_slice(b"\x55\xaa");
    let (volume, faults) = open([mbr, disk].concat());
    assert_eq!(volume.entry_at(21).unwrap().names[0].text, "page.aspx");
    assert_eq!(kinds(&faults), ["bad-boot-sector"]);
    // The image ends within the $MFT.
    let (volume, faults) = open(sample::intrusion()[..16 * 512 + 23 * 1024].to_vec());
    let mut seen = 0;
    volume.walk(&mut |_, _| seen += 1);
    assert_eq!(seen, 23);
    assert_eq!(kinds(&faults), ["truncated", "truncated"]);
    assert!(faults.list().iter().any(|problem| problem.records_lost == Some(9)), "{:?}", faults.list());
}

#[test]
fn tables_of_an_e01_that_lie() {
    let whole = sample::ewf(&sample::intrusion());
    let open = |bytes: Vec<u8>| {
        let faults = Faults::new(10);
        let store: Store = Arc::new(bytes);
        let disk = image::open(Kind::Ewf, vec![store], &Limits::default(), &faults);
        let read = disk.map(|disk| all(disk.as_ref()).map_err(|error| error.kind()));
        (read, faults.list().iter().map(|problem| problem.kind).collect::<Vec<_>>())
    };
    let table = whole.windows(6).position(|window| window == b"table\0").unwrap();
    // The second copy stands in for the first.
    let mut bytes = whole.clone();
    bytes[table + 76 + 30] ^= 1;
    let (read, kinds) = open(bytes);
    assert_eq!((read.unwrap().unwrap(), kinds), (sample::intrusion(), vec!["bad-checksum"]));
    // Neither: what it stands for is not known.
    let (read, kinds) = open(whole[..table + 10].to_vec());
    assert_eq!(read.unwrap(), Err(io::ErrorKind::UnexpectedEof));
    assert_eq!(kinds, ["bad-image", "truncated", "truncated"]);
    // One flipped bit in a chunk that is stored: read, and told.
    let mut bytes = whole.clone();
    let sectors = whole.windows(8).position(|window| window == b"sectors\0").unwrap();
    bytes[sectors + 76 + 5_000] ^= 1;
    let (read, kinds) = open(bytes);
    assert_eq!((read.unwrap().unwrap().len(), kinds), (sample::intrusion().len(), vec!["bad-checksum"]));
}
