//! Measured values of one message, gathered by factor.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use super::content::{DataKind, DataRecord, DataValue, time};
use super::fields::Message;
use super::time::LocalTime;

/// Gathers the sub-fields of each factor, also from items that stand apart
/// (`01-ZsRtd=…;…;01-Rtd=…`).
pub(super) fn data_record(msg: &Message, kind: DataKind) -> DataRecord {
    let mut values: Vec<DataValue> = Vec::new();
    let mut index: BTreeMap<&str, usize> = BTreeMap::new();
    let mut extra = Vec::new();
    let mut shared_flag = None;
    for item in &msg.items {
        if let Some(value) = item.get("") {
            match item.name.as_str() {
                "DataTime" => {}
                "Flag" if shared_flag.is_none() => shared_flag = Some(value.clone()),
                _ => extra.push((item.name.clone(), value.clone())),
            }
            continue;
        }
        for (field, value) in &item.fields {
            let at = index.get(item.name.as_str()).copied();
            if at.is_some_and(|at| values[at].set(field, value)) {
                continue;
            }
            let mut fresh = DataValue {
                code: item.name.clone(),
                ..DataValue::default()
            };
            fresh.set(field, value);
            index.insert(&item.name, values.len());
            values.push(fresh);
        }
    }
    if let Some(flag) = shared_flag {
        for value in values.iter_mut().filter(|value| value.flag.is_none()) {
            value.flag = Some(flag.clone());
        }
    }
    DataRecord {
        kind,
        data_time: time(msg, "DataTime"),
        values,
        extra,
    }
}

impl DataValue {
    /// Puts a sub-field in its place; `false` when the place is taken. Empty texts count as
    /// absent: the findings of the message name them.
    fn set(&mut self, field: &str, value: &SmolStr) -> bool {
        if value.is_empty() {
            return true;
        }
        let place = match field {
            "Rtd" => &mut self.rtd,
            "Min" => &mut self.min,
            "Avg" => &mut self.avg,
            "Max" => &mut self.max,
            "Cou" => &mut self.cou,
            "ZsRtd" => &mut self.zs_rtd,
            "ZsMin" => &mut self.zs_min,
            "ZsAvg" => &mut self.zs_avg,
            "ZsMax" => &mut self.zs_max,
            "Flag" => &mut self.flag,
            "EFlag" => &mut self.eflag,
            "Data" => &mut self.data,
            "DayData" => &mut self.day_data,
            "NightData" => &mut self.night_data,
            "SampleTime" => match LocalTime::parse(value) {
                Some(time) => return self.sample_time.replace(time).is_none(),
                None => return true,
            },
            _ => {
                if self.extra.iter().any(|(name, _)| name == field) {
                    return false;
                }
                self.extra.push((SmolStr::new(field), value.clone()));
                return true;
            }
        };
        if place.is_some() {
            return false;
        }
        *place = Some(value.clone());
        true
    }
}
