//! Both encodings: exact vectors, seeded round trips, and bytes that nobody should send.

use super::*;
use crate::number::Number;

fn number(text: &str) -> Value {
    Value::Number(Number::parse(text).unwrap())
}

fn packed(value: &Value, ty: &Type) -> Vec<u8> {
    let mut out = Vec::new();
    msgpack::encode(value, ty, &mut out).unwrap();
    out
}

#[test]
fn values_are_written_as_terraform_writes_them() {
    let cases: [(Value, Type, &[u8]); 13] = [
        (Value::Null, Type::String, &[0xc0]),
        (Value::Unknown, Type::String, &[0xd4, 0, 0]),
        (Value::Bool(true), Type::Bool, &[0xc3]),
        (Value::from("ä"), Type::String, &[0xa2, 0xc3, 0xa4]),
        (number("7"), Type::Number, &[0x07]),
        (number("-1"), Type::Number, &[0xff]),
        (number("300"), Type::Number, &[0xcd, 0x01, 0x2c]),
        (number("0.5"), Type::Number, &[0xcb, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0]),
        (number("0.1"), Type::Number, b"\xa30.1"),
        (
            Value::List(vec![Value::from("a")]),
            Type::set(Type::String),
            b"\x91\xa1a",
        ),
        (
            Value::object([("k", Value::Bool(false))]),
            Type::map(Type::Bool),
            b"\x81\xa1k\xc2",
        ),
        (
            Value::object([("b", Value::Unknown)]),
            Type::object([("a", Type::Bool), ("b", Type::Bool)]),
            b"\x82\xa1a\xc0\xa1b\xd4\0\0",
        ),
        (
            Value::dynamic(Type::String, Value::from("x")),
            Type::Dynamic,
            b"\x92\xc4\x08\"string\"\xa1x",
        ),
    ];
    for (value, ty, bytes) in cases {
        assert_eq!(packed(&value, &ty), bytes, "{value:?}");
    }
}

