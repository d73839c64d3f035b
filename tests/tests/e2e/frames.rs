//! `cemsd decode` says of every known frame what is known of it.

use cems_tests::frames::{Case, cases};
use cems_tests::process::run;
use serde_json::Value;

/// The name the command gives to a way of computing the check code in the file.
fn crc_name(case: &Case) -> &str {
    match case.crc_variant.as_str() {
        "none" => "bad",
        name => name,
    }
}

fn decode(bytes: &[u8]) -> (Vec<Value>, String) {
    let output = run(&["decode"], bytes);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "cemsd decode failed: {errors}");
    let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    let objects = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    (objects.collect(), errors)
}

/// What differs between an object of the command and the file.
fn differences(case: &Case, object: &Value) -> Vec<String> {
    let encrypted = object["crc"] == "encrypted";
    let mut wrong = Vec::new();
    let mut compare = |name: &str, is: &Value, should: Value| {
        if *is != should {
            wrong.push(format!("{name} is {is}, should be {should}: {}", case.note));
        }
    };
    if !encrypted {
        compare("crc", &object["crc"], crc_name(case).into());
    }
    compare("len_ok", &object["len_ok"], case.len_ok.into());
    // Of a broken beginning the file tells the command of the fragment, which is no frame.
    if !case.begins_broken() {
        compare("version", &object["version"], case.version.as_str().into());
        compare("cn", object.get("cn").unwrap_or(&Value::Null), cn(case));
        if case.encoding.is_none() {
            compare("raw", &object["raw"], case.frame.as_str().into());
        }
    }
    wrong
}

/// A frame without a command has none, not an empty one.
fn cn(case: &Case) -> Value {
    if case.cn.is_empty() {
        Value::Null
    } else {
        case.cn.as_str().into()
    }
}

#[test]
fn every_known_frame_is_what_the_file_says_it_is() {
    let cases = cases();
    assert_eq!(cases.len(), 266, "the file is complete");
    let mut wrong = Vec::new();
    for case in &cases {
        let (objects, _) = decode(&case.bytes());
        match objects.as_slice() {
            [object] => wrong.extend(differences(case, object)),
            others => wrong.push(format!(
                "{} objects for one frame: {}",
                others.len(),
                case.note
            )),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_sound_frame_of_data_yields_its_records() {
    let mut wrong = Vec::new();
    for case in cases() {
        let data = ["2011", "2051", "2061", "2031"].contains(&case.cn.as_str());
        let clear = !case.frame.contains("CP=&&{") && case.frame.contains("DataTime=");
        let clear = clear && !case.begins_broken() && case.encoding.is_none();
        if !(data && clear && case.crc_ok && case.len_ok) {
            continue;
        }
        let (objects, _) = decode(&case.bytes());
        let records = objects
            .first()
            .and_then(|object| object["records"].as_array());
        if records.is_none_or(Vec::is_empty) {
            wrong.push(format!("no record: {}: {}", case.note, case.frame));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_stream_of_all_frames_with_rubbish_between_them_loses_none() {
    let plain = |case: &Case| case.frame.is_ascii() && !case.begins_broken();
    let sound: Vec<Case> = cases()
        .into_iter()
        .filter(|case| case.crc_ok && case.len_ok && plain(case))
        .collect();
    assert!(sound.len() > 150, "{}", sound.len());
    let mut stream = Vec::new();
    for case in &sound {
        stream.extend_from_slice(b"\xFF\x00noise#");
        stream.extend_from_slice(case.frame.as_bytes());
    }
    let (objects, errors) = decode(&stream);
    let raws: Vec<&str> = objects
        .iter()
        .filter_map(|object| object["raw"].as_str())
        .collect();
    let sent: Vec<&str> = sound.iter().map(|case| case.frame.as_str()).collect();
    assert_eq!(raws, sent);
    // Eight bytes of rubbish before each frame.
    assert!(
        errors.contains(&format!("{} bytes", sound.len() * 8)),
        "{errors}"
    );
}
