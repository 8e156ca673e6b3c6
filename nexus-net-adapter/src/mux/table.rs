//! The streams of an engine by their ids. A stream that is over stays until its place is needed, the one that has
//! been over longest first, so that what comes late for it is still judged by its state.

use heapless::Deque;

use super::id::StreamId;
use super::slot::Stream;

/// Up to `N` streams, of which some are over.
#[derive(Debug)]
pub(super) struct Table<const N: usize> {
    /// The ids of `streams`, apart, because every frame is looked up by them.
    ids: [Option<StreamId>; N],
    streams: [Option<Stream>; N],
    /// Places that are empty or whose stream is over, the first to use first.
    free: Deque<u8, N>,
}

impl<const N: usize> Table<N> {
    /// A table of `places` places, at most `N`.
    pub(super) fn new(places: usize) -> Self {
        let mut free = Deque::new();
        for place in (0..places).map_while(|place| u8::try_from(place).ok()) {
            // Full when there are more places than the table has.
            if free.push_back(place).is_err() {
                break;
            }
        }
        Self { ids: [None; N], streams: [const { None }; N], free }
    }

    /// The place of `id`.
    pub(super) fn find(&self, id: StreamId) -> Option<u8> {
        self.ids.iter().position(|known| *known == Some(id)).and_then(|place| u8::try_from(place).ok())
    }

    /// The stream at `place`.
    pub(super) fn get(&self, place: u8) -> Option<&Stream> {
        self.streams.get(usize::from(place))?.as_ref()
    }

    /// The stream at `place`, to change it.
    pub(super) fn get_mut(&mut self, place: u8) -> Option<&mut Stream> {
        self.streams.get_mut(usize::from(place))?.as_mut()
    }

    /// Whether there is a place for one more.
    pub(super) fn has_room(&self) -> bool {
        !self.free.is_empty()
    }

    /// Puts `stream` where there is room, and says where.
    pub(super) fn insert(&mut self, stream: Stream) -> Option<u8> {
        let place = self.free.pop_front()?;
        *self.ids.get_mut(usize::from(place))? = Some(stream.id);
        *self.streams.get_mut(usize::from(place))? = Some(stream);
        Some(place)
    }

    /// The stream at `place` is over.
    pub(super) fn retire(&mut self, place: u8) {
        if !self.free.iter().any(|free| *free == place) {
            // There is room: each place is in it once.
            _ = self.free.push_back(place);
        }
    }

    /// Streams that are not over.
    pub(super) fn live(&self) -> usize {
        let places = self.streams.iter().zip(0u8..);
        places
            .filter(|(stream, place)| stream.is_some() && !self.free.iter().any(|free| free == place))
            .count()
    }

    /// Every stream, those that are over included, with its place.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u8, &Stream)> {
        (0u8..).zip(&self.streams).filter_map(|(place, stream)| Some((place, stream.as_ref()?)))
    }
}

#[cfg(test)]
mod tests;
