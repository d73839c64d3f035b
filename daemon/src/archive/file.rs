//! One file: how columns become Parquet, and what is said about them in its foot.

use super::cells::{Chunk, Column, DECIMAL_BYTES, Form, Group, Values};
use super::error::ArchiveError;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, FixedLenByteArrayType, Int32Type, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::statistics::Statistics;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{ColumnPath, TypePtr};
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Level of zstd: above it files shrink by a few percent and take several times as long.
const ZSTD_LEVEL: i32 = 9;
/// Largest dictionary of a column, bytes: the different values of some hundred outlets.
const DICTIONARY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A text whose bounds are longer than this is cut in the foot.
const BOUND_BYTES_MAX: usize = 64;

/// How the name of a draft ends.
const DRAFT_END: &str = "tmp";
/// A draft that was not written to for so long belongs to no process that lives.
const DRAFT_AGE_MAX: Duration = Duration::from_secs(86_400);

/// What stands in the foot of a file beside the columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notes(pub(super) Vec<(&'static str, String)>);

/// A file that is being written: under another name until it is whole.
pub(super) struct Draft {
    writer: SerializedFileWriter<File>,
    columns: &'static [Column],
    rows: u64,
    too_large: usize,
    temporary: PathBuf,
    path: PathBuf,
}

impl Draft {
    /// Begins a file. Drafts beside it that processes left which died are removed.
    pub(super) fn begin(path: &Path, columns: &'static [Column]) -> Result<Self, ArchiveError> {
        let directory = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(directory).map_err(ArchiveError::io(directory))?;
        sweep(directory);
        // Other programs look for *.parquet: a draft has another end.
        let end = format!("parquet.{}.{DRAFT_END}", std::process::id());
        let temporary = path.with_extension(end);
        let file = File::create(&temporary).map_err(ArchiveError::io(&temporary))?;
        let schema = schema(columns).map_err(ArchiveError::parquet(path))?;
        let properties = Arc::new(properties(columns).map_err(ArchiveError::parquet(path))?);
        let writer = SerializedFileWriter::new(file, schema, properties)
            .map_err(ArchiveError::parquet(path))?;
        Ok(Self {
            writer,
            columns,
            rows: 0,
            too_large: 0,
            temporary,
            path: path.to_owned(),
        })
    }

    /// Adds a row group.
    pub(super) fn add(&mut self, group: &Group) -> Result<(), ArchiveError> {
        if group.rows == 0 {
            return Ok(());
        }
        let rows = u64::try_from(group.rows).expect("a group is bounded");
        add(&mut self.writer, group).map_err(ArchiveError::parquet(&self.path))?;
        self.rows += rows;
        self.too_large += group.too_large;
        Ok(())
    }

    /// How many rows it has.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes the foot, makes the file whole on disk and puts it in the place of an older one.
    pub(super) fn finish(mut self, notes: Notes) -> Result<u64, ArchiveError> {
        let mut all = notes.0;
        all.push(("cems.rows", self.rows.to_string()));
        all.push(("cems.too_large", self.too_large.to_string()));
        all.push(("cems.columns", descriptions(self.columns)));
        for (key, value) in all {
            let note = KeyValue::new(key.to_owned(), value);
            self.writer.append_key_value_metadata(note);
        }
        let closed = self.writer.into_inner();
        let file = closed.map_err(ArchiveError::parquet(&self.path))?;
        let synced = file.sync_all().and_then(|()| file.metadata());
        let bytes = synced.map_err(ArchiveError::io(&self.temporary))?.len();
        std::fs::rename(&self.temporary, &self.path).map_err(ArchiveError::io(&self.path))?;
        sync_directory(&self.path)?;
        Ok(bytes)
    }

    /// Leaves nothing behind.
    pub(super) fn discard(self) -> Result<(), ArchiveError> {
        drop(self.writer);
        std::fs::remove_file(&self.temporary).map_err(ArchiveError::io(&self.temporary))
    }
}

/// Removes drafts that nobody writes any more; one that cannot be removed is in nobody's way.
fn sweep(directory: &Path) {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        // By the machine's clock, which is that of the file system; the daemon's may be simulated.
        let modified = path.metadata().and_then(|metadata| metadata.modified());
        let age = modified.ok().and_then(|modified| modified.elapsed().ok());
        if path.extension().is_some_and(|end| end == DRAFT_END)
            && age.is_some_and(|age| age > DRAFT_AGE_MAX)
            && std::fs::remove_file(&path).is_ok()
        {
            tracing::info!(file = %path.display(), "an abandoned draft is removed");
        }
    }
}

/// Makes a rename survive a power cut.
fn sync_directory(path: &Path) -> Result<(), ArchiveError> {
    // Windows cannot open a directory as a file; its renames need no such call.
    if cfg!(unix)
        && let Some(directory) = path.parent()
    {
        let opened = File::open(directory).and_then(|directory| directory.sync_all());
        opened.map_err(ArchiveError::io(directory))?;
    }
    Ok(())
}

