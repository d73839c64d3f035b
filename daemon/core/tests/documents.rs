//! Documents that are made from the code are as the code says. `BLESS=1` writes them.

use std::path::Path;

#[test]
fn the_page_of_checks_is_the_catalogue() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/checks.md");
    let text = cems_core::validate::catalogue_markdown();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let read = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        read == text,
        "docs/checks.md is not what the catalogue says: write it with BLESS=1"
    );
}
