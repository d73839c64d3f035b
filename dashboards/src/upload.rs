//! Files that people and programs attach: how many, how large, and how they arrive.

use crate::backend::{BackendError, Upload};
use crate::refusal::refused;
use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cems_core::marks::NAME_CHARS_MAX;
use std::collections::BTreeMap;

/// Files of one entry: a test report, its calibration records, a few photographs.
pub(crate) const FILES_MAX: usize = 5;
/// Bytes of one file: a scanned report of some tens of pages.
pub(crate) const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of a form with its files: all files at their largest, and room for the fields.
pub(crate) const FORM_BYTES_MAX: usize = 42 * 1024 * 1024;
/// Bytes of the same as JSON: base64 takes four bytes for three.
pub(crate) const JSON_BYTES_MAX: usize = FORM_BYTES_MAX / 3 * 4;
/// Bytes of all fields of a form that are no files.
const FIELDS_BYTES_MAX: usize = 256 * 1024;

/// Code of a request that was cut off for its size; answered with 413.
pub(crate) const REQUEST_TOO_LARGE: &str = "request-too-large";

/// Name of the field with the files.
const FILES_FIELD: &str = "files";

fn too_large() -> BackendError {
    refused(REQUEST_TOO_LARGE, "")
}

/// What a person sent: the fields, and the files or why they are refused. A form whose files are
/// refused still has its fields, so that nobody types twice.
pub(crate) struct Sent {
    pub(crate) fields: BTreeMap<String, String>,
    pub(crate) files: Result<Vec<Upload>, BackendError>,
}

fn broken(error: &MultipartError) -> BackendError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        too_large()
    } else {
        refused("form-unreadable", error.body_text())
    }
}

/// Reads to the end of a field and keeps at most `max` bytes; `None`: there were more.
async fn content(mut field: Field<'_>, max: usize) -> Result<Option<Vec<u8>>, BackendError> {
    let mut kept = Some(Vec::new());
    while let Some(chunk) = field.chunk().await.map_err(|e| broken(&e))? {
        // What is too much is read all the same: a browser shows no answer before it sent all.
        kept = kept
            .filter(|bytes| bytes.len().saturating_add(chunk.len()) <= max)
            .map(|mut bytes: Vec<u8>| {
                bytes.extend_from_slice(&chunk);
                bytes
            });
    }
    Ok(kept)
}

/// Reads a form with files.
///
/// # Errors
/// When the request is too large or no form; then there is nothing to show again.
pub(crate) async fn receive(mut form: Multipart) -> Result<Sent, BackendError> {
    let mut fields = BTreeMap::new();
    let mut files = Ok(Vec::new());
    let mut room = FIELDS_BYTES_MAX;
    while let Some(field) = form.next_field().await.map_err(|e| broken(&e))? {
        let name = field.name().unwrap_or("").to_owned();
        let Some(file) = field.file_name().map(str::to_owned) else {
            let bytes = content(field, room).await?.ok_or_else(too_large)?;
            room = room.saturating_sub(bytes.len() + name.len());
            let text =
                String::from_utf8(bytes).map_err(|_| refused("form-unreadable", name.clone()))?;
            // Browsers send line ends as CR LF.
            fields.insert(name, text.replace("\r\n", "\n"));
            continue;
        };
        let bytes = content(field, FILE_BYTES_MAX).await?;
        // A field without a chosen file is sent as a file without name and content.
        if name != FILES_FIELD || (file.is_empty() && bytes.as_ref().is_some_and(Vec::is_empty)) {
            continue;
        }
        files = files.and_then(|mut list: Vec<Upload>| {
            list.push(checked(&file, bytes)?);
            counted(list)
        });
    }
    Ok(Sent { fields, files })
}

fn counted(list: Vec<Upload>) -> Result<Vec<Upload>, BackendError> {
    if list.len() > FILES_MAX {
        return Err(refused("too-many-files", FILES_MAX.to_string()));
    }
    Ok(list)
}

/// One file, its name without the folders that some browsers send along.
fn checked(name: &str, bytes: Option<Vec<u8>>) -> Result<Upload, BackendError> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or("").trim();
    if name.is_empty() {
        return Err(refused("file-unnamed", ""));
    }
    if name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        let start: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
        return Err(refused("file-name", start));
    }
    let Some(content) = bytes.filter(|bytes| bytes.len() <= FILE_BYTES_MAX) else {
        let megabytes = FILE_BYTES_MAX / (1024 * 1024);
        return Err(refused(
            "file-too-large",
            format!("{name} > {megabytes} MiB"),
        ));
    };
    if content.is_empty() {
        return Err(refused("file-empty", name));
    }
    Ok(Upload {
        name: name.to_owned(),
        content,
    })
}

/// Files of a JSON request: name and content in base64 (RFC 4648, with padding).
pub(crate) fn decode<'a>(
    files: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<Vec<Upload>, BackendError> {
    let mut list = Vec::new();
    for (name, text) in files {
        let bytes = STANDARD.decode(text);
        let bytes = bytes.map_err(|_| refused("file-unreadable", name))?;
        list.push(checked(name, Some(bytes))?);
        list = counted(list)?;
    }
    Ok(list)
}

/// A kept file as an answer: to be saved, never shown in the page's own name.
pub(crate) fn answer(file: Upload) -> Response {
    let name = format!(
        "attachment; filename*=UTF-8''{}",
        crate::url::encode(&file.name)
    );
    let kind = HeaderValue::from_static("application/octet-stream");
    let mut response = ([(header::CONTENT_TYPE, kind)], file.content).into_response();
    let name = HeaderValue::from_str(&name);
    let name = name.unwrap_or(HeaderValue::from_static("attachment"));
    response
        .headers_mut()
        .insert(header::CONTENT_DISPOSITION, name);
    response
}

/// The error of a JSON request that was cut off for its size.
pub(crate) fn json_too_large() -> BackendError {
    too_large()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(result: Result<Vec<Upload>, BackendError>) -> String {
        match result {
            Err(BackendError::Refused { code, .. }) => code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn files_of_a_request_are_named_counted_and_decoded() {
        let files = decode([("dir/报告.txt", "aGVsbG8=")].into_iter()).unwrap();
        assert_eq!(files[0].name, "报告.txt");
        assert_eq!(files[0].content, b"hello");
        for (file, wanted) in [
            (("a.txt", "not base64!"), "file-unreadable"),
            (("a.txt", ""), "file-empty"),
            (("folder/", "aGVsbG8="), "file-unnamed"),
            (("a\r\nb", "aGVsbG8="), "file-name"),
        ] {
            assert_eq!(code(decode([file].into_iter())), wanted);
        }
        let six = (0..=FILES_MAX).map(|_| ("a.txt", "aGVsbG8="));
        assert_eq!(code(decode(six)), "too-many-files");
        let large = STANDARD.encode(vec![0; FILE_BYTES_MAX + 1]);
        let large = decode([("a.bin", large.as_str())].into_iter());
        assert_eq!(code(large), "file-too-large");
    }
}
