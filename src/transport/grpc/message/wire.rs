//! The protobuf wire format: tags, varints, blocks (length-delimited payloads) and groups.
//! Source: protobuf.dev/programming-guides/encoding.

use super::DEPTH_LIMIT;
use super::error::Fault;

pub(super) const VARINT: u32 = 0;
pub(super) const FIXED64: u32 = 1;
pub(super) const BLOCK: u32 = 2;
pub(super) const GROUP: u32 = 3;
pub(super) const GROUP_END: u32 = 4;
pub(super) const FIXED32: u32 = 5;

/// The tag of an item of a MessageSet, and those of what it holds: the number of an extension, and its message.
pub(super) const ITEM: u32 = 1 << 3 | GROUP;
pub(super) const ITEM_TYPE: u32 = 2 << 3 | VARINT;
pub(super) const ITEM_MESSAGE: u32 = 3 << 3 | BLOCK;

/// Enough zeros to read the default of any scalar from: 0, false, empty.
pub(super) const ZEROS: [u8; 8] = [0; 8];

/// Reads wire bytes from front to back. A copy is a place to come back to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'w> {
    pub(super) rest: &'w [u8],
}

impl<'w> Reader<'w> {
    pub(super) fn new(wire: &'w [u8]) -> Self {
        Self { rest: wire }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// A field number and wire type, as `number << 3 | wire type`.
    #[inline]
    pub(super) fn tag(&mut self) -> Result<u32, Fault> {
        let tag = u32::try_from(self.varint()?).map_err(|_| Fault::Tag)?;
        if tag < 8 { Err(Fault::Tag) } else { Ok(tag) }
    }

    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64, Fault> {
        match self.rest {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, Fault> {
        let mut value = 0;
        for (index, byte) in self.rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if *byte < 0x80 {
                self.rest = &self.rest[index + 1..];
                return Ok(value);
            }
        }
        Err(if self.rest.len() < 10 { Fault::Truncated } else { Fault::Varint })
    }

    pub(super) fn fixed32(&mut self) -> Result<u32, Fault> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(Fault::Truncated)?;
        self.rest = rest;
        Ok(u32::from_le_bytes(*bytes))
    }

    pub(super) fn fixed64(&mut self) -> Result<u64, Fault> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(Fault::Truncated)?;
        self.rest = rest;
        Ok(u64::from_le_bytes(*bytes))
    }

    /// A length and that many bytes.
    #[inline]
    pub(super) fn block(&mut self) -> Result<&'w [u8], Fault> {
        let length = usize::try_from(self.varint()?).map_err(|_| Fault::Truncated)?;
        let (block, rest) = self.rest.split_at_checked(length).ok_or(Fault::Truncated)?;
        self.rest = rest;
        Ok(block)
    }

    /// The inside of the group that `tag` began.
    pub(super) fn group(&mut self, tag: u32) -> Result<&'w [u8], Fault> {
        let inside = self.rest;
        let end = self.skip_group(tag, 0)?;
        Ok(&inside[..inside.len() - end])
    }

    /// Passes over the payload that belongs to `tag`.
    pub(super) fn skip(&mut self, tag: u32) -> Result<(), Fault> {
        self.skip_at(tag, 0)
    }

    fn skip_at(&mut self, tag: u32, depth: usize) -> Result<(), Fault> {
        match tag & 7 {
            VARINT => self.varint().map(drop),
            FIXED64 => self.fixed64().map(drop),
            BLOCK => self.block().map(drop),
            FIXED32 => self.fixed32().map(drop),
            GROUP => self.skip_group(tag, depth).map(drop),
            GROUP_END => Err(Fault::Group),
            _ => Err(Fault::Tag),
        }
    }

    /// Passes over a group; returns how many bytes were left before its end tag.
    fn skip_group(&mut self, tag: u32, depth: usize) -> Result<usize, Fault> {
        if depth == DEPTH_LIMIT {
            return Err(Fault::Depth);
        }
        loop {
            if self.is_empty() {
                return Err(Fault::Group);
            }
            let left = self.rest.len();
            let inner = self.tag()?;
            if inner == group_end(tag) {
                return Ok(left);
            }
            self.skip_at(inner, depth + 1)?;
        }
    }
}

/// The tag that ends the group that `tag` begins.
pub(super) fn group_end(tag: u32) -> u32 {
    tag & !7 | GROUP_END
}

pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

pub(super) fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

#[inline]
pub(super) fn varint_into(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Begins a block whose length is not known yet: one byte is kept for it, enough for most.
/// Returns where the block begins, for [`close_block`].
pub(super) fn open_block(out: &mut Vec<u8>) -> usize {
    out.push(0);
    out.len()
}

/// Ends a block: writes its length before it, and moves the block when one byte was not enough.
pub(super) fn close_block(out: &mut Vec<u8>, start: usize) {
    let end = out.len();
    let mut length = end - start;
    if length >= 0x80 {
        let more = (length.ilog2() / 7) as usize;
        out.resize(end + more, 0);
        out.copy_within(start..end, start + more);
    }
    let mut at = start - 1;
    while length >= 0x80 {
        out[at] = length as u8 | 0x80;
        length >>= 7;
        at += 1;
    }
    out[at] = length as u8;
}

#[cfg(test)]
mod tests {
    use super::super::error::Fault;
    use super::{Reader, close_block, open_block, unzigzag, varint_into, zigzag};

    #[test]
    fn a_block_reads_back_at_every_width_of_its_length() {
        for length in [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152] {
            let mut out = b"before".to_vec();
            let start = open_block(&mut out);
            out.extend((0..length).map(|n| n as u8));
            close_block(&mut out, start);
            let mut reader = Reader::new(&out[6..]);
            let block = reader.block().expect("a block");
            assert!(reader.is_empty() && block.len() == length);
            assert!(block.iter().enumerate().all(|(n, byte)| *byte == n as u8));
        }
    }

    #[test]
    fn varints_read_back_and_stop_at_ten_bytes() {
        for value in [0, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            varint_into(&mut out, value);
            assert_eq!(Reader::new(&out).varint(), Ok(value));
            out.pop();
            assert_eq!(Reader::new(&out).varint(), Err(Fault::Truncated));
        }
        assert_eq!(Reader::new(&[0xff; 11]).varint(), Err(Fault::Varint));
    }

    #[test]
    fn a_length_beyond_the_message_is_refused() {
        assert_eq!(Reader::new(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01a").block(), Err(Fault::Truncated));
    }

    #[test]
    fn a_group_ends_at_its_own_end_tag() {
        let mut reader = Reader::new(b"\x13\x08\x01\x14\x0c\x10\x07");
        assert_eq!(reader.group(0x0b), Ok(&b"\x13\x08\x01\x14"[..]));
        assert_eq!(reader.rest, b"\x10\x07");
        assert_eq!(Reader::new(b"\x08\x01").group(0x0b), Err(Fault::Group));
        assert_eq!(Reader::new(b"\x14").group(0x0b), Err(Fault::Group));
        assert_eq!(Reader::new(&[0x0b; 1_000]).group(0x0b), Err(Fault::Depth));
    }

    #[test]
    fn zigzag_goes_there_and_back() {
        for value in [0, -1, 1, i64::MIN, i64::MAX] {
            assert_eq!(unzigzag(zigzag(value)), value);
        }
        assert_eq!(zigzag(-1), 1);
    }
}
