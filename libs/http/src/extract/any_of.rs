use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, IntoDeserializer, Visitor};
use serde::{Deserialize, Deserializer};

/// Maximum number of values of a list parameter, unless it has another.
const MAX_VALUES: usize = 50;

/// The values of a list parameter, written `a,b`. An item matches if it has one of them. At most `MAX`.
#[derive(Clone, Debug)]
pub struct AnyOf<T, const MAX: usize = MAX_VALUES>(pub Vec<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for AnyOf<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Commas(PhantomData))
    }
}

struct Commas<T, const MAX: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Commas<T, MAX> {
    type Value = AnyOf<T, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("values separated by commas")
    }

    fn visit_str<E: Error>(self, list: &str) -> Result<AnyOf<T, MAX>, E> {
        if list.contains('\0') {
            return Err(E::custom("must not contain U+0000"));
        }
        if list.split(',').count() > MAX {
            return Err(E::custom(format!("must have at most {MAX} values")));
        }
        let values = list.split(',').map(|value| T::deserialize(value.trim().to_owned().into_deserializer()));
        values.collect::<Result<_, E>>().map(AnyOf)
    }
}

#[cfg(test)]
mod tests {
    use serde::de::value::{Error, StrDeserializer};

    use super::*;

    fn read(text: &str) -> Result<AnyOf<String>, Error> {
        AnyOf::deserialize(StrDeserializer::new(text))
    }

    #[test]
    fn a_list_parameter_has_a_bound_s72() {
        assert_eq!(read("a, b").unwrap().0, ["a", "b"]);
        assert!(read(&"a,".repeat(MAX_VALUES - 1)).is_ok());
        assert!(read(&"a,".repeat(MAX_VALUES)).is_err());
        assert!(read(&",".repeat(33_000)).is_err());
    }
}
