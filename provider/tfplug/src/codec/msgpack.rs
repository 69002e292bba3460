//! Values as MessagePack, the way Terraform's type system (cty) writes them.

use std::collections::BTreeMap;

use rmp::{Marker, encode as write};

use super::{CodecError, DEPTH_LIMIT, expected, too_deep, type_from_json, type_to_json};
use crate::{
    number::{Form, Number},
    path::Step,
    types::Type,
    value::Value,
};

/// Unknown: an extension of type 0 with one byte. Reading takes any extension for it, so refinements (type 12:
/// what is known about an unknown value) are dropped, which is always allowed.
const UNKNOWN: [u8; 3] = [0xd4, 0, 0];

/// Room that is made before elements are read; what a sender claims beyond it has to arrive first.
const ROOM_AHEAD: usize = 1024;

/// Reads one value that takes up all of `bytes`.
pub(super) fn decode(bytes: &[u8], ty: &Type) -> Result<Value, CodecError> {
    let mut reader = Reader { rest: bytes };
    let value = reader.value(ty, 0)?;
    if reader.rest.is_empty() {
        Ok(value)
    } else {
        Err(CodecError::new(format!(
            "{} bytes too many after the value",
            reader.rest.len()
        )))
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn value(&mut self, ty: &Type, depth: usize) -> Result<Value, CodecError> {
        if depth > DEPTH_LIMIT {
            return Err(too_deep());
        }
        let marker = Marker::from_u8(self.bytes::<1>()?[0]);
        if marker == Marker::Null {
            return Ok(Value::Null);
        }
        if let Some(length) = self.extension_length(marker)? {
            self.take(length)?;
            return Ok(Value::Unknown);
        }
        match ty {
            Type::Bool => match marker {
                Marker::True => Ok(Value::Bool(true)),
                Marker::False => Ok(Value::Bool(false)),
                other => Err(expected(ty, kind(other))),
            },
            Type::Number => self.number(marker),
            Type::String => match self.string_length(marker)? {
                Some(length) => Ok(Value::String(self.text(length)?.to_owned())),
                None => Err(expected(ty, kind(marker))),
            },
            Type::List(element) => self.elements(ty, marker, depth, |_| (element, true)),
            Type::Set(element) => self.elements(ty, marker, depth, |_| (element, false)),
            Type::Tuple(types) => {
                let elements =
                    self.elements(ty, marker, depth, |index| (types.get(index).unwrap_or(&NOTHING), true))?;
                match &elements {
                    Value::List(list) if list.len() == types.len() => Ok(elements),
                    _ => Err(expected(ty, "another number of elements")),
                }
            }
            Type::Map(element) => self.map(ty, marker, depth, element),
            Type::Object(attributes) => self.object(ty, marker, depth, attributes),
            Type::Dynamic => self.dynamic(marker, depth),
        }
    }

    fn number(&mut self, marker: Marker) -> Result<Value, CodecError> {
        let number = match marker {
            Marker::FixPos(value) => value.into(),
            Marker::FixNeg(value) => value.into(),
            Marker::U8 => u8::from_be_bytes(self.bytes()?).into(),
            Marker::U16 => u16::from_be_bytes(self.bytes()?).into(),
            Marker::U32 => u32::from_be_bytes(self.bytes()?).into(),
            Marker::U64 => u64::from_be_bytes(self.bytes()?).into(),
            Marker::I8 => i8::from_be_bytes(self.bytes()?).into(),
            Marker::I16 => i16::from_be_bytes(self.bytes()?).into(),
            Marker::I32 => i32::from_be_bytes(self.bytes()?).into(),
            Marker::I64 => i64::from_be_bytes(self.bytes()?).into(),
            Marker::F32 => finite(f32::from_be_bytes(self.bytes()?).into())?,
            Marker::F64 => finite(f64::from_be_bytes(self.bytes()?))?,
            // Numbers that no machine type holds exactly come as text.
            other => match self.string_length(other)? {
                Some(length) => {
                    let text = self.text(length)?;
                    Number::parse(text).ok_or_else(|| expected(&Type::Number, "text that is no number"))?
                }
                None => return Err(expected(&Type::Number, kind(other))),
            },
        };
        Ok(Value::Number(number))
    }

    /// `element` says the type of an element, and whether it has a path of its own.
    fn elements<'t>(
        &mut self,
        ty: &Type,
        marker: Marker,
        depth: usize,
        element: impl Fn(usize) -> (&'t Type, bool),
    ) -> Result<Value, CodecError> {
        let length = self.array_length(marker)?.ok_or_else(|| expected(ty, kind(marker)))?;
        let mut values = Vec::with_capacity(length.min(ROOM_AHEAD));
        for index in 0..length {
            let (ty, has_path) = element(index);
            let value = self.value(ty, depth + 1);
            values.push(if has_path {
                value.map_err(|error| error.inside(Step::Index(index)))?
            } else {
                value?
            });
        }
        Ok(Value::List(values))
    }

    fn map(&mut self, ty: &Type, marker: Marker, depth: usize, element: &Type) -> Result<Value, CodecError> {
        let length = self.map_length(marker)?.ok_or_else(|| expected(ty, kind(marker)))?;
        let mut values = BTreeMap::new();
        for _ in 0..length {
            let key = self.key()?;
            let value = self
                .value(element, depth + 1)
                .map_err(|error| error.inside(Step::Key(key.to_owned())))?;
            if values.insert(key.to_owned(), value).is_some() {
                return Err(CodecError::new(format!("the key `{key}` stands twice")));
            }
        }
        Ok(Value::Map(values))
    }

    fn object(
        &mut self,
        ty: &Type,
        marker: Marker,
        depth: usize,
        attributes: &BTreeMap<String, Type>,
    ) -> Result<Value, CodecError> {
        let length = self.map_length(marker)?.ok_or_else(|| expected(ty, kind(marker)))?;
        let mut values = BTreeMap::new();
        for _ in 0..length {
            let name = self.key()?;
            let Some(ty) = attributes.get(name) else {
                return Err(CodecError::new(format!("there is no attribute `{name}`")));
            };
            let value = self
                .value(ty, depth + 1)
                .map_err(|error| error.inside(Step::Attribute(name.to_owned())))?;
            if values.insert(name.to_owned(), value).is_some() {
                return Err(CodecError::new(format!("the attribute `{name}` stands twice")));
            }
        }
        match attributes.keys().find(|name| !values.contains_key(*name)) {
            Some(missing) => Err(CodecError::new(format!("the attribute `{missing}` is missing"))),
            None => Ok(Value::Map(values)),
        }
    }

    fn dynamic(&mut self, marker: Marker, depth: usize) -> Result<Value, CodecError> {
        if self.array_length(marker)? != Some(2) {
            return Err(expected(&Type::Dynamic, kind(marker)));
        }
        let marker = Marker::from_u8(self.bytes::<1>()?[0]);
        let length = match self.binary_length(marker)? {
            Some(length) => Some(length),
            None => self.string_length(marker)?,
        };
        let length = length.ok_or_else(|| CodecError::new("a value of any type comes without its type"))?;
        let ty = type_from_json(self.take(length)?)?;
        Ok(Value::dynamic(ty.clone(), self.value(&ty, depth + 1)?))
    }

    fn key(&mut self) -> Result<&'a str, CodecError> {
        let marker = Marker::from_u8(self.bytes::<1>()?[0]);
        match self.string_length(marker)? {
            Some(length) => self.text(length),
            None => Err(CodecError::new(format!("a key is {}", kind(marker)))),
        }
    }

    fn text(&mut self, length: usize) -> Result<&'a str, CodecError> {
        std::str::from_utf8(self.take(length)?).map_err(|_| CodecError::new("a string is not UTF-8"))
    }

    fn string_length(&mut self, marker: Marker) -> Result<Option<usize>, CodecError> {
        Ok(Some(match marker {
            Marker::FixStr(length) => length.into(),
            Marker::Str8 => self.length::<1>()?,
            Marker::Str16 => self.length::<2>()?,
            Marker::Str32 => self.length::<4>()?,
            _ => return Ok(None),
        }))
    }

    fn binary_length(&mut self, marker: Marker) -> Result<Option<usize>, CodecError> {
        Ok(Some(match marker {
            Marker::Bin8 => self.length::<1>()?,
            Marker::Bin16 => self.length::<2>()?,
            Marker::Bin32 => self.length::<4>()?,
            _ => return Ok(None),
        }))
    }

    fn array_length(&mut self, marker: Marker) -> Result<Option<usize>, CodecError> {
        Ok(Some(match marker {
            Marker::FixArray(length) => length.into(),
            Marker::Array16 => self.length::<2>()?,
            Marker::Array32 => self.length::<4>()?,
            _ => return Ok(None),
        }))
    }

    fn map_length(&mut self, marker: Marker) -> Result<Option<usize>, CodecError> {
        Ok(Some(match marker {
            Marker::FixMap(length) => length.into(),
            Marker::Map16 => self.length::<2>()?,
            Marker::Map32 => self.length::<4>()?,
            _ => return Ok(None),
        }))
    }

    /// Bytes after the marker of an extension: its type and its data.
    fn extension_length(&mut self, marker: Marker) -> Result<Option<usize>, CodecError> {
        let data = match marker {
            Marker::FixExt1 => 1,
            Marker::FixExt2 => 2,
            Marker::FixExt4 => 4,
            Marker::FixExt8 => 8,
            Marker::FixExt16 => 16,
            Marker::Ext8 => self.length::<1>()?,
            Marker::Ext16 => self.length::<2>()?,
            Marker::Ext32 => self.length::<4>()?,
            _ => return Ok(None),
        };
        Ok(Some(data + 1))
    }

    fn length<const N: usize>(&mut self) -> Result<usize, CodecError> {
        Ok(self
            .bytes::<N>()?
            .iter()
            .fold(0, |length, byte| length << 8 | usize::from(*byte)))
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        Ok(self
            .take(N)?
            .try_into()
            .expect("`take` gives as many bytes as it was asked for"))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], CodecError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| CodecError::new("the value ends in the middle"))?;
        self.rest = rest;
        Ok(taken)
    }
}

