use super::*;
use crate::backend::{AlarmVerb, OutletState, SentState, UplinkReplayStage};
use crate::view::alarm::key;
use cems_core::model::{
    AlarmKind, AlarmState, DutyEvent, DutyFor, DutyStanding, Level, LimitKind, MarkKind, Priority,
    QaKind, QuotaUnit, RecordKind, Recurrence, ReviewStep, Role, Watch,
};
use cems_core::permits::tax::why;
use cems_core::qa::Why;
use cems_core::validate::Severity;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Keys of a language with the file they stand in; twice the same key fails.
fn keys(lang: Lang) -> BTreeMap<String, &'static str> {
    let mut keys = BTreeMap::new();
    for (file, source) in sources(lang) {
        FluentResource::try_new((*source).to_owned())
            .unwrap_or_else(|(_, errors)| panic!("{file}: {errors:?}"));
        for line in source.lines() {
            let starts = line.starts_with(|c: char| c.is_ascii_alphabetic());
            if let Some((key, _)) = line.split_once(" =").filter(|_| starts) {
                let twice = keys.insert(key.to_owned(), *file);
                assert_eq!(twice, None, "{key} stands twice, in {file} again");
            }
        }
    }
    keys
}

/// Arguments used by a text.
fn arguments(lang: Lang, key: &str) -> BTreeSet<String> {
    let all = sources(lang)
        .iter()
        .map(|(_, s)| *s)
        .collect::<Vec<_>>()
        .join("\n");
    let start = all.find(&format!("\n{key} =")).map_or(0, |at| at + 1);
    let rest = &all[start..];
    let end = rest
        .match_indices('\n')
        .map(|(at, _)| at)
        .find(|at| !rest[at + 1..].starts_with([' ', '}']))
        .unwrap_or(rest.len());
    rest[..end]
        .split("{ $")
        .skip(1)
        .filter_map(|part| part.split([' ', '}']).next())
        .map(str::to_owned)
        .collect()
}

fn files(dir: &Path, ends: &str, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ends, out);
        } else if path.to_string_lossy().ends_with(ends) {
            out.push(path);
        }
    }
}

/// Texts between `before` and the next quote.
fn quoted<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(before)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
}

#[test]
fn both_languages_have_the_same_keys_with_the_same_arguments() {
    let (zh, en) = (keys(Lang::Zh), keys(Lang::En));
    assert_eq!(zh, en);
    for key in zh.keys() {
        let mut chinese = arguments(Lang::Zh, key);
        let mut english = arguments(Lang::En, key);
        // A plural needs its count in one language and may do without it in the other.
        chinese.remove(COUNT_ARG);
        english.remove(COUNT_ARG);
        assert_eq!(chinese, english, "{key}");
    }
}

#[test]
fn every_key_that_a_template_or_the_code_names_exists() {
    let known = keys(Lang::Zh);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut templates, mut code) = (Vec::new(), Vec::new());
    files(&root.join("templates"), ".html", &mut templates);
    files(&root.join("src"), ".rs", &mut code);
    let mut used = 0;
    for path in templates
        .iter()
        .chain(&code)
        .filter(|p| !p.ends_with("tests.rs"))
    {
        let text = std::fs::read_to_string(path).unwrap();
        for before in [
            "shell.t(\"",
            "shell.n(\"",
            "words.t(\"",
            "words.with(\"",
            ".t(\"",
        ] {
            for key in quoted(&text, before) {
                assert!(known.contains_key(key), "{key} in {}", path.display());
                used += 1;
            }
        }
    }
    assert!(used > 150, "the search found only {used}");
}

#[test]
fn every_code_that_data_carry_has_its_words() {
    let known = keys(Lang::Zh);
    let mut wanted = Vec::new();
    for &kind in AlarmKind::ALL {
        wanted.extend(["title", "text", "first"].map(|part| key(kind, part)));
        let name = kind.as_str().replace('.', "-");
        wanted.push(format!("alarm-kind-{name}"));
    }
    wanted.extend(OutletState::ALL.map(|s| format!("state-{}", s.as_str())));
    wanted.extend(Role::ALL.map(|r| format!("role-{r}")));
    wanted.extend(RecordKind::ALL.map(|k| format!("kind-{}", k.as_str())));
    for code in [
        "crc",
        "unknown-mn",
        "wrong-password",
        "source-address",
        "garbage",
    ] {
        wanted.push(format!("refused-{code}"));
    }
    wanted.extend(SentState::ALL.map(|s| format!("sent-state-{}", s.as_str())));
    let stages = UplinkReplayStage::ALL.into_iter();
    wanted.extend(stages.map(|s| format!("uplink-replay-stage-{}", s.as_str())));
    wanted.extend(desk_keys());
    wanted.extend(duty_keys());
    wanted.extend(control_keys());
    wanted.extend(entry_keys());
    wanted.extend(result_keys());
    for key in wanted {
        assert!(known.contains_key(&key), "{key}");
    }
}

