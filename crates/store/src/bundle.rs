//! The file of one bundle: a header in clear, then blocks under AES-256-GCM with a key of the
//! bundle's own (from the identity and a random salt). A block's nonce is its number; header,
//! number and whether it is the last are authenticated with it, so blocks cannot be moved, cut off
//! or mixed.

use super::disk::{DiskFile, wipe};
use super::error::StoreError;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sha2::{Digest, Sha256};
use std::io;
use twain_link::identity::{Fingerprint, Identity};
use twain_party::Role;
use zeroize::Zeroizing;

const MAGIC: [u8; 16] = *b"twain bundle v2\n";
/// Magic, identifier, plan, two keys, salt, index, time, length of a block, role.
pub(super) const HEADER_LENGTH: usize = 16 + 5 * 32 + 8 + 8 + 4 + 1;
const TAG_LENGTH: usize = 16;
/// Bytes of payload in a block.
pub(super) const BLOCK_LENGTH: u32 = 1 << 20;
const LONGEST_BLOCK: u32 = 1 << 24;

/// What a bundle is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) id: [u8; 32],
    pub(super) plan: [u8; 32],
    pub(super) model: Fingerprint,
    pub(super) data: Fingerprint,
    pub(super) salt: [u8; 32],
    pub(super) index: u64,
    /// When it was made, in seconds since 1970 by this side's clock.
    pub(super) made: u64,
    pub(super) block_length: u32,
    pub(super) role: Role,
}

impl Header {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for part in [&self.id, &self.plan, &self.model.0, &self.data.0, &self.salt] {
            bytes.extend(part);
        }
        bytes.extend(self.index.to_le_bytes());
        bytes.extend(self.made.to_le_bytes());
        bytes.extend(self.block_length.to_le_bytes());
        bytes.push(match self.role {
            Role::Model => b'M',
            Role::Data => b'D',
        });
        bytes
    }

    pub(super) fn decode(bytes: &[u8; HEADER_LENGTH]) -> Option<Self> {
        let rest = bytes.strip_prefix(&MAGIC)?;
        let (id, rest) = rest.split_first_chunk()?;
        let (plan, rest) = rest.split_first_chunk()?;
        let (model, rest) = rest.split_first_chunk()?;
        let (data, rest) = rest.split_first_chunk()?;
        let (salt, rest) = rest.split_first_chunk()?;
        let (index, rest) = rest.split_first_chunk()?;
        let (made, rest) = rest.split_first_chunk()?;
        let (block_length, rest) = rest.split_first_chunk()?;
        let role = match rest {
            b"M" => Role::Model,
            b"D" => Role::Data,
            _ => return None,
        };
        let block_length = u32::from_le_bytes(*block_length);
        Some(Self {
            id: *id,
            plan: *plan,
            model: Fingerprint(*model),
            data: Fingerprint(*data),
            salt: *salt,
            index: u64::from_le_bytes(*index),
            made: u64::from_le_bytes(*made),
            block_length,
            role,
        })
        .filter(|_| (1..=LONGEST_BLOCK).contains(&block_length))
    }

    /// Reads the header of a bundle's file; none if it has none.
    pub(super) fn read(file: &dyn DiskFile) -> io::Result<Option<Self>> {
        if file.length()? < HEADER_LENGTH as u64 {
            return Ok(None);
        }
        let mut bytes = [0; HEADER_LENGTH];
        file.read_at(0, &mut bytes)?;
        Ok(Self::decode(&bytes))
    }
}

/// Seals and opens a bundle's blocks.
struct Cipher {
    key: LessSafeKey,
    header_digest: [u8; 32],
}

