//! Every byte of an endpoint, its session and all that the world has on the heap, as they lie in memory: what no accessor
//! and no `Debug` shows is in it, keys and replay windows among them.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use harness::node::SESSIONS;
use harness::side::Side;
use udp_sec_recovery::endpoint::Tables;
use udp_sec_recovery::memory::Storage;

use crate::blocks;

const WORD: usize = size_of::<u64>();

/// Reads this process's own memory: the same bytes as a pointer would, without `unsafe` and with padding.
pub(crate) struct OwnMemory(File);

/// The bytes of one end, in words.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Image(Vec<u64>);

/// Where in memory one end lies, and which words of it count what was dropped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Places {
    /// Address and length of each part: the endpoint, its tables, and its session if it has one.
    parts: Vec<(u64, usize)>,
    /// The words of the image that hold the counters of rejects.
    rejects: std::ops::Range<usize>,
    /// All that the world has on the heap.
    heap: Vec<(u64, usize)>,
}

impl OwnMemory {
    pub(crate) fn open() -> io::Result<Self> {
        File::open("/proc/self/mem").map(Self)
    }

    /// The bytes of the end at `places` now; the counters of rejects as zeros.
    pub(crate) fn image(&self, places: &Places, room: &mut Vec<u8>, image: &mut Image) {
        self.read(&places.parts, room);
        image.0.clear();
        image
            .0
            .extend(room.chunks_exact(WORD).map(|word| u64::from_le_bytes(word.try_into().expect("eight"))));
        image.0[places.rejects.clone()].fill(0);
    }

    /// The bytes of the world's heap now, but for the session's: that is in the image.
    pub(crate) fn heap(&self, places: &Places) -> Vec<u8> {
        let in_image = |block: &&(u64, usize)| places.parts.iter().any(|part| part.0 == block.0);
        let heap: Vec<_> = places.heap.iter().filter(|block| !in_image(block)).copied().collect();
        let mut bytes = Vec::new();
        self.read(&heap, &mut bytes);
        bytes
    }

    fn read(&self, parts: &[(u64, usize)], room: &mut Vec<u8>) {
        room.resize(parts.iter().map(|(_, len)| len).sum(), 0);
        let mut rest = &mut room[..];
        for (address, len) in parts {
            let (part, behind) = rest.split_at_mut(*len);
            self.0.read_exact_at(part, *address).expect("our own memory");
            rest = behind;
        }
    }
}

impl Image {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.len() * WORD
    }

    /// The words that differ from `other`.
    pub(crate) fn differences(&self, other: &Self) -> Vec<usize> {
        assert_eq!(self.0.len(), other.0.len());
        (0..self.0.len()).filter(|word| self.0[*word] != other.0[*word]).collect()
    }

    pub(crate) fn word(&self, word: usize) -> u64 {
        self.0[word]
    }

    pub(crate) fn set(&mut self, word: usize, value: u64) {
        self.0[word] = value;
    }
}

impl Places {
    /// Where `side` lies: its endpoint, the tables behind that one's pointer, and the session behind another.
    pub(crate) fn of<S: Storage + Default>(side: &Side<S>, memory: &OwnMemory) -> Self {
        let endpoint = part(&side.endpoint);
        let rejects = part(side.endpoint.rejects());
        let first = usize::try_from(rejects.0 - endpoint.0).expect("inside") / WORD;
        let heap = blocks::live();
        let mut words = Vec::new();
        memory.read(&[endpoint], &mut words);
        let pointers: Vec<_> = words
            .chunks_exact(WORD)
            .map(|word| u64::from_le_bytes(word.try_into().expect("eight")))
            .collect();
        let is_tables = |block: &&(u64, usize)| {
            block.1 == size_of::<Tables<SESSIONS, SESSIONS>>() && pointers.contains(&block.0)
        };
        let tables = *heap.iter().find(is_tables).expect("the endpoint points to its tables");
        let session = side.session.and_then(|id| side.endpoint.peek(id)).map(part);
        let parts: Vec<_> = [Some(endpoint), Some(tables), session].into_iter().flatten().collect();
        assert!(parts.iter().all(|(_, len)| len % WORD == 0));
        Self { parts, rejects: first..first + rejects.1 / WORD, heap }
    }
}

fn part<T>(value: &T) -> (u64, usize) {
    ((&raw const *value).addr() as u64, size_of::<T>())
}

/// After as many visits the queue of sessions with something to do is back where it was.
pub(crate) const QUEUE_CYCLE: usize = SESSIONS;