#[test]
fn every_form_of_a_number_reads_exactly() {
    let cases: [(&[u8], &str); 9] = [
        (&[0xcc, 0xff], "255"),
        (
            &[0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            "18446744073709551615",
        ),
        (&[0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0], "-9223372036854775808"),
        (&[0xd0, 0x80], "-128"),
        (&[0xd1, 0x80, 0], "-32768"),
        (&[0xca, 0x3f, 0, 0, 0], "0.5"),
        (&[0xcb, 0x40, 0x45, 0, 0, 0, 0, 0, 0], "42"),
        (
            b"\xd9\x1e123456789012345678901234567890",
            "123456789012345678901234567890",
        ),
        (b"\xa61e+400", "1e400"),
    ];
    for (bytes, text) in cases {
        assert_eq!(msgpack::decode(bytes, &Type::Number).unwrap(), number(text), "{text}");
    }
}

#[test]
fn what_is_known_of_an_unknown_value_is_dropped() {
    // Extension 12 with the map {1: false, 2: "arn:"}: not null, and a known prefix.
    let refined = b"\xc7\x09\x0c\x82\x01\xc2\x02\xa4arn:";
    assert_eq!(msgpack::decode(refined, &Type::String).unwrap(), Value::Unknown);
    let mut list = vec![0x92];
    list.extend_from_slice(refined);
    list.extend_from_slice(b"\xa1x");
    let read = msgpack::decode(&list, &Type::list(Type::String)).unwrap();
    assert_eq!(read, Value::List(vec![Value::Unknown, Value::from("x")]));
}

#[test]
fn an_error_names_the_attribute() {
    let ty = Type::object([(
        "rules",
        Type::list(Type::object([
            ("tags", Type::map(Type::Number)),
            ("ports", Type::set(Type::Number)),
        ])),
    )]);
    let bad = Type::object([(
        "rules",
        Type::list(Type::object([
            ("tags", Type::map(Type::String)),
            ("ports", Type::set(Type::Number)),
        ])),
    )]);
    let value = Value::object([(
        "rules",
        Value::List(vec![Value::object([
            ("tags", Value::object([("a.b", Value::from("many"))])),
            ("ports", Value::List(vec![])),
        ])]),
    )]);
    let read = msgpack::decode(&packed(&value, &bad), &ty).unwrap_err();
    assert_eq!(read.path().to_string(), "rules[0].tags[\"a.b\"]");
    assert_eq!(read.reason, "expected number, found text that is no number");
    let mut out = Vec::new();
    let written = msgpack::encode(&value, &ty, &mut out).unwrap_err();
    assert_eq!(written.path().to_string(), "rules[0].tags[\"a.b\"]");
    assert_eq!(written.reason, "expected number, found a string");
    let json = br#"{"rules":[{"tags":{"a.b":"many"},"ports":[]}]}"#;
    let read = json::decode(json, &ty, json::Undefined::Refused).unwrap_err();
    assert_eq!(read.path().to_string(), "rules[0].tags[\"a.b\"]");
}

#[test]
fn an_object_has_exactly_its_attributes() {
    let ty = Type::object([("a", Type::Bool), ("b", Type::Bool)]);
    let reason = |bytes: &[u8]| msgpack::decode(bytes, &ty).unwrap_err().reason;
    assert_eq!(reason(b"\x81\xa1a\xc2"), "the attribute `b` is missing");
    assert_eq!(reason(b"\x81\xa1c\xc2"), "there is no attribute `c`");
    assert_eq!(reason(b"\x82\xa1a\xc2\xa1a\xc2"), "the attribute `a` stands twice");
    let stray = Value::object([("c", Value::Null)]);
    assert_eq!(
        msgpack::encode(&stray, &ty, &mut Vec::new()).unwrap_err().reason,
        "there is no attribute `c`"
    );
    let reason = |json: &str| {
        json::decode(json.as_bytes(), &ty, json::Undefined::Refused)
            .unwrap_err()
            .reason
    };
    assert!(reason(r#"{"a":true}"#).starts_with("the attribute `b` is missing"));
    assert!(reason(r#"{"a":true,"b":null,"c":1}"#).starts_with("there is no attribute `c`"));
}

#[test]
fn stored_state_may_lack_new_attributes_and_have_dropped_ones() {
    let ty = Type::object([("a", Type::Number), ("b", Type::String)]);
    let read = decode_stored(br#"{"a": 123456789012345678901234567890.5, "gone": {"x": [1]}}"#, &ty).unwrap();
    assert_eq!(
        read,
        Value::object([("a", number("123456789012345678901234567890.5")), ("b", Value::Null)])
    );
}

#[test]
fn a_value_of_any_type_brings_its_type_in_json_too() {
    let read = decode_stored(
        br#"{"value": [1, "x"], "type": ["tuple", ["number", "string"]]}"#,
        &Type::Dynamic,
    );
    let expected = Value::List(vec![number("1"), Value::from("x")]);
    assert_eq!(
        read.unwrap(),
        Value::dynamic(Type::Tuple(vec![Type::Number, Type::String]), expected)
    );
}

#[test]
fn a_claimed_length_costs_nothing() {
    let claims: [(&[u8], Type); 5] = [
        (&[0xdd, 0xff, 0xff, 0xff, 0xff], Type::list(Type::String)),
        (&[0xdf, 0xff, 0xff, 0xff, 0xff], Type::map(Type::String)),
        (&[0xdb, 0xff, 0xff, 0xff, 0xff], Type::String),
        (&[0xc9, 0xff, 0xff, 0xff, 0xff, 0], Type::String),
        (&[0x92, 0xc6, 0xff, 0xff, 0xff, 0xff], Type::Dynamic),
    ];
    for (bytes, ty) in claims {
        assert_eq!(
            msgpack::decode(bytes, &ty).unwrap_err().reason,
            "the value ends in the middle",
            "{ty}"
        );
    }
}

#[test]
fn endless_nesting_is_refused() {
    let once = b"\x92\xc4\x09\"dynamic\"";
    let deep: Vec<u8> = once.iter().copied().cycle().take(once.len() * 100_000).collect();
    assert!(
        msgpack::decode(&deep, &Type::Dynamic)
            .unwrap_err()
            .reason
            .contains("deeper")
    );
    let deep = format!(
        "{}null{}",
        r#"{"type":"dynamic","value":"#.repeat(2_000),
        "}".repeat(2_000)
    );
    assert!(
        decode_stored(deep.as_bytes(), &Type::Dynamic)
            .unwrap_err()
            .reason
            .contains("deeper")
    );
}

/// A small generator of reproducible randomness (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }

    fn ty(&mut self, depth: usize) -> Type {
        match self.below(if depth == 0 { 4 } else { 9 }) {
            0 => Type::Bool,
            1 => Type::Number,
            2 => Type::String,
            3 => Type::Dynamic,
            4 => Type::list(self.ty(depth - 1)),
            5 => Type::set(self.ty(depth - 1)),
            6 => Type::map(self.ty(depth - 1)),
            7 => Type::Object(
                (0..self.below(4))
                    .map(|i| (format!("a{i}"), self.ty(depth - 1)))
                    .collect(),
            ),
            _ => Type::Tuple((0..self.below(4)).map(|_| self.ty(depth - 1)).collect()),
        }
    }

    fn text(&mut self) -> String {
        let length = [0, 1, 31, 32, 255, 256, 70_000][self.below(7)].min(40 + self.below(300));
        (0..length)
            .map(|_| ['a', '"', '\\', '\n', 'ü', '😀', '\0'][self.below(7)])
            .collect()
    }

    fn number(&mut self) -> Value {
        let digits = |random: &mut Self, most| -> String {
            (0..=random.below(most))
                .map(|_| char::from(b'0' + random.below(10) as u8))
                .collect()
        };
        let sign = ["", "-"][self.below(2)];
        number(&match self.below(4) {
            0 => format!("{sign}{}", digits(self, 3)),
            1 => format!("{sign}{}", digits(self, 40)),
            2 => format!("{sign}{}.{}", digits(self, 20), digits(self, 20)),
            _ => format!("{sign}{}e{sign}{}", digits(self, 5), digits(self, 3)),
        })
    }

    fn value(&mut self, ty: &Type) -> Value {
        match self.below(12) {
            0 => return Value::Null,
            1 => return Value::Unknown,
            _ => {}
        }
        match ty {
            Type::Bool => Value::Bool(self.below(2) == 0),
            Type::Number => self.number(),
            Type::String => Value::String(self.text()),
            Type::Dynamic => {
                let ty = self.ty(1);
                let value = self.value(&ty);
                Value::dynamic(ty, value)
            }
            Type::List(element) | Type::Set(element) => {
                Value::List((0..self.below(20)).map(|_| self.value(element)).collect())
            }
            Type::Map(element) => Value::Map(
                (0..self.below(20))
                    .map(|i| (format!("k{i}{}", self.text()), self.value(element)))
                    .collect(),
            ),
            Type::Object(attributes) => Value::Map(
                attributes
                    .iter()
                    .map(|(name, ty)| (name.clone(), self.value(ty)))
                    .collect(),
            ),
            Type::Tuple(types) => Value::List(types.iter().map(|ty| self.value(ty)).collect()),
        }
    }
}

#[test]
fn what_is_written_reads_back() {
    let mut random = Random(0x5eed);
    for round in 0..500 {
        let ty = random.ty(3);
        let value = random.value(&ty);
        let bytes = packed(&value, &ty);
        assert_eq!(msgpack::decode(&bytes, &ty).as_ref(), Ok(&value), "round {round}: {ty}");
    }
}

#[test]
fn broken_bytes_are_an_error_or_another_value_and_nothing_worse() {
    let mut random = Random(0xbad5eed);
    for _ in 0..500 {
        let ty = random.ty(3);
        let value = random.value(&ty);
        let mut bytes = packed(&value, &ty);
        for _ in 0..=random.below(4) {
            match random.below(3) {
                0 => bytes.truncate(random.below(bytes.len() + 1)),
                1 if !bytes.is_empty() => {
                    let at = random.below(bytes.len());
                    bytes[at] = random.below(256) as u8;
                }
                _ => bytes.insert(random.below(bytes.len() + 1), random.below(256) as u8),
            }
        }
        let other = random.ty(3);
        for ty in [&ty, &other] {
            if let Ok(read) = msgpack::decode(&bytes, ty) {
                assert_eq!(msgpack::decode(&packed(&read, ty), ty), Ok(read), "{ty}");
            }
            let _ = json::decode(&bytes, ty, json::Undefined::Ignored);
        }
    }
}
