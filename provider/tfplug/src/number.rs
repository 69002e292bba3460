//! Terraform's numbers, exactly: an integer, a binary fraction, or a decimal text of any length.

use std::cmp::Ordering;
use std::fmt;

/// A number of any size, kept exactly. Every number has one form only, so equal numbers are equal values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number(Form);

/// How a number is kept; each form holds only what those before it cannot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// A whole number that fits.
    Int(i64),
    /// A whole number above `i64::MAX`.
    Uint(u64),
    /// What a double says exactly, as its bits.
    Float(u64),
    /// Anything else: plain or scientific notation, no needless zeros.
    Decimal(String),
}

impl Number {
    /// The number that this double is exactly; `None` for NaN and the infinities.
    /// For a value that a person wrote, such as 0.1, use [`Number::shortest`].
    pub fn exact(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        // Both limits are powers of two, hence exact doubles.
        if value.fract() == 0.0 {
            if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value) {
                return Some(Self(Form::Int(value as i64)));
            }
            if (0.0..18_446_744_073_709_551_616.0).contains(&value) {
                return Some(Self(Form::Uint(value as u64)));
            }
        }
        Some(Self(Form::Float(value.to_bits())))
    }

    /// The shortest decimal that reads back as this double (0.1 is one tenth); `None` for NaN and the infinities.
    pub fn shortest(value: f64) -> Option<Self> {
        if value.is_finite() {
            Self::parse(&format!("{value:e}"))
        } else {
            None
        }
    }

    /// Reads decimal notation, with or without an exponent; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(int) = text.parse::<i64>() {
            return Some(Self(Form::Int(int)));
        }
        let decimal = Decimal::parse(text)?;
        let plain = decimal.to_string();
        if let Ok(int) = plain.parse::<i64>() {
            return Some(Self(Form::Int(int)));
        }
        if let Ok(uint) = plain.parse::<u64>() {
            return Some(Self(Form::Uint(uint)));
        }
        Some(Self(match decimal.as_exact_double() {
            Some(double) => Form::Float(double.to_bits()),
            None => Form::Decimal(plain),
        }))
    }

    /// The number when it is whole and fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self.0 {
            Form::Int(int) => Some(int),
            _ => None,
        }
    }

    /// The number when it is whole, not negative, and fits.
    pub fn as_u64(&self) -> Option<u64> {
        match self.0 {
            Form::Int(int) => u64::try_from(int).ok(),
            Form::Uint(uint) => Some(uint),
            _ => None,
        }
    }

    /// The nearest double; infinite when the number is beyond all of them.
    pub fn as_f64(&self) -> f64 {
        match &self.0 {
            Form::Int(int) => *int as f64,
            Form::Uint(uint) => *uint as f64,
            Form::Float(bits) => f64::from_bits(*bits),
            Form::Decimal(text) => text.parse().expect("a kept decimal is in Rust's own float grammar"),
        }
    }

    pub(crate) fn form(&self) -> &Form {
        &self.0
    }
}

macro_rules! from_integer {
    ($($signed:ty),*; $($unsigned:ty),*) => {
        $(impl From<$signed> for Number {
            fn from(value: $signed) -> Self {
                Self(Form::Int(value as i64))
            }
        })*
        $(impl From<$unsigned> for Number {
            fn from(value: $unsigned) -> Self {
                let value = value as u64;
                Self(i64::try_from(value).map_or(Form::Uint(value), Form::Int))
            }
        })*
    };
}
from_integer!(i8, i16, i32, i64, isize; u8, u16, u32, u64, usize);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Int(int) => write!(f, "{int}"),
            Form::Uint(uint) => write!(f, "{uint}"),
            Form::Float(bits) => {
                let double = f64::from_bits(*bits);
                if double == 0.0 || (1e-7..1e21).contains(&double.abs()) {
                    write!(f, "{double}")
                } else {
                    write!(f, "{double:e}")
                }
            }
            Form::Decimal(text) => f.write_str(text),
        }
    }
}

/// By size; two numbers that share a nearest double are ordered by their digits.
impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Form::Int(a), Form::Int(b)) => a.cmp(b),
            (Form::Uint(a), Form::Uint(b)) => a.cmp(b),
            (Form::Int(_), Form::Uint(_)) => Ordering::Less,
            (Form::Uint(_), Form::Int(_)) => Ordering::Greater,
            _ => self
                .as_f64()
                .total_cmp(&other.as_f64())
                .then_with(|| Decimal::of(self).cmp(&Decimal::of(other))),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// ±0.DIGITS × 10^exponent, no zero at either end of the digits; zero has no digits.
#[derive(PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

/// Beyond Terraform's own numbers; what prints is what is read, for all that are smaller.
const LARGEST_EXPONENT: u64 = 1 << 30;