/// Takes the place of a type behind a tuple's last one; whatever is read there, the length is then refused.
static NOTHING: Type = Type::Bool;

fn finite(value: f64) -> Result<Number, CodecError> {
    // Terraform has infinities inside, but no way to write one.
    Number::exact(value).ok_or_else(|| expected(&Type::Number, "an infinite or undefined number"))
}

fn kind(marker: Marker) -> &'static str {
    match marker {
        Marker::Null => "null",
        Marker::True | Marker::False => "a bool",
        Marker::FixPos(_)
        | Marker::FixNeg(_)
        | Marker::U8
        | Marker::U16
        | Marker::U32
        | Marker::U64
        | Marker::I8
        | Marker::I16
        | Marker::I32
        | Marker::I64
        | Marker::F32
        | Marker::F64 => "a number",
        Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => "a string",
        Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => "a list",
        Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => "an object",
        Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => "binary data",
        _ => "something else",
    }
}

/// Why a write is no error: the bytes go into memory.
const IN_MEMORY: &str = "memory takes every byte";

/// Appends a value. A value that does not fit the type is a bug of the provider.
pub(super) fn encode(value: &Value, ty: &Type, out: &mut Vec<u8>) -> Result<(), CodecError> {
    match (value, ty) {
        (Value::Null, _) => write::write_nil(out).expect(IN_MEMORY),
        (Value::Unknown, _) => out.extend_from_slice(&UNKNOWN),
        (Value::Dynamic(dynamic), Type::Dynamic) => encode_dynamic(&dynamic.ty, &dynamic.value, out)?,
        (value, Type::Dynamic) => encode_dynamic(&value.implied_type(), value, out)?,
        (Value::Dynamic(dynamic), ty) => encode(&dynamic.value, ty, out)?,
        (Value::Bool(value), Type::Bool) => write::write_bool(out, *value).expect(IN_MEMORY),
        (Value::Number(number), Type::Number) => encode_number(number, out),
        (Value::String(text), Type::String) => encode_text(text, out)?,
        (Value::List(elements), Type::List(element)) => {
            write::write_array_len(out, length(elements.len())?).expect(IN_MEMORY);
            for (index, value) in elements.iter().enumerate() {
                encode(value, element, out).map_err(|error| error.inside(Step::Index(index)))?;
            }
        }
        (Value::List(elements), Type::Set(element)) => {
            write::write_array_len(out, length(elements.len())?).expect(IN_MEMORY);
            for value in elements {
                encode(value, element, out)?;
            }
        }
        (Value::List(elements), Type::Tuple(types)) if elements.len() == types.len() => {
            write::write_array_len(out, length(elements.len())?).expect(IN_MEMORY);
            for (index, (value, ty)) in elements.iter().zip(types).enumerate() {
                encode(value, ty, out).map_err(|error| error.inside(Step::Index(index)))?;
            }
        }
        (Value::Map(values), Type::Map(element)) => {
            write::write_map_len(out, length(values.len())?).expect(IN_MEMORY);
            for (key, value) in values {
                encode_text(key, out)?;
                encode(value, element, out).map_err(|error| error.inside(Step::Key(key.clone())))?;
            }
        }
        (Value::Map(values), Type::Object(attributes)) => {
            if let Some(stray) = values.keys().find(|name| !attributes.contains_key(*name)) {
                return Err(CodecError::new(format!("there is no attribute `{stray}`")));
            }
            write::write_map_len(out, length(attributes.len())?).expect(IN_MEMORY);
            for (name, ty) in attributes {
                encode_text(name, out)?;
                encode(value.attribute(name), ty, out).map_err(|error| error.inside(Step::Attribute(name.clone())))?;
            }
        }
        (value, ty) => return Err(expected(ty, value.kind())),
    }
    Ok(())
}

fn encode_dynamic(ty: &Type, value: &Value, out: &mut Vec<u8>) -> Result<(), CodecError> {
    write::write_array_len(out, 2).expect(IN_MEMORY);
    write::write_bin(out, &type_to_json(ty)).expect(IN_MEMORY);
    encode(value, ty, out)
}

fn encode_number(number: &Number, out: &mut Vec<u8>) {
    match number.form() {
        Form::Int(value) => drop(write::write_sint(out, *value).expect(IN_MEMORY)),
        Form::Uint(value) => drop(write::write_uint(out, *value).expect(IN_MEMORY)),
        Form::Float(bits) => write::write_f64(out, f64::from_bits(*bits)).expect(IN_MEMORY),
        Form::Decimal(text) => write::write_str(out, text).expect(IN_MEMORY),
    }
}

fn encode_text(text: &str, out: &mut Vec<u8>) -> Result<(), CodecError> {
    length(text.len())?;
    write::write_str(out, text).expect(IN_MEMORY);
    Ok(())
}

fn length(length: usize) -> Result<u32, CodecError> {
    u32::try_from(length).map_err(|_| CodecError::new("it is larger than 4 GiB"))
}
