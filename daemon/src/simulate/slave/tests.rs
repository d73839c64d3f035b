//! What a simulated device answers is what its map reads back.

use super::*;
use crate::simulate::plant::PlantKind;
use crate::simulate::script::{Incident, Script};
use cems_core::model::time::MINUTE_MS;
use cems_protocols::instrument::{Reading, to_samples};

/// 2026-11-20 00:00 in China.
const MIDNIGHT: Timestamp = Timestamp(1_795_104_000_000);

const MAP: &str = r#"
id = "test"
title_zh = "测试"
title_en = "test"
source = "none: a map of this test"
certainty = "manual"
protocol = "modbus"

[[point]]
name = "so2"
factor = "a21026"
address = 10
type = "f32"
order = "CDAB"
unit = "mg/m3"

[[point]]
name = "o2"
factor = "a19001"
address = 14
table = "input"
type = "i16"
scale = 0.01
unit = "%"

[[point]]
name = "status"
role = "state"
address = 12
type = "u16"

[[rule]]
point = "status"
bits = [2]
flag = "D"

[[rule]]
point = "status"
bits = [0]
flag = "M"
"#;

fn map() -> Arc<Map> {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("test.toml");
    std::fs::write(&path, MAP).expect("written");
    Arc::new(cems_config::load_map(&path).unwrap_or_else(|problems| panic!("{problems}")))
}

fn device(script: Script) -> Device {
    let plant = Plant::new(PlantKind::CoalBoiler, 3).with_script(script);
    Device::new(map(), plant, Clock::simulated(MIDNIGHT, 1))
}

/// Reads everything the map names, as a bus does.
fn poll(device: &Device) -> Vec<Reading> {
    let map = &device.map;
    let mut readings = Vec::new();
    for block in modbus::plan(map, modbus::Limits::default()) {
        let words = device
            .registers(block.table, block.start, block.count)
            .expect("the map's own registers");
        let answer = modbus::Answer::Registers(words);
        readings.extend(modbus::decode(map, &block, &answer).expect("the length asked for"));
    }
    readings
}

fn flags(device: &Device) -> Vec<Flag> {
    let channels: Vec<_> = ["so2", "o2"]
        .iter()
        .map(|name| cems_protocols::instrument::Channel {
            point: device.map.point(name).expect("of the map"),
            factor: SmolStr::new(name),
            multiplier: Decimal::ONE,
        })
        .collect();
    to_samples(&device.map, &poll(device), &channels)
        .iter()
        .map(|sample| sample.flag)
        .collect()
}

#[test]
fn values_come_back_as_measured() {
    let device = device(Script::default());
    let measured = device.plant.sample(device.clock.now());
    let readings = poll(&device);
    for (name, code) in [("so2", "a21026"), ("o2", "a19001")] {
        let point = device.map.point(name).expect("of the map");
        let reading = readings.iter().find(|r| r.point == point).expect("read");
        let wanted = measured.iter().find(|r| r.code == code).expect("measured");
        match &reading.value {
            Ok(Value::Number { value, .. }) => {
                assert_eq!(*value, wanted.value.normalize(), "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn states_become_the_bits_of_the_map() {
    let until = Some(MIDNIGHT.plus_ms(MINUTE_MS));
    let with = |incident| device(Script::default().with(incident, Timestamp(0), until));
    assert_eq!(flags(&device(Script::default())), [Flag::N, Flag::N]);
    assert_eq!(flags(&with(Incident::Fault)), [Flag::D, Flag::D]);
    assert_eq!(flags(&with(Incident::Maintenance)), [Flag::M, Flag::M]);
    // The map knows no such state: nothing is made up.
    assert_eq!(flags(&with(Incident::Stopped)), [Flag::N, Flag::N]);
}

#[tokio::test]
async fn only_units_that_are_there_answer_over_tcp() {
    use tokio_modbus::client::tcp;
    use tokio_modbus::prelude::{Reader, Slave};
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let line = Line::new([(7, device(Script::default()))].into());
    let stop = CancellationToken::new();
    let serving = tokio::spawn(line.serve_tcp(listener, stop.clone()));
    let mut seven = tcp::connect_slave(address, Slave(7))
        .await
        .expect("connects");
    let words = seven.read_holding_registers(10, 3).await.expect("answers");
    assert_eq!(words.expect("registers").len(), 3);
    let beyond = seven.read_holding_registers(12, 5).await.expect("answers");
    assert_eq!(beyond, Err(ExceptionCode::IllegalDataAddress));
    let coils = seven.read_coils(0, 1).await.expect("answers");
    assert_eq!(coils, Err(ExceptionCode::IllegalDataAddress));
    let mut eight = tcp::connect_slave(address, Slave(8))
        .await
        .expect("connects");
    let silent = tokio::select! {
        _ = eight.read_holding_registers(10, 3) => false,
        // Its neighbour answers meanwhile, so silence is not slowness.
        again = seven.read_holding_registers(10, 3) => again.is_ok(),
    };
    assert!(silent, "a unit that is not there answered");
    stop.cancel();
    serving.await.expect("ends in order");
}
