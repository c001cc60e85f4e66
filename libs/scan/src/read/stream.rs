//! Visits the elements of a JSON array or object one by one, so that a large one is never in memory.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{Deserialize, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::ScanError;

/// Calls `visit` with each element of an array.
pub(super) fn each_item<'a, T: Deserialize<'a>>(
    array: &'a RawValue,
    visit: impl FnMut(T) -> Result<(), ScanError>,
) -> Result<(), ScanError> {
    let mut refusal = None;
    let items = Items { visit, refusal: &mut refusal, item: PhantomData };
    let outcome = serde_json::Deserializer::from_str(array.get()).deserialize_seq(items);
    refusal.map_or_else(|| Ok(outcome?), Err)
}

/// Calls `visit` with each field of an object.
pub(super) fn each_field<'a, T: Deserialize<'a>>(
    object: &'a RawValue,
    visit: impl FnMut(String, T) -> Result<(), ScanError>,
) -> Result<(), ScanError> {
    let mut refusal = None;
    let fields = Fields { visit, refusal: &mut refusal, value: PhantomData };
    let outcome = serde_json::Deserializer::from_str(object.get()).deserialize_map(fields);
    refusal.map_or_else(|| Ok(outcome?), Err)
}

/// Carries an error of `visit` past serde in `refusal`, because serde's own errors are only text.
struct Items<'r, T, F> {
    visit: F,
    refusal: &'r mut Option<ScanError>,
    item: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>, F: FnMut(T) -> Result<(), ScanError>> Visitor<'de> for Items<'_, T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element()? {
            (self.visit)(item).map_err(|refusal| refuse(self.refusal, refusal))?;
        }
        Ok(())
    }
}

struct Fields<'r, T, F> {
    visit: F,
    refusal: &'r mut Option<ScanError>,
    value: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>, F: FnMut(String, T) -> Result<(), ScanError>> Visitor<'de>
    for Fields<'_, T, F>
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        while let Some((key, value)) = fields.next_entry()? {
            (self.visit)(key, value).map_err(|refusal| refuse(self.refusal, refusal))?;
        }
        Ok(())
    }
}

fn refuse<E: Error>(slot: &mut Option<ScanError>, refusal: ScanError) -> E {
    *slot = Some(refusal);
    E::custom("refused")
}