/// A double has at most this many significant decimal digits.
const DOUBLE_DIGITS: usize = 767;

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let (negative, text) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let joined = format!("{whole}{fraction}");
        let leading = joined.len() - joined.trim_start_matches('0').len();
        let digits = joined.trim_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Self {
                negative: false,
                digits,
                exponent: 0,
            });
        }
        let exponent = exponent.checked_add(whole.len() as i64 - leading as i64)?;
        if exponent.unsigned_abs() > LARGEST_EXPONENT {
            return None;
        }
        Some(Self {
            negative,
            digits,
            exponent,
        })
    }

    fn of(number: &Number) -> Self {
        let text = match number.form() {
            Form::Float(bits) => exact_digits(f64::from_bits(*bits)),
            _ => number.to_string(),
        };
        Self::parse(&text).expect("a number prints in the grammar that it is read in")
    }

    fn as_exact_double(&self) -> Option<f64> {
        if self.digits.len() > DOUBLE_DIGITS {
            return None;
        }
        // A fraction of two powers ends in 5; everything else with places behind the point is no double.
        if self.exponent < self.digits.len() as i64 && !self.digits.ends_with('5') {
            return None;
        }
        let double: f64 = self.to_string().parse().ok()?;
        (double.is_finite() && Self::parse(&exact_digits(double))? == *self).then_some(double)
    }
}

/// Every digit of a double, in scientific notation.
fn exact_digits(double: f64) -> String {
    format!("{double:.*e}", DOUBLE_DIGITS)
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let length = self.digits.len() as i64;
        match self.exponent {
            _ if self.digits.is_empty() => f.write_str("0"),
            exponent if exponent >= length && exponent <= length + 64 => {
                write!(f, "{sign}{}{}", self.digits, "0".repeat((exponent - length) as usize))
            }
            exponent if exponent > 0 && exponent < length => {
                let (whole, fraction) = self.digits.split_at(exponent as usize);
                write!(f, "{sign}{whole}.{fraction}")
            }
            exponent if (-64..=0).contains(&exponent) => {
                write!(f, "{sign}0.{}{}", "0".repeat(-exponent as usize), self.digits)
            }
            exponent => {
                let (first, rest) = self.digits.split_at(1);
                let point = if rest.is_empty() { "" } else { "." };
                write!(f, "{sign}{first}{point}{rest}e{}", exponent - 1)
            }
        }
    }
}

impl Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = |a: &Self, b: &Self| a.exponent.cmp(&b.exponent).then_with(|| a.digits.cmp(&b.digits));
        match (self.negative, other.negative) {
            (false, false) => size(self, other),
            (true, true) => size(other, self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn every_number_has_one_form() {
        assert_eq!(parse("1"), Number::exact(1.0).unwrap());
        assert_eq!(parse("1.0"), Number::from(1u8));
        assert_eq!(parse("10e-1"), Number::from(1i64));
        assert_eq!(parse("0.5"), Number::exact(0.5).unwrap());
        assert_eq!(parse("-0"), Number::from(0));
        assert_eq!(parse("18446744073709551615"), Number::from(u64::MAX));
        assert_eq!(
            parse("36893488147419103232"),
            Number::exact(36_893_488_147_419_103_232.0).unwrap()
        );
    }

    #[test]
    fn one_tenth_is_not_the_double_beside_it() {
        assert_ne!(parse("0.1"), Number::exact(0.1).unwrap());
        assert_eq!(parse("0.1"), Number::shortest(0.1).unwrap());
        assert_eq!(parse("0.1").to_string(), "0.1");
        assert!(parse("0.1") < Number::exact(0.1).unwrap());
    }

    #[test]
    fn long_numbers_survive_digit_by_digit() {
        let long = "123456789012345678901234567890.123456789012345678901234567891";
        assert_eq!(parse(long).to_string(), long);
        assert_eq!(parse("1e400").to_string(), "1e400");
        assert_eq!(parse("-12e-400").to_string(), "-1.2e-399");
        assert_eq!(parse("1e400").as_f64(), f64::INFINITY);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-", ".", "1.2.3", "0x10", "NaN", "inf", "1e", "1e99999999999", "١"] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
        assert_eq!(Number::exact(f64::NAN), None);
    }

    #[test]
    fn the_largest_exponents_print_as_they_are_read() {
        for text in ["10e1073741822", "0.1e-1073741824", "-1e1073741823"] {
            let number = parse(text);
            assert_eq!(parse(&number.to_string()), number);
            assert_eq!(number.cmp(&number.clone()), Ordering::Equal);
        }
        assert_eq!(Number::parse("1e1073741824"), None);
        assert_eq!(Number::parse("1e9223372036854775807"), None);
    }

    #[test]
    fn numbers_are_ordered_by_size_across_forms() {
        let mut numbers: Vec<Number> = ["1e400", "0.1", "18446744073709551615", "-3", "0.25", "-1e400", "7"]
            .into_iter()
            .map(parse)
            .collect();
        numbers.sort();
        let sorted: Vec<String> = numbers.iter().map(Number::to_string).collect();
        assert_eq!(
            sorted,
            ["-1e400", "-3", "0.1", "0.25", "7", "18446744073709551615", "1e400"]
        );
    }
}
