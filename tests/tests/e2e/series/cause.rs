//! A database that cannot be used for a reason that only a real server has.

use crate::notify::peer::{Peer, certificates, free_port, listening, sign};
use crate::outgoing::Outgoing;
use std::path::Path;
use std::process::Command;

/// VictoriaMetrics behind TLS, with the certificate that lies in a directory.
async fn database(place: &Path, port: u16) -> Peer {
    let mut command = Command::new("/usr/bin/victoria-metrics");
    command
        .arg(format!(
            "-storageDataPath={}",
            place.join("series").display()
        ))
        .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
        .arg(format!(
            "-tlsCertFile={}",
            place.join("server.pem").display()
        ))
        .arg(format!(
            "-tlsKeyFile={}",
            place.join("server.key").display()
        ))
        .args(["-tls", "-retentionPeriod=100y"])
        .arg("-memory.allowedBytes=268435456");
    let peer = Peer::start(&mut command);
    listening(port).await;
    peer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_certificate_expired_is_one_alarm_and_gets_all_when_it_has_a_new_one() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let place = certificates(directory.path());
    sign(&place, "-1");
    let port = free_port();
    let running = database(&place, port).await;
    let destination = format!(
        "[[destination]]\nid = \"series\"\nkind = \"influx\"\n\
         url = \"https://127.0.0.1:{port}\"\nbucket = \"cems\"\nca_file = \"ca.pem\"\n"
    );
    let story = Outgoing::start(directory, &destination).await;
    let (words, trouble) = story.alarmed().await;
    assert!(words.contains("certificate is not trusted"), "{words}");
    assert_eq!(trouble["cause"], "certificate", "{trouble}");

    sign(&place, "2");
    running.kill();
    let _running = database(&place, port).await;
    story.over().await;
    story.inside.stop().await;
}
