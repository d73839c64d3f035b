//! The printed examples, and the quick forms against the plain ones.

use proptest::prelude::*;

use super::*;

const ANNEX_A_2017: &[u8] = b"QN=20160801085857223;ST=32;CN=1062;PW=100000;\
    MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&";

#[test]
fn annex_a_of_2017_gives_its_printed_code() {
    assert_eq!(crc_hj212(ANNEX_A_2017), 0x1C80);
    assert_eq!(judge(ANNEX_A_2017, b"1C80"), CrcVerdict::Hj212);
    assert_eq!(judge(ANNEX_A_2017, b"1c80"), CrcVerdict::Hj212Lower);
    assert_eq!(judge(ANNEX_A_2017, b"801C"), CrcVerdict::Hj212Swapped);
    assert_eq!(judge(ANNEX_A_2017, b"1C08"), CrcVerdict::Bad);
}

#[test]
fn edge_values_of_the_register() {
    assert_eq!(crc_hj212(b""), 0xFFFF);
    assert_eq!(crc_hj212(b"\0"), 0x4040);
    // Check value of the CRC catalogue for CRC-16/MODBUS.
    assert_eq!(crc_modbus(b"123456789"), 0x4B37);
}

#[test]
fn every_style_is_read_back_as_its_verdict() {
    let pairs = [
        (CrcStyle::Hj212, CrcVerdict::Hj212),
        (CrcStyle::Hj212Swapped, CrcVerdict::Hj212Swapped),
        (CrcStyle::Modbus, CrcVerdict::Modbus),
        (CrcStyle::ModbusSwapped, CrcVerdict::ModbusSwapped),
        (CrcStyle::Hj212Lower, CrcVerdict::Hj212Lower),
    ];
    for (style, verdict) in pairs {
        assert_eq!(
            judge(ANNEX_A_2017, style.text(ANNEX_A_2017).as_bytes()),
            verdict
        );
        assert_eq!(CrcStyle::mirror(verdict), style);
        assert!(verdict.is_sound(&AcceptCrc::ALL));
    }
    assert!(!CrcVerdict::Modbus.is_sound(&AcceptCrc::STANDARD));
    assert!(!CrcVerdict::Bad.is_sound(&AcceptCrc::ALL));
}

#[test]
fn names_are_unique_and_read_back() {
    for verdict in CrcVerdict::ALL {
        assert_eq!(CrcVerdict::from_name(verdict.as_str()), Some(verdict));
    }
}

/// The register as annex A tells it, bit by bit: the oracle of every quicker form.
fn as_printed(data: &[u8]) -> u16 {
    data.iter().fold(0xFFFF, |register, byte| {
        (0..8).fold((register >> 8) ^ u16::from(*byte), |register, _| {
            let carry = if register & 1 == 1 { 0xA001 } else { 0 };
            (register >> 1) ^ carry
        })
    })
}

#[test]
fn eight_steps_over_nothing_change_no_state() {
    for high in 0..=u8::MAX {
        let [state, _] = hj212_steps(u16::from_be_bytes([high, 0]), &[0; 8]).to_be_bytes();
        assert_eq!(state, high);
    }
}

#[test]
fn every_length_around_the_words_and_lanes() {
    let data: Vec<u8> = (0..300u32)
        .map(|n| n.wrapping_mul(167).to_le_bytes()[0])
        .collect();
    for length in 0..data.len() {
        assert_eq!(
            crc_hj212(&data[..length]),
            as_printed(&data[..length]),
            "{length}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn folding_is_the_same_as_stepping(data in proptest::collection::vec(any::<u8>(), 0..700)) {
        prop_assert_eq!(crc_hj212(&data), as_printed(&data));
        prop_assert_eq!(crc_hj212(&data), hj212_steps(0xFFFF, &data));
    }

    #[test]
    fn a_growing_prefix_is_judged_like_a_fresh_one(
        data in proptest::collection::vec(any::<u8>(), 0..300),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 1..6),
        style in proptest::sample::select(vec![
            CrcStyle::Hj212, CrcStyle::Hj212Swapped, CrcStyle::Modbus, CrcStyle::ModbusSwapped,
            CrcStyle::Fixed(0x1234),
        ]),
    ) {
        let mut running = Running::default();
        for cut in cuts {
            let prefix = &data[..cut.index(data.len() + 1)];
            let text = style.text(prefix);
            let fresh = Running::default().verdict(prefix, text.as_bytes());
            prop_assert_eq!(running.verdict(prefix, text.as_bytes()), fresh);
            prop_assert!(fresh.is_known() || style == CrcStyle::Fixed(0x1234));
        }
    }
}
