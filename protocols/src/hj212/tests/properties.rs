//! What holds for every input.

use proptest::prelude::*;
use proptest::sample::select;

use super::fixture::samples;
use super::*;

/// Pieces of which hostile and damaged streams are made.
fn shard() -> impl Strategy<Value = Vec<u8>> {
    let marks: Vec<&'static [u8]> = vec![
        b"#",
        b"##",
        b"##0",
        b"##12",
        b"##0087",
        b"##9999QN=",
        b"##1a=",
        b"&",
        b"&&",
        b"&&1C80",
        b"&& 1C80",
        b"CP=&&",
        b"\r",
        b"\n",
        b"\r\n",
        b"1C80",
        b";",
        b"=",
        b" ",
        b"CP=&&&&2200",
    ];
    prop_oneof![
        4 => select(marks).prop_map(<[u8]>::to_vec),
        2 => any::<prop::sample::Index>().prop_map(|row| row.get(samples()).wire.clone()),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
    ]
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(shard(), 0..12).prop_map(|shards| shards.concat())
}

/// The pieces of `bytes` between the cuts.
fn cut<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

fn good() -> Vec<u8> {
    framed(
        "QN=20240520210700000;ST=31;CN=2011;PW=123456;MN=FICTION0000001;Flag=5;\
         CP=&&DataTime=20240520210600;a21026-Rtd=1.5,a21026-Flag=N&&",
    )
}

/// A text that needs no care inside a frame.
fn plain() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_.]{1,12}"
}

fn item() -> impl Strategy<Value = Item> {
    let value = "-?[0-9]{1,6}(\\.[0-9]{1,4})?";
    let fields = proptest::collection::vec((select(vec!["Rtd", "Avg", "Min", "Max"]), value), 1..5);
    ("[abw][0-9]{5}", fields).prop_map(|(code, fields)| {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        Item::factor(&code, &fields)
    })
}

fn edition() -> impl Strategy<Value = Edition> {
    select(vec![Edition::V2005, Edition::V2017, Edition::V2025])
}

