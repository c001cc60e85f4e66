//! A JSON parser. serde_json either loses digits of large numbers, or parses the text of each level again.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{Json, JsonError, MAX_DEPTH, canonical_number};

impl Json {
    /// Parses a value that serde has already found to be valid JSON.
    ///
    /// # Errors
    /// If the value nests too deep.
    pub fn parse(raw: &RawValue) -> Result<Self, JsonError> {
        Self::parse_text(raw.get())
    }

    /// Parses a text that should be one JSON value.
    ///
    /// # Errors
    /// If the text is not JSON or nests too deep.
    pub fn parse_text(text: &str) -> Result<Self, JsonError> {
        let mut parser = Parser { text, at: 0 };
        let value = parser.value(0)?;
        parser.skip_space();
        if parser.at == text.len() { Ok(value) } else { Err(JsonError::Invalid) }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Skips white space, and then `byte` if it comes next. Returns whether `byte` came next.
    fn takes(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Json, JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError::TooDeep);
        }
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Json::String),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(JsonError::Invalid),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.at += 1;
        let mut fields = BTreeMap::new();
        if self.takes(b'}') {
            return Ok(Json::Object(fields));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(JsonError::Invalid);
            }
            let key = self.string()?;
            if !self.takes(b':') {
                return Err(JsonError::Invalid);
            }
            fields.insert(key, self.value(depth + 1)?);
            if self.takes(b'}') {
                return Ok(Json::Object(fields));
            }
            if !self.takes(b',') {
                return Err(JsonError::Invalid);
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.at += 1;
        let mut items = Vec::new();
        if self.takes(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.takes(b']') {
                return Ok(Json::Array(items));
            }
            if !self.takes(b',') {
                return Err(JsonError::Invalid);
            }
        }
    }

    fn string(&mut self) -> Result<String, JsonError> {
        let start = self.at;
        self.at += 1;
        let mut is_plain = true;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    is_plain = false;
                    self.at += 2;
                }
                Some(0..0x20) | None => return Err(JsonError::Invalid),
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let quoted = self.text.get(start..self.at).ok_or(JsonError::Invalid)?;
        if is_plain {
            return Ok(quoted[1..quoted.len() - 1].into());
        }
        serde_json::from_str(quoted).map_err(|_error| JsonError::Invalid)
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, JsonError> {
        if !self.text[self.at..].starts_with(word) {
            return Err(JsonError::Invalid);
        }
        self.at += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Result<Json, JsonError> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let whole = self.digits()?;
        if whole > 1 && self.text.as_bytes()[self.at - whole] == b'0' {
            return Err(JsonError::Invalid);
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(Json::Number(canonical_number(&self.text[start..self.at])))
    }

    fn digits(&mut self) -> Result<usize, JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(JsonError::Invalid) } else { Ok(self.at - start) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json(text: &str) -> Json {
        Json::parse_text(text).unwrap()
    }

    #[test]
    fn large_integers_keep_every_digit() {
        let text = r#"{"n":9007199254740993,"m":123456789012345678901234567890123}"#;
        assert_eq!(json(text).get("n"), Some(&Json::Number("9007199254740993".into())));
        assert_ne!(json("123456789012345678901234567890"), json("123456789012345678901234567891"));
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(Json::parse_text(&deep(MAX_DEPTH)).is_ok());
        assert_eq!(Json::parse_text(&deep(MAX_DEPTH + 2)), Err(JsonError::TooDeep));
    }

    #[test]
    fn text_that_is_not_json_is_refused() {
        for text in
            ["", "{", "[1,]", "01", "1 2", "nul", "\"a", "\"\\", "{a:1}", "\"\u{1}\"", "-", "1.", "\"\\é"]
        {
            assert_eq!(Json::parse_text(text), Err(JsonError::Invalid), "{text}");
        }
    }

    proptest! {
        #[test]
        fn integers_and_text_survive_a_round_trip(number: i64, text: String) {
            let source = serde_json::json!({"n": number, "t": text, "l": [number, null, true]}).to_string();
            let again: serde_json::Value = serde_json::from_str(&json(&source).to_text()).unwrap();
            prop_assert_eq!(again, serde_json::from_str::<serde_json::Value>(&source).unwrap());
        }

        #[test]
        fn serde_and_this_parser_agree_on_what_is_json(text in r#"[\[\]{}:,"\\a0-9.eE+ tfn-]{0,12}"#) {
            let serde = serde_json::from_str::<serde_json::Value>(&text);
            // serde_json refuses numbers beyond the range of a float.
            let is_huge = serde.as_ref().is_err_and(|error| error.to_string().contains("out of range"));
            prop_assert_eq!(Json::parse_text(&text).is_ok(), serde.is_ok() || is_huge);
        }
    }
}
