//! Archives that lie: bombs, two members in one place, names that lead out.

use super::pack::{self, Member};
use super::{Input, Sound, web_log};

/// What a small bomb unpacks to.
const BOMB_BYTES: usize = 64 << 20;

pub fn inputs(sound: &Sound) -> Vec<Input> {
    [names(), directories(), members(sound), gzips(), tars()].concat()
}

fn log(name: &str) -> Member {
    Member::new(name, &web_log())
}

fn zip(name: &str, about: &str, bytes: Vec<u8>) -> Input {
    Input::new(&format!("zip-{name}.zip"), about, bytes)
}

fn names() -> Vec<Input> {
    let of = |name: &str, about: &str, bytes: &[u8]| {
        let odd = Member { name: bytes.to_vec(), ..log("") };
        zip(name, about, pack::zip(&[odd, log("u_ex.log")]))
    };
    vec![
        of("parent", "a member above its archive", b"../../../../tmp/assay-hostile-out.log"),
        of("absolute", "an absolute member", b"/tmp/assay-hostile-out.log"),
        of("drive", "a member on a drive", b"C:\\Windows\\Temp\\out.log"),
        of("share", "a member on a share", b"\\\\192.0.2.1\\share\\out.log"),
        of("backslashes", "backslashes that lead up", b"..\\..\\out.log"),
        of("nul", "a NUL in a name", b"a\0b.log"),
        of("no-name", "a member without a name", b""),
        of("long-name", "a name of 65,000 bytes", &[b'n'; 65_000]),
        of("not-utf8", "a name that is no UTF-8", b"\xff\xfe\x1b[2J.log"),
        of("excl", "a name that looks like a member of a member", b"a.zip!b.log"),
        zip(
            "same-name",
            "three members of one name",
            pack::zip(&[log("x"), Member::new("x", b"other"), log("x")]),
        ),
        zip("folder-is-file", "a folder that holds bytes", pack::zip(&[log("folder/"), log("folder/x.log")])),
        zip("link", "a link that leads out", {
            let link = Member { mode: 0o120_777, ..Member::new("link.log", b"/etc/hostname") };
            pack::zip(&[link, log("u_ex.log")])
        }),
    ]
}

fn directories() -> Vec<Input> {
    let (first, second) = (log("a.log"), log("b.log"));
    let local = first.local();
    let patched = |at_end: usize, bytes: &[u8]| {
        let mut zip = pack::zip(&[first.clone(), second.clone()]);
        let at = zip.len() - 22 + at_end;
        zip[at..at + bytes.len()].copy_from_slice(bytes);
        zip
    };
    vec![
        zip("overlap", "100 members in one place", {
            let entry = |index| Member { name: format!("{index}.log").into(), ..first.clone() }.entry(0);
            pack::with_directory(local.clone(), &(0..100).map(entry).collect::<Vec<_>>())
        }),
        zip("within", "a member within another one", {
            let outer = Member {
                method: 0,
                packed: local.clone(),
                size: local.len() as u32,
                crc: crc32fast::hash(&local),
                ..log("outer")
            };
            let inside = (30 + outer.name.len()) as u32;
            pack::with_directory(outer.local(), &[outer.entry(0), first.entry(inside)])
        }),
        zip("offset-far", "a member far behind the archive", {
            pack::with_directory(local.clone(), &[first.entry(0), second.entry(u32::MAX - 1)])
        }),
        zip("offset-directory", "a member that is the directory", {
            pack::with_directory(local.clone(), &[first.entry(0), second.entry(local.len() as u32)])
        }),
        zip(
            "count-more",
            "a directory that counts more than it holds",
            patched(8, &[0xfe, 0xff, 0xfe, 0xff]),
        ),
        zip("count-0", "a directory that counts none", patched(8, &[0; 4])),
        zip("directory-far", "a directory far behind the archive", patched(16, &[0xf0, 0xff, 0xff, 0x7f])),
        zip("directory-large", "a directory of 4 GiB", patched(12, &[0xfe, 0xff, 0xff, 0xff])),
        zip("comment-long", "a comment longer than the file", patched(20, &[0xff; 2])),
        zip("zip64-nowhere", "a ZIP64 directory that is not there", patched(8, &[0xff; 12])),
        zip("no-directory", "members and no directory", [first.local(), second.local()].concat()),
        zip("only-end", "the end of an archive and nothing else", pack::zip(&[])),
        zip("20000-empty", "20,000 empty members", {
            let members: Vec<Member> =
                (0..20_000).map(|index| Member::new(&format!("{index}"), b"")).collect();
            pack::zip(&members)
        }),
    ]
}

