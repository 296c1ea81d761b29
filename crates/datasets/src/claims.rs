//! What compressed buffers of Arrow files claim to hold, before their reader believes it.

use crate::records::MAX_BYTES;
use arrow_ipc::{Message, RecordBatch, root_as_footer, root_as_message};

/// What stands before a message, but in old files.
const CONTINUATION: [u8; 4] = [0xff; 4];
/// What an Arrow file ends with, behind its footer and the footer's length.
const MAGIC: &[u8] = b"ARROW1";

/// Whether all compressed buffers of an Arrow file together claim to hold no more than is read of any file. Of what is
/// damaged so that it cannot be told, the reader itself will tell.
pub(crate) fn file_is_small(bytes: &[u8]) -> bool {
    let blocks = || -> Option<Vec<(usize, usize)>> {
        let end = bytes.len().checked_sub(MAGIC.len() + 4)?;
        let length = number(bytes.get(end..)?)?;
        let footer = root_as_footer(bytes.get(end.checked_sub(length)?..end)?).ok()?;
        let blocks = footer.recordBatches().into_iter().flatten();
        let blocks = blocks.chain(footer.dictionaries().into_iter().flatten());
        let place = |offset: i64, length: i32| Some((offset.try_into().ok()?, length.try_into().ok()?));
        // A block without a place is none that can be read; the others are.
        Some(blocks.filter_map(|block| place(block.offset(), block.metaDataLength())).collect())
    };
    let mut left = MAX_BYTES as u64;
    blocks().unwrap_or_default().into_iter().all(|(offset, length): (usize, usize)| {
        let body = offset.saturating_add(length);
        // The footer says where the message ends and its body begins, but the message is read as far as it goes.
        let message = bytes.get(offset..).and_then(|block| {
            let before = if block.starts_with(&CONTINUATION) { 8 } else { 4 };
            root_as_message(block.get(before..)?).ok()
        });
        message.is_none_or(|message| takes(&message, bytes, body, &mut left))
    })
}

/// The same of an Arrow stream.
pub(crate) fn stream_is_small(bytes: &[u8]) -> bool {
    let (mut at, mut left) = (0usize, MAX_BYTES as u64);
    while let Some((message, body)) = message_at(bytes, at) {
        if !takes(&message, bytes, body, &mut left) {
            return false;
        }
        let Ok(length) = usize::try_from(message.bodyLength()) else { break };
        at = body.saturating_add(length);
    }
    true
}

/// The message at a place of a stream, and where its body begins.
fn message_at(bytes: &[u8], at: usize) -> Option<(Message<'_>, usize)> {
    let rest = bytes.get(at..)?;
    let before = if rest.starts_with(&CONTINUATION) { 4 } else { 0 };
    let length = number(rest.get(before..)?)?;
    let message = root_as_message(rest.get(before + 4..(before + 4).checked_add(length)?)?).ok()?;
    (length > 0).then_some((message, at + before + 4 + length))
}

/// Takes what a message's buffers claim off what is left; whether enough was.
fn takes(message: &Message<'_>, bytes: &[u8], body: usize, left: &mut u64) -> bool {
    let dictionary = message.header_as_dictionary_batch().and_then(|batch| batch.data());
    let Some(batch) = message.header_as_record_batch().or(dictionary) else { return true };
    if batch.compression().is_none() {
        return true;
    }
    let claims = claims(&batch, bytes, body);
    claims.into_iter().all(|claim| {
        let enough = claim <= *left;
        *left = left.saturating_sub(claim);
        enough
    })
}

/// How many bytes each compressed buffer says that it holds; buffers that lie outside the file say nothing.
fn claims(batch: &RecordBatch<'_>, bytes: &[u8], body: usize) -> Vec<u64> {
    let claim = |offset: i64| -> Option<u64> {
        let start = body.checked_add(offset.try_into().ok()?)?;
        let size = i64::from_le_bytes(bytes.get(start..start.checked_add(8)?)?.try_into().ok()?);
        // -1 says that this buffer is not compressed after all.
        u64::try_from(size).ok()
    };
    let buffers = batch.buffers().into_iter().flatten();
    buffers.filter(|buffer| buffer.length() > 0).filter_map(|buffer| claim(buffer.offset())).collect()
}

/// The little-endian number that bytes begin with.
fn number(bytes: &[u8]) -> Option<usize> {
    i32::from_le_bytes(bytes.get(..4)?.try_into().ok()?).try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{Float64Array, RecordBatch};
    use arrow_ipc::CompressionType;
    use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
    use std::sync::Arc;

    const N_ROWS: usize = 1000;

    /// A column of zeros, compressed, as a file and as a stream.
    fn compressed(kind: CompressionType) -> [Vec<u8>; 2] {
        let column = Arc::new(Float64Array::from(vec![0.0; N_ROWS]));
        let batch = RecordBatch::try_from_iter([("x", column as _)]).unwrap();
        let options = || IpcWriteOptions::default().try_with_compression(Some(kind)).unwrap();
        let schema = batch.schema();
        let mut file = FileWriter::try_new_with_options(Vec::new(), &schema, options()).unwrap();
        file.write(&batch).unwrap();
        let mut stream = StreamWriter::try_new_with_options(Vec::new(), &schema, options()).unwrap();
        stream.write(&batch).unwrap();
        [file.into_inner().unwrap(), stream.into_inner().unwrap()]
    }

    #[test]
    fn what_claims_more_than_is_read_of_any_file_is_told() {
        for kind in [CompressionType::LZ4_FRAME, CompressionType::ZSTD] {
            let small: [fn(&[u8]) -> bool; 2] = [file_is_small, stream_is_small];
            for (mut bytes, is_small) in compressed(kind).into_iter().zip(small) {
                assert!(is_small(&bytes));
                let honest = (8 * N_ROWS as i64).to_le_bytes();
                let at = bytes.windows(8).position(|window| window == honest).expect("the size is written");
                bytes[at..at + 8].copy_from_slice(&i64::MAX.to_le_bytes());
                assert!(!is_small(&bytes));
                bytes[at..at + 8].copy_from_slice(&(MAX_BYTES as i64 + 1).to_le_bytes());
                assert!(!is_small(&bytes));
                // What stands before a message does not hide it in a file.
                if bytes.starts_with(MAGIC) {
                    let places: Vec<usize> = bytes
                        .windows(4)
                        .enumerate()
                        .filter(|(_, w)| *w == CONTINUATION)
                        .map(|(at, _)| at)
                        .collect();
                    places.iter().for_each(|at| bytes[at + 4..at + 8].copy_from_slice(&[0x7f; 4]));
                    assert!(!places.is_empty() && !is_small(&bytes));
                }
            }
        }
    }

    #[test]
    fn damaged_bytes_are_left_to_the_reader() {
        for bytes in compressed(CompressionType::LZ4_FRAME) {
            for end in 0..bytes.len() {
                file_is_small(&bytes[..end]);
                assert!(stream_is_small(&bytes[..end]));
            }
        }
    }
}
