//! Every command code of every edition, said and understood by both ends.

use std::collections::BTreeSet;

use super::super::dialogue::Outcome;
use super::requests::form;
use super::world::World;
use super::*;

/// What a logger sends under this number, without `DataTime`; `None` where it sends nothing.
pub(super) fn sample(cn: &str, edition: Edition) -> Option<Vec<Item>> {
    let old = edition == Edition::V2005;
    let code = if old { "101" } else { "a21026" };
    let time = "20240520210600";
    let one = |item: Item| Some(vec![item]);
    let factor = |fields: &[(&str, &str)]| Some(vec![Item::factor(code, fields)]);
    match cn {
        "1001" if edition == Edition::V2025 => Some(vec![
            Item::factor("i23005", &[("Info", "L1")]),
            Item::factor("i23006", &[("Info", "C1")]),
        ]),
        "1011" => one(Item::bare("SystemTime", time)),
        "1013" => Some(Vec::new()),
        "1014" => one(Item::bare("SKCreateTime", time)),
        "1021" => factor(&[("LowValue", "1.1"), ("UpValue", "9.9")]),
        "1031" => one(Item::bare("AlarmTarget", "3882566")),
        "1041" => one(Item::bare("ReportTime", "0101")),
        "1061" => one(Item::bare("RtdInterval", "30")),
        "1063" => one(Item::bare("MinInterval", "10")),
        "2011" => factor(&[("Rtd", "1.5"), ("Flag", "N")]),
        "2013" => factor(&[
            ("SampleTime", time),
            ("CompleteTime", time),
            ("SampleType", "1"),
            ("Avg", "1.5"),
            ("Flag", "N"),
        ]),
        "2021" => one(Item::factor("SB1", &[("RS", "1")])),
        "2041" => one(Item::factor("SB1", &[("RT", "2.1")])),
        "2031" | "2051" | "2061" => {
            factor(&[("Cou", "1"), ("Min", "1"), ("Avg", "2"), ("Max", "3")])
        }
        "2052" => one(Item::factor("Leq", &[("Data", "50.1")])),
        "2062" => factor(&[
            ("SampleRd", "1.02"),
            ("StandardValue", "1.00"),
            ("ResultType", "1"),
        ]),
        "2071" => factor(&[("Ala", "1.1")]),
        "2072" => Some(vec![
            Item::bare("AlarmTime", time),
            Item::factor(code, &[("Ala", "1.1")]),
            Item::bare("AlarmType", "1"),
        ]),
        "2081" => one(Item::bare("RestartTime", time)),
        "2111" => one(Item::factor("a01901", &[("Avg", "901.5")])),
        "3015" => one(Item::bare("VaseNo", "1")),
        "3017" => Some(vec![
            Item::bare("PolId", code),
            Item::bare("CstartTime", "000000"),
            Item::bare("CTime", "2"),
        ]),
        "3018" => Some(vec![Item::bare("PolId", code), Item::bare("Stime", "20")]),
        "3019" => Some(vec![
            Item::bare("PolId", code),
            Item::factor(code, &[("SN", "X1")]),
        ]),
        "3020" => Some(vec![
            Item::bare("PolId", code),
            // The code the sample form asks for.
            Item::factor("a00007", &[("Info", "//zero; span, ok//")]),
        ]),
        "9015" => Some(Vec::new()),
        _ => None,
    }
}