fn members(sound: &Sound) -> Vec<Input> {
    let good = log("good.log");
    let beside = |odd: Member| pack::zip(&[odd, good.clone()]);
    let cut = |member: Member, keep: usize| Member {
        packed: member.packed[..member.packed.len() - keep].to_vec(),
        ..member
    };
    let zeros = vec![0; BOMB_BYTES];
    let mut nested = web_log();
    for _ in 0..6 {
        nested = pack::zip(&[Member::new("inner.zip", &nested)]);
    }
    vec![
        zip("crc", "a member of another checksum", beside(Member { crc: 1, ..log("odd.log") })),
        zip("size-less", "a member larger than it says", beside(Member { size: 10, ..log("odd.log") })),
        zip(
            "size-more",
            "a member smaller than it says",
            beside(Member { size: u32::MAX - 1, ..log("odd.log") }),
        ),
        zip("cut-member", "a member whose packed bytes are cut", beside(cut(log("odd.log"), 40))),
        zip("method", "a method that nobody knows", beside(Member { method: 77, ..log("odd.log") })),
        zip("encrypted", "an encrypted member", beside(Member { flags: 1, ..log("odd.log") })),
        zip("stored-as-deflate", "plain bytes that claim to be packed", {
            beside(Member { packed: web_log(), ..log("odd.log") })
        }),
        zip("nested", "seven archives in one another", nested),
        zip("bomb", "64 MiB of zeros in 64 KiB", beside(Member::new("zeros.log", &zeros))),
        zip("bomb-nested", "64 MiB of zeros, packed twice", {
            beside(Member::new("inner.zip", &pack::zip(&[Member::new("zeros.log", &zeros)])))
        }),
        zip("evtx-in-tar-in-zip", "a cut event log, two archives deep", {
            let evtx = &sound.evtx[..sound.evtx.len() / 2];
            beside(Member::new("logs.tar", &pack::tar(&[("Security.evtx", evtx.to_vec())])))
        }),
    ]
}

fn gzips() -> Vec<Input> {
    let packed = pack::gzip(&web_log());
    let of = |name: &str, about: &str, bytes: Vec<u8>| Input::new(&format!("gzip-{name}.gz"), about, bytes);
    let patched = |at_end: usize| {
        let mut packed = packed.clone();
        let at = packed.len() - at_end;
        packed[at] ^= 0xff;
        packed
    };
    vec![
        of("crc", "another checksum", patched(8)),
        of("size", "another size", patched(4)),
        of("two", "two streams, one behind the other", packed.repeat(2)),
        of("long-name", "a file name of 1 MiB in the header", {
            [&[0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3][..], &vec![b'n'; 1 << 20], &[0], &packed[10..]].concat()
        }),
        of("bomb", "64 MiB of zeros", pack::gzip_of_many(&vec![0; 1 << 20], BOMB_BYTES >> 20)),
        of("bomb-text", "64 MiB of one row", {
            let row = "2021-03-04 11:20:05 203.0.113.7 /owa/x.aspx 200\n".repeat(20_000);
            let head = pack::gzip(b"#Fields: date time c-ip cs-uri-stem sc-status\n");
            [head, pack::gzip_of_many(row.as_bytes(), BOMB_BYTES / row.len())].concat()
        }),
        of("only-header", "a header and nothing else", packed[..10].to_vec()),
    ]
}

fn tars() -> Vec<Input> {
    let end = [0u8; 1_024];
    let good = pack::tar_file("good.log", &web_log());
    let of = |name: &str, about: &str, odd: Vec<u8>| {
        Input::new(&format!("tar-{name}.tar"), about, [&good[..], &odd, &good, &end].concat())
    };
    let pax = |record: &str| {
        let size = record.len() + record.len().to_string().len() + 2;
        let record = format!("{size} {record}\n");
        [
            pack::tar_member(b"pax", b'x', format!("{:011o}", record.len()).as_bytes(), record.as_bytes()),
            good.clone(),
        ]
        .concat()
    };
    let sized = |size: &[u8]| pack::tar_member(b"odd.log", b'0', size, &web_log());
    vec![
        of(
            "parent",
            "a member above its archive",
            pack::tar_file("../../tmp/assay-hostile-out.log", &web_log()),
        ),
        of("link", "a link that leads out", pack::tar_member(b"link.log", b'2', b"00000000000", b"")),
        of("hard-link", "a hard link", pack::tar_member(b"link.log", b'1', b"00000000000", b"")),
        of("device", "a device", pack::tar_member(b"dev", b'3', b"00000000000", b"")),
        of("kind", "a kind that nobody knows", pack::tar_member(b"odd", b'?', b"00000000010", b"xxxxxxxx")),
        of("size-far", "a member of 8 GiB that is not there", sized(b"77777777777")),
        of("size-text", "a size that is no number", sized(b"zzzzzzzzzzz")),
        of(
            "size-binary",
            "a size of 2^95 in binary",
            sized(&[0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ),
        of("checksum", "a header of another checksum", {
            let mut odd = good.clone();
            odd[148] = b'7';
            odd
        }),
        of("pax-parent", "a long name that leads out", pax("path=../../../tmp/assay-hostile-out.log")),
        of("pax-size", "a size in an extended header that is none", pax("size=99999999999999999999")),
        of("pax-path", "a name of 200 KiB", pax(&format!("path={}", "p/".repeat(100 << 10)))),
        of("gnu-name", "a GNU long name of 2 MiB", {
            let name = vec![b'n'; 2 << 20];
            [pack::tar_member(b"././@LongLink", b'L', b"00010000000", &name), good.clone()].concat()
        }),
    ]
}