/// The columns as a Parquet schema.
fn schema(columns: &[Column]) -> Result<TypePtr, ParquetError> {
    let mut text = String::from("message cems {\n");
    for column in columns {
        let name = column.name;
        let optional = if column.optional {
            "optional"
        } else {
            "required"
        };
        let kind = match column.form {
            Form::Text => format!("binary {name} (STRING)"),
            Form::Decimal(places) => {
                format!("fixed_len_byte_array({DECIMAL_BYTES}) {name} (DECIMAL(38,{places}))")
            }
            Form::Instant => format!("int64 {name} (TIMESTAMP(MILLIS,true))"),
            Form::Long => format!("int64 {name}"),
            Form::Small => format!("int32 {name}"),
            Form::Truth => format!("boolean {name}"),
        };
        text.push_str(&format!("{optional} {kind};\n"));
    }
    text.push('}');
    parse_message_type(&text).map(Arc::new)
}

fn properties(columns: &[Column]) -> Result<WriterProperties, ParquetError> {
    let zstd = Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?);
    let mut builder = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(format!("cemsd version {}", env!("CARGO_PKG_VERSION")))
        .set_compression(zstd)
        .set_max_row_group_row_count(None)
        .set_offset_index_disabled(true)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_statistics_truncate_length(Some(BOUND_BYTES_MAX))
        .set_dictionary_page_size_limit(DICTIONARY_BYTES_MAX);
    for column in columns {
        let path = ColumnPath::from(column.name);
        let dictionary = match column.form {
            Form::Instant | Form::Long | Form::Truth => false,
            Form::Text | Form::Decimal(_) | Form::Small => true,
        };
        builder = builder.set_column_dictionary_enabled(path.clone(), dictionary);
        if matches!(column.form, Form::Instant | Form::Long) {
            builder = builder.set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED);
        }
        if column.bounds {
            builder = builder.set_column_statistics_enabled(path, EnabledStatistics::Chunk);
        }
    }
    Ok(builder.build())
}

/// What each column is, as one JSON object.
fn descriptions(columns: &[Column]) -> String {
    let entry = |c: &Column| (c.name.to_owned(), serde_json::Value::from(c.what));
    serde_json::Value::Object(columns.iter().map(entry).collect()).to_string()
}

fn add(writer: &mut SerializedFileWriter<File>, group: &Group) -> Result<(), ParquetError> {
    let mut row_group = writer.next_row_group()?;
    for chunk in &group.chunks {
        let mut column = row_group
            .next_column()?
            .ok_or_else(|| ParquetError::General("a chunk without a column".into()))?;
        let levels = (!chunk.levels.is_empty()).then_some(chunk.levels.as_slice());
        match &chunk.values {
            Values::Text(v) => column
                .typed::<ByteArrayType>()
                .write_batch(v, levels, None)?,
            Values::Decimal(v) => {
                let column = column.typed::<FixedLenByteArrayType>();
                column.write_batch(v, levels, None)?
            }
            Values::Long(v) => column.typed::<Int64Type>().write_batch(v, levels, None)?,
            Values::Small(v) => column.typed::<Int32Type>().write_batch(v, levels, None)?,
            Values::Truth(v) => column.typed::<BoolType>().write_batch(v, levels, None)?,
        };
        column.close()?;
    }
    row_group.close()?;
    Ok(())
}

/// A file that is whole.
pub(super) struct Sealed {
    reader: SerializedFileReader<File>,
    columns: &'static [Column],
    path: PathBuf,
}

