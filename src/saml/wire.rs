//! How a message travels: Base64 in a form (saml-bindings §3.5), DEFLATE and Base64 in an address (§3.4.4.1).
//!
//! Must never inflate more than was said, however little it takes to write it.

use data_encoding::BASE64;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// A message that did not travel well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Not Base64.
    #[error("the message is not Base64")]
    Base64,
    /// Not DEFLATE, or something behind its end.
    #[error("the message is not DEFLATE")]
    Deflate,
    /// More bytes than the limit, packed or unpacked.
    #[error("the message is too long")]
    TooLong,
}

/// The value of a form's `SAMLRequest` or `SAMLResponse`.
pub fn to_form(message: &str) -> String {
    BASE64.encode(message.as_bytes())
}

/// The message in the value of a form, of `most` bytes at most.
///
/// # Errors
/// See [`WireError`].
pub fn from_form(value: &str, most: usize) -> Result<Vec<u8>, WireError> {
    // Four symbols say three bytes; lines of 64 end in two more.
    if value.len() / 2 > most {
        return Err(WireError::TooLong);
    }
    // RFC 2045 §6.8: line ends in Base64 mean nothing.
    let bare: String = value.split_ascii_whitespace().collect();
    let message = BASE64.decode(bare.as_bytes()).map_err(|_| WireError::Base64)?;
    if message.len() > most {
        return Err(WireError::TooLong);
    }
    Ok(message)
}

/// The value of an address's `SAMLRequest` or `SAMLResponse`, still to be percent-encoded.
///
/// # Errors
/// [`WireError::Deflate`] where the message cannot be packed.
pub fn to_query(message: &str) -> Result<String, WireError> {
    let mut packed = Vec::with_capacity(message.len() + 64);
    let mut work = Compress::new(Compression::default(), false);
    let status = work.compress_vec(message.as_bytes(), &mut packed, FlushCompress::Finish);
    if !matches!(status, Ok(Status::StreamEnd)) {
        return Err(WireError::Deflate);
    }
    Ok(BASE64.encode(&packed))
}

/// The message in the value of an address, percent-decoded, of `most` bytes at most.
///
/// # Errors
/// See [`WireError`].
pub fn from_query(value: &str, most: usize) -> Result<Vec<u8>, WireError> {
    let packed = from_form(value, most)?;
    let mut message = Vec::with_capacity((packed.len() * 4).clamp(64, most.max(64)));
    let mut work = Decompress::new(false);
    loop {
        let read = usize::try_from(work.total_in()).unwrap_or(usize::MAX);
        let rest = packed.get(read..).unwrap_or(&[]);
        let before = message.len();
        let status = work.decompress_vec(rest, &mut message, FlushDecompress::None);
        if message.len() > most {
            return Err(WireError::TooLong);
        }
        match status {
            Ok(Status::StreamEnd) if work.total_in() == packed.len() as u64 => return Ok(message),
            Ok(Status::Ok | Status::BufError) if message.len() == message.capacity() => {
                message.reserve(message.len().max(64));
            }
            Ok(Status::Ok) if message.len() > before => {}
            // The end is missing, or something stands behind it.
            _ => return Err(WireError::Deflate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_from_a_form_and_from_an_address() {
        let long = "<a>é</a>".repeat(10_000);
        for message in ["", "x", "<a>é</a>", &long] {
            let form = to_form(message);
            assert_eq!(from_form(&form, 1_000_000).unwrap(), message.as_bytes());
            let lines = form.as_bytes().chunks(64).map(String::from_utf8_lossy);
            let wrapped = lines.collect::<Vec<_>>().join("\r\n");
            assert_eq!(from_form(&wrapped, 1_000_000).unwrap(), message.as_bytes());
            let query = to_query(message).unwrap();
            assert_eq!(from_query(&query, 1_000_000).unwrap(), message.as_bytes());
        }
    }

    #[test]
    fn attack_29_a_bomb_is_not_inflated_and_a_long_message_not_decoded() {
        let bomb = to_query(&" ".repeat(50_000_000)).unwrap();
        assert!(bomb.len() < 100_000);
        assert_eq!(from_query(&bomb, 100_000), Err(WireError::TooLong));
        assert_eq!(
            from_form(&"A".repeat(10_000_000), 512 * 1024),
            Err(WireError::TooLong)
        );
    }

    #[test]
    fn what_is_cut_off_or_goes_on_is_refused() {
        assert_eq!(from_form("!", 100), Err(WireError::Base64));
        assert_eq!(from_query("", 100), Err(WireError::Deflate));
        let packed = BASE64
            .decode(to_query(&"<a>é</a>".repeat(100)).unwrap().as_bytes())
            .unwrap();
        for length in 0..packed.len() {
            assert_eq!(
                from_query(&BASE64.encode(&packed[..length]), 10_000),
                Err(WireError::Deflate)
            );
        }
        let longer = [packed.as_slice(), b"x"].concat();
        assert_eq!(
            from_query(&BASE64.encode(&longer), 10_000),
            Err(WireError::Deflate)
        );
    }
}