/// A request that both ends agree to.
fn request(row: &Order, edition: Edition) -> Request {
    let filled: Vec<(String, String)> = match row.cn {
        "1002" => [("MN", "0100000000F0000000000002"), ("i23005", "L1")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        // A range of an hour from midnight, as the samples' times have it.
        cn if HistoryKind::from_cn(cn).is_some() => [
            ("BeginTime", "20240520000000"),
            ("EndTime", "20240520010000"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec(),
        _ => form(row, 0, 1, false),
    };
    Request::from_params(row.cn, edition, &filled).unwrap()
}

/// Whether the number carries `DataTime` when a logger sends it by its own will.
fn has_data_time(cn: &str) -> bool {
    cn.starts_with('2') && cn != "2072" || cn == "3015" || cn == "3020"
}

/// What was said in one edition when every request was made and every upload sent.
fn said(edition: Edition) -> BTreeSet<String> {
    let mut said = BTreeSet::new();
    let mut note = |world: &World| {
        for (_, message) in &world.heard {
            assert_eq!(message.edition, edition, "{}", message.cn());
            said.insert(message.cn().to_owned());
        }
    };
    for row in orders(edition) {
        let mut world = World::new(edition, Vec::new());
        let request = request(row, edition);
        if row.cn == "1021" {
            world.station.settings_mut().limits = vec![AlarmLimits {
                // The factor the sample form asks for.
                pol_id: "a00000".into(),
                low: "1.1".into(),
                up: "9.9".into(),
            }];
        }
        world.order(1, request.clone());
        world.run(3_600_000);
        let about = format!("{} in {edition}: {:?}", row.cn, world.steps);
        let done = match row.reply {
            Reply::Confirmation => Outcome::Done { exe_rtn: None },
            _ => Outcome::Done { exe_rtn: Some(1) },
        };
        assert_eq!(world.outcomes, [(1, done)], "{about}");
        let data = world.steps.iter().filter(|(_, what, _)| *what == "data");
        let expected = match row.reply {
            Reply::Nothing | Reply::Confirmation | Reply::Stream(_) => 0,
            Reply::Values(_) => 1,
            Reply::Records(_) => world.records,
        };
        assert_eq!(data.count(), expected, "{about}");
        let told = (world.executed.clone(), world.changed.clone());
        let gets = matches!(row.reply, Reply::Values(_)) && told.0.is_empty();
        assert!(gets || [told.0, told.1].concat() == [request], "{about}");
        note(&world);
    }
    for row in COMMANDS
        .iter()
        .filter(|row| row.editions.contains(&edition))
    {
        let Some(items) = sample(row.cn, edition) else {
            continue;
        };
        if matches!(row.cn, "1011" | "1021" | "1031" | "1041" | "1061" | "1063") {
            continue;
        }
        let mut world = World::new(edition, Vec::new());
        let mut frame = FrameBuilder::new(edition, "31", row.cn)
            .items(items)
            .answer_wanted(true);
        if has_data_time(row.cn) {
            frame = frame.data_time("20240520210600");
        }
        world.upload(7, frame);
        world.run(3_600_000);
        assert_eq!(world.uploaded, [(7, true)], "{} in {edition}", row.cn);
        let content = content(&world.heard[0].1);
        assert!(
            !matches!(content, Content::Other | Content::Request { .. }),
            "{} in {edition}: {content:?}",
            row.cn
        );
        note(&world);
    }
    said
}

#[test]
fn every_number_of_every_edition_is_said_and_understood() {
    for edition in Edition::KNOWN {
        let said = said(edition);
        let listed: BTreeSet<String> = COMMANDS
            .iter()
            .filter(|row| row.editions.contains(&edition))
            .map(|row| row.cn.to_owned())
            .collect();
        let missing: Vec<_> = listed.difference(&said).collect();
        assert!(missing.is_empty(), "{edition}: no case for {missing:?}");
        let unlisted: Vec<_> = said.difference(&listed).collect();
        assert!(
            unlisted.is_empty(),
            "{edition}: not in COMMANDS: {unlisted:?}"
        );
    }
}

#[test]
fn the_catalogue_and_the_list_of_numbers_agree() {
    for edition in Edition::KNOWN {
        for row in orders(edition) {
            let listed = command(row.cn, edition).unwrap();
            assert!(listed.is_in(edition), "{} in {edition}", row.cn);
            assert!(
                matches!(listed.kind, Kind::Request | Kind::Data | Kind::Notice),
                "{} in {edition}",
                row.cn
            );
            assert!(!row.zh.is_empty() && !row.en.is_empty());
        }
        for listed in COMMANDS
            .iter()
            .filter(|row| row.editions.contains(&edition))
        {
            if listed.kind == Kind::Request {
                assert!(
                    order(listed.cn, edition).is_some(),
                    "{} in {edition}",
                    listed.cn
                );
            }
        }
    }
}