/// What the codes of the duty desk and its refusals become.
fn desk_keys() -> Vec<String> {
    let mut keys: Vec<String> = keys_of([
        (
            "suppressed-why",
            "stopped maintenance outage out-of-service",
        ),
        ("weekday", "0 1 2 3 4 5 6"),
        ("tab", "desk alarms roster figures"),
        (
            "action",
            "unknown-alarm alarm-active alarm-not-acknowledged alarm-closed alarm-shelved \
             alarm-not-shelved alarm-of-nobody hold-too-long service-is-out service-is-in \
             shift-length shift-people shift-days roster-full unknown-user figures-span \
             filter-unknown",
        ),
    ])
    .collect();
    for verb in AlarmVerb::ALL {
        let name = verb.as_str();
        keys.extend(["act", "act-button", "act-hint"].map(|of| format!("{of}-{name}")));
    }
    keys.extend(Priority::ALL.map(|p| format!("priority-{}", p.as_str())));
    keys.extend(AlarmState::ALL.map(|s| format!("alarm-state-{}", s.as_str())));
    keys
}

/// What the codes of duties and their refusals become.
fn duty_keys() -> Vec<String> {
    let mut keys: Vec<String> = keys_of([
        (
            "tab",
            "duties duties-open duties-ended duties-rules calendar",
        ),
        ("duty-gone", "subject-gone rule-gone taken-back"),
        ("sure", "V V2 M"),
        ("feed", "written report"),
        (
            "action",
            "unknown-duty unknown-duty-rule duty-done duty-gone duty-nothing-to-take-back \
             duty-no-document duty-not-by-hand duty-wrong-subject duty-wrong-time",
        ),
        (
            "audit",
            "duty-opened duty-moved duty-reminded duty-overdue duty-escalated duty-done \
             duty-done-late duty-taken-back duty-gone duty-refused feed-renewed feed-ended",
        ),
        (
            "duty-due",
            "working-day period-end day working-days-after days-after hours-after days-before",
        ),
    ])
    .collect();
    keys.extend(DutyStanding::ALL.map(|s| format!("duty-standing-{}", s.as_str())));
    keys.extend(DutyFor::ALL.map(|kind| format!("duty-for-{}", kind.as_str())));
    keys.extend(Recurrence::ALL.map(|every| format!("duty-every-{}", every.as_str())));
    keys.extend(DutyEvent::ALL.map(|event| format!("duty-on-{}", event.as_str())));
    keys.extend(Watch::ALL.map(|watch| format!("duty-watched-{}", watch.as_str())));
    keys.extend(QuotaUnit::ALL.map(|unit| format!("duty-quota-{}", unit.as_str())));
    keys
}

/// What the codes of exchanges, habits and refusals become.
fn control_keys() -> impl Iterator<Item = String> {
    let groups = [
        (
            "exchange-state",
            "queued sent accepted done refused failed timed-out cancelled",
        ),
        ("exchange-why", "order gap initial time key"),
        (
            "exchange-step",
            "sent sent-again accepted data done refused failed timed-out cancelled",
        ),
        ("qnrtn", "1 2 3 4 5 6 7 8 9 100"),
        ("exertn", "1 2 3 4 5 6 100"),
        (
            "step-why",
            "no-answer no-end not-connected connection-lost withdrawn unsupported stopping \
             restarted",
        ),
        ("command-group", "settings data control"),
        (
            "action",
            "unknown-command bad-parameter not-connected-yet queue-full unknown-uplink \
             outlet-not-uploaded replay-not-all replay-period replay-future \
             replay-nothing-stored replay-before-stored replay-under-way no-replay",
        ),
        ("habit-crc", "hj212 hj212-lower modbus"),
        ("habit-line-end", "crlf cr lf none"),
        ("habit-encoding", "utf-8 gbk binary"),
        ("habit-length", "right unpadded wrong"),
        ("habit-case", "standard other"),
        ("habit-encryption", "none raw brace"),
        ("habit-wants-answer", "yes no"),
        ("habit-reads-answers", "yes no"),
        ("habit-sets-clock", "yes no"),
    ];
    keys_of(groups)
}

fn keys_of<'a>(
    groups: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> impl Iterator<Item = String> {
    groups
        .into_iter()
        .flat_map(|(prefix, codes)| codes.split(' ').map(move |code| format!("{prefix}-{code}")))
}