impl Cipher {
    fn new(identity: &Identity, header: &Header) -> Result<Self, StoreError> {
        let key = identity.derive_key(&header.salt, b"store bundle")?;
        let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).map_err(|_| StoreError::Cipher)?;
        Ok(Self {
            key: LessSafeKey::new(key),
            header_digest: Sha256::digest(header.encode()).into(),
        })
    }

    fn nonce(number: u64) -> Nonce {
        let mut nonce = [0; 12];
        nonce[..8].copy_from_slice(&number.to_le_bytes());
        Nonce::assume_unique_for_key(nonce)
    }

    fn associated(&self, last: bool) -> Aad<[u8; 33]> {
        let mut bytes = [0; 33];
        bytes[..32].copy_from_slice(&self.header_digest);
        bytes[32] = u8::from(last);
        Aad::from(bytes)
    }

    fn seal(&self, number: u64, last: bool, block: &mut Vec<u8>) -> Result<(), StoreError> {
        self.key
            .seal_in_place_append_tag(Self::nonce(number), self.associated(last), block)
            .map_err(|_| StoreError::Cipher)
    }

    fn open(&self, number: u64, last: bool, block: &mut Vec<u8>) -> Result<(), StoreError> {
        let opened = self.key.open_in_place(Self::nonce(number), self.associated(last), block);
        let length = opened.map_err(|_| StoreError::Damaged("a block of the bundle"))?.len();
        block.truncate(length);
        Ok(())
    }
}

/// Writes the payload of a new bundle.
pub(super) struct BlockWriter {
    file: Box<dyn DiskFile>,
    cipher: Cipher,
    block_length: usize,
    block: Zeroizing<Vec<u8>>,
    number: u64,
    offset: u64,
}

impl BlockWriter {
    pub(super) fn new(
        file: Box<dyn DiskFile>,
        identity: &Identity,
        header: &Header,
    ) -> Result<Self, StoreError> {
        let bytes = header.encode();
        file.write_at(0, &bytes)?;
        let block_length = header.block_length as usize;
        // With room for the tag, so that the plaintext is never moved to other memory.
        let block = Zeroizing::new(Vec::with_capacity(block_length + TAG_LENGTH));
        let (cipher, offset) = (Cipher::new(identity, header)?, bytes.len() as u64);
        Ok(Self { file, cipher, block_length, block, number: 0, offset })
    }

    pub(super) fn write(&mut self, mut payload: &[u8]) -> Result<(), StoreError> {
        while !payload.is_empty() {
            // A full block is kept until more comes: it might be the last.
            if self.block.len() == self.block_length {
                self.flush(false)?;
            }
            let room = self.block_length - self.block.len();
            let (part, rest) = payload.split_at(room.min(payload.len()));
            self.block.extend_from_slice(part);
            payload = rest;
        }
        Ok(())
    }

    fn flush(&mut self, last: bool) -> Result<(), StoreError> {
        self.cipher.seal(self.number, last, &mut self.block)?;
        self.file.write_at(self.offset, &self.block)?;
        self.offset += self.block.len() as u64;
        self.number += 1;
        self.block.clear();
        Ok(())
    }

    /// Writes the last block and makes all of it last.
    pub(super) fn finish(mut self) -> Result<(), StoreError> {
        self.flush(true)?;
        Ok(self.file.sync()?)
    }
}

/// Reads the payload of a bundle, once: what was read is overwritten.
pub(super) struct BlockReader {
    file: Box<dyn DiskFile>,
    cipher: Cipher,
    block_length: u64,
    block: Zeroizing<Vec<u8>>,
    taken: usize,
    number: u64,
    offset: u64,
    length: u64,
}

