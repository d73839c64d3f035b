//! Keys are kept, found by date, never readable without the master key, never printed.

use super::*;
use std::path::PathBuf;

struct Place {
    _dir: tempfile::TempDir,
    file: PathBuf,
    master: PathBuf,
}

fn place() -> Place {
    let dir = tempfile::tempdir().expect("a directory");
    Place {
        file: dir.path().join("keys.db"),
        master: dir.path().join("master.key"),
        _dir: dir,
    }
}

fn outlet(id: &str) -> KeyOwner {
    KeyOwner::Outlet(OutletId::new(id))
}

fn open(place: &Place) -> KeyRing {
    KeyRing::open(&place.file, &place.master).expect("keys open")
}

#[test]
fn the_last_key_is_in_force_and_the_others_stay_for_reading() {
    let place = place();
    let ring = open(&place);
    assert_eq!(ring.in_force(&outlet("dc-01")).expect("asked"), None);
    let (first, second) = (DeviceKey::random(), DeviceKey::random());
    ring.put(&outlet("dc-01"), &first, Timestamp(1_000))
        .expect("put");
    ring.put(&outlet("dc-01"), &second, Timestamp(2_000))
        .expect("put");
    drop(ring);

    let ring = open(&place);
    let all = ring.all(&outlet("dc-01")).expect("asked");
    assert_eq!(all.len(), 2);
    assert_eq!((&all[0].key, all[0].since), (&second, Timestamp(2_000)));
    assert_eq!((&all[1].key, all[1].since), (&first, Timestamp(1_000)));
    assert_eq!(ring.in_force(&outlet("dc-02")).expect("asked"), None);
    let station = KeyOwner::Uplink {
        uplink: "city".into(),
        outlet: OutletId::new("dc-01"),
    };
    assert_eq!(ring.in_force(&station).expect("asked"), None);
}

#[test]
fn an_offered_key_reads_but_is_not_in_force_until_it_is_taken() {
    let place = place();
    let ring = open(&place);
    let (old, new) = (DeviceKey::random(), DeviceKey::random());
    ring.put(&outlet("a"), &old, Timestamp(1)).expect("put");
    ring.offer(&outlet("a"), &new, Timestamp(2))
        .expect("offered");
    let in_force = || {
        ring.in_force(&outlet("a"))
            .expect("asked")
            .expect("a key")
            .key
    };
    assert_eq!(in_force(), old);
    assert_eq!(ring.all(&outlet("a")).expect("asked").len(), 2);
    ring.taken(&outlet("a"), &DeviceKey::random())
        .expect("another one");
    assert_eq!(in_force(), old);
    ring.taken(&outlet("a"), &new).expect("taken");
    assert_eq!(in_force(), new);
    let listed = ring.list().expect("listed");
    assert_eq!(listed.iter().filter(|k| k.in_force).count(), 1);
    assert_eq!(listed[0].fingerprint, new.fingerprint());
}

#[test]
fn a_clock_that_went_back_does_not_bring_an_old_key_into_force() {
    let place = place();
    let ring = open(&place);
    let (first, second) = (DeviceKey::random(), DeviceKey::random());
    ring.put(&outlet("a"), &first, Timestamp(5_000))
        .expect("put");
    ring.put(&outlet("a"), &second, Timestamp(4_000))
        .expect("put");
    let now = ring.in_force(&outlet("a")).expect("asked").expect("a key");
    assert_eq!((now.key, now.since), (second, Timestamp(5_001)));
}

#[test]
fn one_process_sees_what_the_other_wrote() {
    let place = place();
    let (daemon, command) = (open(&place), open(&place));
    let key = DeviceKey::random();
    assert_eq!(daemon.in_force(&outlet("a")).expect("asked"), None);
    command.put(&outlet("a"), &key, Timestamp(1)).expect("put");
    let seen = daemon
        .in_force(&outlet("a"))
        .expect("asked")
        .expect("a key");
    assert_eq!(seen.key, key);
}

#[test]
fn nothing_is_readable_without_the_right_master_key() {
    let place = place();
    let key = DeviceKey::from_text("0123456789abcdef").expect("a key");
    open(&place)
        .put(&outlet("a"), &key, Timestamp(1))
        .expect("put");
    let bytes = std::fs::read(&place.file).expect("file");
    assert!(
        !bytes.windows(KEY_BYTES).any(|w| w == key.bytes()),
        "key in clear"
    );

    std::fs::rename(&place.master, place.master.with_extension("away")).expect("moved");
    assert!(matches!(
        KeyRing::open(&place.file, &place.master),
        Err(KeyError::MasterLost(_))
    ));
    std::fs::write(&place.master, "ab".repeat(32)).expect("another master");
    master::restrict(&place.master).expect("restricted");
    assert!(matches!(
        KeyRing::open(&place.file, &place.master),
        Err(KeyError::Sealed(owner)) if owner == "outlet/a"
    ));
}

#[cfg(unix)]
#[test]
fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let place = place();
    drop(open(&place));
    for path in [&place.file, &place.master] {
        let mode = std::fs::metadata(path).expect("file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
    std::fs::set_permissions(&place.master, std::fs::Permissions::from_mode(0o644))
        .expect("opened");
    assert!(matches!(
        KeyRing::open(&place.file, &place.master),
        Err(KeyError::MasterOpen(_))
    ));
}

#[test]
fn a_key_moved_to_another_owner_does_not_open() {
    let place = place();
    open(&place)
        .put(&outlet("a"), &DeviceKey::random(), Timestamp(1))
        .expect("put");
    Connection::open(&place.file)
        .expect("database")
        .execute("UPDATE key SET owner = 'outlet/b'", [])
        .expect("forged");
    assert!(matches!(
        KeyRing::open(&place.file, &place.master),
        Err(KeyError::Sealed(_))
    ));
}

#[test]
fn the_oldest_keys_are_forgotten() {
    let place = place();
    let ring = open(&place);
    for n in 0..=i64::try_from(KEYS_PER_OWNER_MAX).expect("small") {
        ring.put(&outlet("a"), &DeviceKey::random(), Timestamp(n))
            .expect("put");
    }
    let all = ring.all(&outlet("a")).expect("asked");
    assert_eq!(all.len(), KEYS_PER_OWNER_MAX);
    assert_eq!(all.last().map(|k| k.since), Some(Timestamp(1)));
}

#[test]
fn keys_as_people_write_them() {
    let text = DeviceKey::from_text(" 0000000000000000\n").expect("16 characters");
    let digits = DeviceKey::from_text(&"30".repeat(16)).expect("32 digits");
    assert_eq!(text, digits);
    assert_eq!(text.text(), Some("0000000000000000"));
    assert_eq!(DeviceKey::new([7; 16]).text(), None);
    for bad in ["", "0000", &"zz".repeat(16), &"0".repeat(33)] {
        let error = DeviceKey::from_text(bad).expect_err("no key").to_string();
        assert!(bad.is_empty() || !error.contains(bad), "{error}");
    }
    let random = DeviceKey::random();
    assert_ne!(random, DeviceKey::random());
    let printed = format!("{random:?}");
    assert!(
        !printed.contains(random.text().expect("printable")),
        "{printed}"
    );
    assert_eq!("outlet/a".parse::<KeyOwner>().expect("owner"), outlet("a"));
    assert!("uplink/a".parse::<KeyOwner>().is_err());
}
