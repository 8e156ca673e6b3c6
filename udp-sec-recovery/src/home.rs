//! Where a large value lies, so that only a pointer to it is moved.

use alloc::boxed::Box;
use core::ops::{Deref, DerefMut};

/// A value in a static that was lent for good, or on the heap. Nothing here allocates: whoever has a heap brings the box.
#[derive(Debug)]
pub enum Home<T: 'static> {
    /// In a static.
    Static(&'static mut T),
    /// On the heap.
    Heap(Box<T>),
}

impl<T> Deref for Home<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Static(value) => value,
            Self::Heap(value) => value,
        }
    }
}

impl<T> DerefMut for Home<T> {
    fn deref_mut(&mut self) -> &mut T {
        match self {
            Self::Static(value) => value,
            Self::Heap(value) => value,
        }
    }
}

impl<T> From<&'static mut T> for Home<T> {
    fn from(value: &'static mut T) -> Self {
        Self::Static(value)
    }
}

impl<T> From<Box<T>> for Home<T> {
    fn from(value: Box<T>) -> Self {
        Self::Heap(value)
    }
}