impl BlockReader {
    pub(super) fn new(
        file: Box<dyn DiskFile>,
        identity: &Identity,
        header: &Header,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            length: file.length()?,
            file,
            cipher: Cipher::new(identity, header)?,
            block_length: u64::from(header.block_length),
            block: Zeroizing::new(Vec::new()),
            taken: 0,
            number: 0,
            offset: HEADER_LENGTH as u64,
        })
    }

    /// Fills as much of `payload` as there is, at most.
    pub(super) fn read(&mut self, payload: &mut [u8]) -> Result<usize, StoreError> {
        if self.taken == self.block.len() && !self.next_block()? {
            return Ok(0);
        }
        let available = &self.block[self.taken..];
        let count = available.len().min(payload.len());
        payload[..count].copy_from_slice(&available[..count]);
        self.taken += count;
        Ok(count)
    }

    /// Takes the next block off the file; false at the end.
    fn next_block(&mut self) -> Result<bool, StoreError> {
        let left = self.length - self.offset;
        if left == 0 && self.number > 0 {
            return Ok(false);
        }
        let sealed = left.min(self.block_length + TAG_LENGTH as u64);
        let mut block = Zeroizing::new(vec![0; sealed as usize]); // at most LONGEST_BLOCK and a tag
        self.file.read_at(self.offset, &mut block)?;
        self.cipher.open(self.number, sealed == left, &mut block)?;
        self.file.write_at(self.offset, &vec![0; sealed as usize])?;
        self.block = block;
        self.taken = 0;
        self.number += 1;
        self.offset += sealed;
        Ok(!self.block.is_empty())
    }

    /// Overwrites what was not read.
    pub(super) fn wipe(&self) -> io::Result<()> {
        wipe(self.file.as_ref(), 0)?;
        self.file.sync()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulated::SimulatedDisk;
    use proptest::prelude::*;

    use crate::disk::Disk;

    fn header(block_length: u32) -> Header {
        Header {
            id: [1; 32],
            plan: [2; 32],
            model: Fingerprint([3; 32]),
            data: Fingerprint([4; 32]),
            salt: [5; 32],
            index: 6,
            made: 7,
            block_length,
            role: Role::Data,
        }
    }

    fn identity() -> Identity {
        let directory = tempfile::tempdir().expect("temporary directory");
        Identity::load_or_create(directory.path()).expect("made")
    }

    fn write(disk: &SimulatedDisk, identity: &Identity, header: &Header, payload: &[u8]) {
        let file = disk.create("bundle").expect("made");
        let mut writer = BlockWriter::new(file, identity, header).expect("begun");
        for part in payload.chunks(7) {
            writer.write(part).expect("written");
        }
        writer.finish().expect("finished");
    }

    fn read(
        disk: &SimulatedDisk,
        identity: &Identity,
        header: &Header,
    ) -> Result<Vec<u8>, StoreError> {
        let mut reader = BlockReader::new(disk.open("bundle")?, identity, header)?;
        let (mut payload, mut part) = (Vec::new(), [0; 11]);
        loop {
            match reader.read(&mut part)? {
                0 => return Ok(payload),
                count => payload.extend(&part[..count]),
            }
        }
    }

    #[test]
    fn payloads_round_trip_once() {
        let identity = identity();
        for length in [0, 1, 15, 16, 17, 32, 100] {
            let disk = SimulatedDisk::default();
            let payload: Vec<u8> = (0..length).collect();
            write(&disk, &identity, &header(16), &payload);
            assert_eq!(read(&disk, &identity, &header(16)).expect("whole"), payload);
            // Consumed blocks are overwritten.
            assert!(read(&disk, &identity, &header(16)).is_err());
        }
    }

    #[test]
    fn another_key_or_header_opens_nothing() {
        let (identity, other) = (identity(), self::identity());
        let disk = SimulatedDisk::default();
        write(&disk, &identity, &header(16), b"secret");
        assert!(read(&disk, &other, &header(16)).is_err());
        let mut wrong = header(16);
        wrong.index += 1;
        assert!(read(&disk, &identity, &wrong).is_err());
        assert_eq!(read(&disk, &identity, &header(16)).expect("whole"), b"secret");
    }

    proptest! {
        #[test]
        fn any_change_is_noticed(position in 0usize..200, cut: bool) {
            let identity = identity();
            let disk = SimulatedDisk::default();
            write(&disk, &identity, &header(16), &[9; 60]);
            let file = disk.open("bundle").expect("exists");
            let length = file.length().expect("known") as usize;
            let position = HEADER_LENGTH + position % (length - HEADER_LENGTH);
            if cut {
                disk.truncate("bundle", position);
            } else {
                let mut byte = [0; 1];
                file.read_at(position as u64, &mut byte).expect("read");
                file.write_at(position as u64, &[byte[0] ^ 1]).expect("written");
            }
            prop_assert!(read(&disk, &identity, &header(16)).is_err());
        }

        #[test]
        fn any_header_decodes_without_panic(bytes: Vec<u8>) {
            let mut padded = [0; HEADER_LENGTH];
            let count = bytes.len().min(HEADER_LENGTH - MAGIC.len());
            padded[..MAGIC.len()].copy_from_slice(&MAGIC);
            padded[MAGIC.len()..][..count].copy_from_slice(&bytes[..count]);
            if let Some(header) = Header::decode(&padded) {
                prop_assert_eq!(&header.encode(), &padded);
            }
        }
    }

    #[test]
    fn headers_round_trip() {
        let header = header(16);
        let bytes = header.encode();
        assert_eq!(Header::decode(&bytes.try_into().expect("length")), Some(header));
    }
}