impl Sealed {
    /// Opens a file; `None` when there is none.
    pub(super) fn open(
        path: &Path,
        columns: &'static [Column],
    ) -> Result<Option<Self>, ArchiveError> {
        let file = match File::open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(ArchiveError::io(path))?,
        };
        let reader = SerializedFileReader::new(file).map_err(ArchiveError::parquet(path))?;
        let fields = reader.metadata().file_metadata().schema_descr().columns();
        let names = || fields.iter().map(|field| field.name());
        if !names().eq(columns.iter().map(|column| column.name)) {
            return Err(ArchiveError::foreign(path, "it has other columns"));
        }
        Ok(Some(Self {
            reader,
            columns,
            path: path.to_owned(),
        }))
    }

    /// What its foot says under a key.
    pub(super) fn note(&self, key: &str) -> Option<&str> {
        let notes = self
            .reader
            .metadata()
            .file_metadata()
            .key_value_metadata()?;
        let note = notes.iter().find(|note| note.key == key)?;
        note.value.as_deref()
    }

    /// How many row groups it has.
    pub(super) fn groups(&self) -> usize {
        self.reader.num_row_groups()
    }

    /// The group may have rows with this text in one column and an instant of this span
    /// (`from..until`) in another.
    pub(super) fn may_have(
        &self,
        group: usize,
        (text_column, text): (usize, &str),
        (time_column, from, until): (usize, i64, i64),
    ) -> bool {
        let metadata = self.reader.metadata().row_group(group);
        let texts = match metadata.column(text_column).statistics() {
            Some(Statistics::ByteArray(s)) => s.min_opt().zip(s.max_opt()),
            _ => None,
        };
        let times = match metadata.column(time_column).statistics() {
            Some(Statistics::Int64(s)) => s.min_opt().zip(s.max_opt()),
            _ => None,
        };
        let text = text.as_bytes();
        texts.is_none_or(|(min, max)| min.data() <= text && text <= max.data())
            && times.is_none_or(|(min, max)| *min < until && from <= *max)
    }

    /// The rows of a group with this text in a column; they stand together, for rows are sorted.
    pub(super) fn rows_with(
        &self,
        group: usize,
        column: usize,
        text: &str,
    ) -> Result<Range<usize>, ArchiveError> {
        let all = self.whole_of(group);
        let mut chunk = Chunk {
            values: Values::Text(Vec::new()),
            levels: Vec::new(),
        };
        let row_group = self.reader.get_row_group(group);
        let read = row_group.and_then(|row_group| {
            let reader = row_group.get_column_reader(column)?;
            fill(reader, &mut chunk, (&self.columns[column], &all))
        });
        read.map_err(ArchiveError::parquet(&self.path))?;
        let Values::Text(texts) = &chunk.values else {
            return Ok(all);
        };
        let found = |value: &ByteArray| value.data() == text.as_bytes();
        let first = texts.iter().position(found).unwrap_or(texts.len());
        let run = texts[first..].iter().take_while(|text| found(text)).count();
        if texts[first + run..].iter().any(found) {
            return Err(ArchiveError::foreign(&self.path, "its rows are not sorted"));
        }
        Ok(first..first + run)
    }

    /// All rows of a group.
    pub(super) fn whole_of(&self, group: usize) -> Range<usize> {
        let rows = self.reader.metadata().row_group(group).num_rows();
        0..usize::try_from(rows).unwrap_or(0)
    }

    /// Reads some rows of a group, the columns for which `wanted` holds; the others are left empty.
    pub(super) fn read(
        &self,
        group: usize,
        rows: Range<usize>,
        wanted: fn(usize) -> bool,
    ) -> Result<Group, ArchiveError> {
        self.read_group(group, rows, wanted)
            .map_err(ArchiveError::parquet(&self.path))
    }

    fn read_group(
        &self,
        group: usize,
        rows: Range<usize>,
        wanted: fn(usize) -> bool,
    ) -> Result<Group, ParquetError> {
        let row_group = self.reader.get_row_group(group)?;
        let mut all = Group::of(self.columns);
        all.rows = rows.len();
        for (index, column) in self.columns.iter().enumerate() {
            let chunk = &mut all.chunks[index];
            if wanted(index) {
                fill(row_group.get_column_reader(index)?, chunk, (column, &rows))?;
            } else {
                // Nothing is there, whether it may be null or not.
                chunk.levels = vec![0; all.rows];
            }
        }
        Ok(all)
    }
}

fn fill(
    reader: ColumnReader,
    chunk: &mut Chunk,
    (column, rows): (&Column, &Range<usize>),
) -> Result<(), ParquetError> {
    let levels = column.optional.then_some(&mut chunk.levels);
    match (reader, &mut chunk.values) {
        (ColumnReader::ByteArrayColumnReader(r), Values::Text(v)) => all(r, v, levels, rows),
        (ColumnReader::FixedLenByteArrayColumnReader(r), Values::Decimal(v)) => {
            all(r, v, levels, rows)
        }
        (ColumnReader::Int64ColumnReader(r), Values::Long(v)) => all(r, v, levels, rows),
        (ColumnReader::Int32ColumnReader(r), Values::Small(v)) => all(r, v, levels, rows),
        (ColumnReader::BoolColumnReader(r), Values::Truth(v)) => all(r, v, levels, rows),
        _ => Err(ParquetError::General(format!(
            "column {} has another type",
            column.name
        ))),
    }
}

fn all<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    values: &mut Vec<T::T>,
    mut levels: Option<&mut Vec<i16>>,
    rows: &Range<usize>,
) -> Result<(), ParquetError> {
    let mut read = reader.skip_records(rows.start)?;
    if read != rows.start {
        return Err(ParquetError::General("a column ends early".into()));
    }
    while read < rows.end {
        let (records, _, _) =
            reader.read_records(rows.end - read, levels.as_deref_mut(), None, values)?;
        if records == 0 {
            return Err(ParquetError::General("a column ends early".into()));
        }
        read += records;
    }
    Ok(())
}
