//! The boot arguments: one property of the flattened device tree (Devicetree Specification 0.4, section 5).

use core::ffi::CStr;

const MAGIC: u32 = 0xd00d_feed;
/// The tree is not larger than this, whatever its header says.
const SIZE_MAX: usize = 1 << 20;

// Tokens of the structure block.
const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROPERTY: u32 = 3;
const NOTHING: u32 = 4;

/// `/chosen/bootargs` of the tree at `tree`; empty if there is none.
///
/// # Safety
/// `tree` is what the firmware has handed over: null, or a device tree that nobody changes any more.
pub unsafe fn boot_arguments(tree: *const u8) -> &'static str {
    if tree.is_null() {
        return "";
    }
    // SAFETY: a tree has a header, of which the second word is its size.
    let header = unsafe { core::slice::from_raw_parts(tree, 8) };
    let size = match (word(header, 0), word(header, 4)) {
        (Some(MAGIC), Some(size)) => (size as usize).min(SIZE_MAX),
        _ => return "",
    };
    // SAFETY: as large as it says.
    let tree = unsafe { core::slice::from_raw_parts(tree, size) };
    find(tree).unwrap_or_default()
}

fn find(tree: &[u8]) -> Option<&str> {
    let structure = tree.get(word(tree, 8)? as usize..)?;
    let names = tree.get(word(tree, 12)? as usize..)?;
    let (mut at, mut depth, mut chosen) = (0_usize, 0_u32, false);
    loop {
        let token = word(structure, at)?;
        at += 4;
        match token {
            BEGIN_NODE => {
                let name = CStr::from_bytes_until_nul(structure.get(at..)?).ok()?;
                at += (name.count_bytes() + 1).next_multiple_of(4);
                depth += 1;
                chosen = depth == 2 && name == c"chosen";
            }
            END_NODE => {
                depth = depth.checked_sub(1)?;
                chosen = false;
            }
            PROPERTY => {
                let (len, name) = (word(structure, at)? as usize, word(structure, at + 4)? as usize);
                let value = structure.get(at + 8..at + 8 + len)?;
                if chosen && CStr::from_bytes_until_nul(names.get(name..)?).ok()? == c"bootargs" {
                    return CStr::from_bytes_until_nul(value).ok()?.to_str().ok();
                }
                at += 8 + len.next_multiple_of(4);
            }
            NOTHING => {}
            _ => return None,
        }
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}