/// What the codes of marks, tests, reviews and their refusals become.
fn entry_keys() -> Vec<String> {
    let mut keys: Vec<String> = keys_of([
        ("test-outcome", "passed adjust failed not-judged"),
        ("review-state", "none submitted passed failed"),
        (
            "test-figure",
            "mean-reference mean-measured d sd cc t n passed-pairs needed-pairs error adjust \
             full-scale",
        ),
        (
            "action",
            "unknown-outlet unknown-factor repeated-factor empty too-long no-period long-period \
             mark-future not-whole-minutes too-many-attachments withdrawn future pairs full-scale \
             unknown-entry not-a-quarter quarter-running not-submitted no-profile",
        ),
        (
            "action",
            "too-many-files file-too-large file-empty file-unnamed file-name file-unreadable \
             request-too-large form-unreadable pair-unreadable quarter-unreadable \
             datetime-unreadable period-unreadable depth-unreadable",
        ),
        (
            "audit",
            "mark-entered mark-entered-late mark-refused mark-withdrawn test-passed test-adjust \
             test-failed test-not-judged test-refused test-withdrawn review-submitted \
             review-passed review-failed review-refused entry-refused",
        ),
    ])
    .collect();
    keys.extend(MarkKind::ALL.map(|kind| format!("mark-kind-{}", kind.as_str())));
    keys.extend(QaKind::ALL.map(|kind| format!("test-kind-{}", kind.as_str())));
    keys.extend(Why::ALL.map(|why| format!("test-why-{}", why.as_str())));
    keys.extend(ReviewStep::ALL.map(|step| format!("review-step-{}", step.as_str())));
    keys
}

/// What the codes of results, derivations and the catalogue become.
fn result_keys() -> Vec<String> {
    let mut keys: Vec<String> = keys_of([
        ("gap-why", "invalid out-of-control no-data review-failed"),
        (
            "substitute",
            "max-n mean-n day-max-n preceding-mean manual none no-history",
        ),
        (
            "not-projected",
            "amount-not-positive too-few-days too-few-blocks negative-day out-of-range",
        ),
        ("rates-of", "outlet enterprise region"),
        ("unit", "day month quarter year"),
        ("node", "valid invalid not-judged within exceeded"),
        ("rounding", "half-even half-away-from-zero"),
        (
            "tab",
            "outlet marks tests reviews quarters clues rates projections tax explain checks \
             formulas",
        ),
    ])
    .collect();
    let why = [
        why::REDUCED,
        why::NOT_FAR_ENOUGH,
        why::EXCEEDED,
        why::NO_LIMIT,
        why::NO_VALID_MEAN,
        why::NOT_JUDGED,
        why::LIMIT_NOT_POSITIVE,
        why::OUT_OF_RANGE,
    ];
    keys.extend(why.map(|why| format!("tax-why-{why}")));
    keys.extend(Level::ALL.map(|level| format!("level-{}", level.as_str())));
    keys.extend(LimitKind::ALL.map(|kind| format!("limit-kind-{}", kind.as_str())));
    keys.extend(Severity::ALL.map(|severity| format!("severity-{}", severity.as_str())));
    keys
}

#[test]
fn rules_of_substitution_have_words_with_their_numbers() {
    let words = Words(Lang::En);
    for (rule, text) in [
        ("max-180", "greatest of the last 180 valid hours"),
        ("mean-720", "mean of the last 720 valid hours"),
        ("day-max-30", "greatest of the last 30 valid daily loads"),
        ("manual", "manual data"),
        ("max-many", "max-many"),
    ] {
        assert_eq!(crate::view::reckoned::substitute_rule(words, rule), text);
    }
}

#[test]
fn plurals_and_plain_numbers() {
    let en = Words(Lang::En);
    assert_eq!(en.count("outlets-count", 1), "1 outlet");
    assert_eq!(en.count("outlets-count", 12), "12 outlets");
    assert_eq!(
        en.with("subject-device", &[("mn", "0070")]),
        "Unknown logger 0070"
    );
    assert_eq!(
        en.t("there-is-no-such-key"),
        "\u{27e6}there-is-no-such-key\u{27e7}"
    );
    assert_eq!(
        en.code("finding", "missing-opening-&&"),
        en.t("finding-missing-opening")
    );
    assert_eq!(
        en.code("flag", "?"),
        "?",
        "a code without words shows itself"
    );
}

#[test]
fn the_language_of_an_api_answer_follows_its_header() {
    for (header, lang) in [
        ("en-GB,en;q=0.9,zh;q=0.8", Lang::En),
        ("zh-CN,zh;q=0.9,en;q=0.8", Lang::Zh),
        ("fr, en;q=0.5", Lang::En),
        ("*", Lang::Zh),
        ("", Lang::Zh),
    ] {
        assert_eq!(Lang::from_accept_language(header), lang, "{header}");
    }
}