/// Failing inputs are printed, not written beside the sources.
fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_byte_comes_out_once_wherever_reads_cut_the_stream(
        stream in stream(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let whole = steps(&[&stream]);
        prop_assert_eq!(&bytes_of(&whole), &stream);
        prop_assert_eq!(&steps(&cut(&stream, &cuts)), &whole);
        let single: Vec<&[u8]> = stream.chunks(1).collect();
        prop_assert_eq!(&steps(&single), &whole);
    }

    #[test]
    fn frames_of_the_file_survive_any_order_and_any_cuts(
        rows in proptest::collection::vec(any::<prop::sample::Index>(), 1..30),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..60),
    ) {
        // A row that begins with a headless rest of a frame would rightly be taken for the end
        // of a frame before it that lacks an end of its own.
        let samples: Vec<_> =
            samples().iter().filter(|sample| sample.wire.starts_with(b"##")).collect();
        let chosen: Vec<_> = rows.iter().map(|row| *row.get(&samples)).collect();
        let stream: Vec<u8> = chosen.iter().flat_map(|sample| sample.wire.clone()).collect();
        let pieces = cut(&stream, &cuts);
        let messages: Vec<Message> = steps(&pieces)
            .iter()
            .filter_map(|step| match step {
                Step::Frame(frame) => Some(parse(frame)),
                Step::Incomplete | Step::Garbage(_) => None,
            })
            .collect();
        let alone: Vec<Message> =
            chosen.iter().map(|sample| message_of(&sample.wire)).collect();
        prop_assert_eq!(messages, alone);
    }

    #[test]
    fn damage_never_loses_the_next_good_frame(
        row in any::<prop::sample::Index>(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        lost in (any::<prop::sample::Index>(), 0usize..40),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let samples = samples();
        let mut stream = row.get(samples).wire.clone();
        for (at, byte) in damage {
            let at = at.index(stream.len());
            stream[at] = byte;
        }
        let from = lost.0.index(stream.len());
        stream.drain(from..(from + lost.1).min(stream.len()));
        stream.extend(good());
        let found = steps(&cut(&stream, &cuts));
        prop_assert_eq!(bytes_of(&found), stream);
        let is_good = |step: &Step| matches!(step, Step::Frame(frame) if frame.bytes == good());
        prop_assert!(found.last().is_some_and(is_good), "{:?}", found);
    }

    #[test]
    fn reading_never_fails_and_an_answer_is_always_a_sound_frame(
        header in "[ -~]{0,60}",
        area in proptest::collection::vec(any::<u8>(), 0..80),
        cn in "(2011|2051|9015|1013|1001|2072|3020|9012|[0-9]{0,5})",
        flag in "(Flag=[0-9]{1,3};)?",
    ) {
        let mut segment = format!("{header};CN={cn};{flag}CP=&&").into_bytes();
        segment.extend_from_slice(&area);
        segment.extend_from_slice(b"&&");
        for frame in frames_of(&build::envelope(&segment, &BuildOptions::default())) {
            let message = parse(&frame);
            let _ = content(&message);
            if let Some(answer) = answer(&message) {
                let back = frames_of(&answer.bytes);
                prop_assert_eq!(back.len(), 1);
                prop_assert_eq!(&back[0].bytes, &answer.bytes);
                prop_assert_eq!(back[0].crc, CrcVerdict::Hj212);
                prop_assert!(back[0].len_ok);
                let read = parse(&back[0]);
                prop_assert_eq!(read.cn(), answer.cn);
            }
        }
    }

    #[test]
    fn what_is_built_is_read_back(
        edition in edition(),
        qn in "20240520[01][0-9][0-5][0-9][0-5][0-9][0-9]{3}",
        mn in "[0-9A-F]{24}",
        pw in plain(),
        wanted in any::<bool>(),
        items in proptest::collection::vec(item(), 0..6),
    ) {
        let frame = FrameBuilder::new(edition, "31", "2011")
            .qn(&qn).pw(&pw).mn(&mn).answer_wanted(wanted)
            .data_time("20240520210600").items(items.clone())
            .build(&BuildOptions::default()).unwrap();
        let message = message_of(&frame);
        prop_assert_eq!(message.edition, edition);
        prop_assert_eq!(message.crc, CrcVerdict::Hj212);
        prop_assert_eq!(message.header.qn.as_deref(), Some(qn.as_str()));
        prop_assert_eq!(message.header.pw.as_deref(), Some(pw.as_str()));
        prop_assert_eq!(message.header.mn.as_deref(), Some(mn.as_str()));
        prop_assert_eq!(message.header.wants_answer(), wanted);
        prop_assert_eq!(&message.items[0], &Item::bare("DataTime", "20240520210600"));
        prop_assert_eq!(&message.items[1..], &items[..]);
    }

    #[test]
    fn split_messages_keep_every_item_and_fit_the_limit(
        edition in edition(),
        items in proptest::collection::vec(item(), 1..80),
    ) {
        let builder = FrameBuilder::new(edition, "31", "2061")
            .qn("20240520210700998").mn("FICTION0000001").answer_wanted(true)
            .data_time("20240520210600").items(items.clone());
        let parts = builder.build_split(&BuildOptions::default()).unwrap();
        let frames = frames_of(&parts.concat());
        prop_assert_eq!(frames.len(), parts.len());
        let mut read = Vec::new();
        let mut qns = std::collections::BTreeSet::new();
        for (index, frame) in frames.iter().enumerate() {
            prop_assert!(frame.segment.len() <= 1024 && frame.len_ok);
            let message = parse(frame);
            prop_assert_eq!(message.header.is_split(), parts.len() > 1);
            if parts.len() > 1 {
                prop_assert_eq!(message.header.pnum, u32::try_from(parts.len()).ok());
                prop_assert_eq!(message.header.pno, u32::try_from(index + 1).ok());
            }
            prop_assert!(qns.insert(message.header.qn.clone()));
            prop_assert_eq!(&message.items[0], &Item::bare("DataTime", "20240520210600"));
            read.extend_from_slice(&message.items[1..]);
        }
        prop_assert_eq!(read, items);
    }

    #[test]
    fn sessions_give_out_every_byte(
        stream in stream(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..10),
        waits in proptest::collection::vec(0i64..3000, 11),
    ) {
        let config = SessionConfig { incomplete_ms: 1000, ..SessionConfig::default() };
        let mut session = Session::new(config);
        let mut actions = Vec::new();
        let mut now_ms = 0;
        for (piece, wait_ms) in cut(&stream, &cuts).into_iter().zip(waits) {
            actions.extend(session.on_bytes(now_ms, piece));
            let until_ms = now_ms + wait_ms;
            while let Some(deadline_ms) = session.next_deadline_ms().filter(|at| *at <= until_ms) {
                now_ms = deadline_ms;
                actions.extend(session.on_tick(now_ms));
            }
            now_ms = until_ms;
        }
        actions.extend(session.on_close());
        let mut bytes = Vec::new();
        for action in actions {
            match action {
                Action::Frame(frame, _) => bytes.extend(frame.bytes),
                Action::Garbage(garbage) => bytes.extend(garbage),
                Action::Close(reason) => prop_assert!(false, "{:?}", reason),
            }
        }
        prop_assert_eq!(bytes, stream);
    }
}

#[test]
fn what_cannot_be_sent_is_refused() {
    let builder = || FrameBuilder::new(Edition::V2017, "31", "2011");
    let options = BuildOptions::default();
    for bad in ["a;b", "a&&b", "a#b", "a\r\n", "a,b", "a=b"] {
        assert_eq!(
            builder().mn(bad).build(&options),
            Err(BuildError::UnsafeText(bad.into()))
        );
        let item = Item::bare("PolId", bad);
        assert!(builder().item(item).build(&options).is_err());
    }
    // The other side would take it for the printed form of SM4.
    let printed = builder().item(Item::bare("{0xE4", "1"));
    assert_eq!(printed.build(&options), Err(BuildError::ReadsAsCipher));
    let log = Item::factor("i11001", &[("Info", "//a;b=c//")]);
    assert_eq!(
        message_of(&builder().item(log.clone()).build(&options).unwrap()).items,
        [log]
    );
    let long = Item::bare("x", &"1".repeat(1100));
    assert!(matches!(
        builder().item(long.clone()).build_split(&options),
        Err(BuildError::ItemTooLong(_))
    ));
    assert!(builder().item(long.clone()).build(&options).is_ok());
    let many = std::iter::repeat_n(long, 10);
    assert!(matches!(
        builder().items(many).build(&options),
        Err(BuildError::SegmentTooLong(_))
    ));
}
