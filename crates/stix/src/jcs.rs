//! The JSON Canonicalization Scheme (RFC 8785): one JSON value, one sequence of bytes.
//!
//! Keys are sorted by their UTF-16 code units, numbers are written as ECMAScript writes them, strings with the fewest
//! escapes, and there is no blank. Every number is a double there: integers beyond 2^53 change, so ours are texts.

use serde_json::{Number, Value};

/// The bytes of `value`.
pub fn to_vec(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(value, &mut out);
    out
}

/// The same as text.
pub fn to_string(value: &Value) -> String {
    // The writer below puts whole characters only.
    String::from_utf8_lossy(&to_vec(value)).into_owned()
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend(b"null"),
        Value::Bool(true) => out.extend(b"true"),
        Value::Bool(false) => out.extend(b"false"),
        Value::Number(number) => out.extend(render_number(number).bytes()),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Value::Object(map) => {
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16()));
            out.push(b'{');
            for (index, (name, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_string(name, out);
                out.push(b':');
                write(value, out);
            }
            out.push(b'}');
        }
    }
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend(b"\\\""),
            '\\' => out.extend(b"\\\\"),
            '\u{8}' => out.extend(b"\\b"),
            '\t' => out.extend(b"\\t"),
            '\n' => out.extend(b"\\n"),
            '\u{c}' => out.extend(b"\\f"),
            '\r' => out.extend(b"\\r"),
            c if c < ' ' => out.extend(format!("\\u{:04x}", u32::from(c)).bytes()),
            c => out.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    out.push(b'"');
}

fn render_number(number: &Number) -> String {
    // Within 2^53 an integer is its own double, and its digits are what ECMAScript writes.
    const EXACT: u64 = 1 << 53;
    match (number.as_i64(), number.as_f64()) {
        (Some(integer), _) if integer.unsigned_abs() <= EXACT => integer.to_string(),
        (_, Some(double)) => render_double(double),
        _ => number.to_string(),
    }
}

/// `Number::toString` of ECMAScript (section 6.1.6.1.20): the shortest digits that read back as the same double.
fn render_double(double: f64) -> String {
    if double == 0.0 {
        return "0".to_owned();
    }
    let sign = if double < 0.0 { "-" } else { "" };
    // Rust's own form has the shortest digits, too: `d.ddde±n`.
    let scientific = format!("{:e}", double.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits = even(double.abs(), mantissa.chars().filter(char::is_ascii_digit).collect());
    // The point stands behind this many digits.
    let point = exponent.parse::<i32>().unwrap_or(0) + 1;
    let count = digits.len() as i32;
    let body = if (count..=21).contains(&point) {
        format!("{digits}{}", "0".repeat((point - count) as usize))
    } else if (1..=21).contains(&point) {
        format!("{}.{}", &digits[..point as usize], &digits[point as usize..])
    } else if (-5..=0).contains(&point) {
        format!("0.{}{digits}", "0".repeat(point.unsigned_abs() as usize))
    } else {
        let rest = if count > 1 { format!(".{}", &digits[1..]) } else { String::new() };
        let plus = if point > 0 { "+" } else { "-" };
        format!("{}{rest}e{plus}{}", &digits[..1], (point - 1).abs())
    };
    format!("{sign}{body}")
}

/// Of two shortest forms that are equally near, ECMAScript takes the even one, Rust the greater.
fn even(double: f64, digits: String) -> String {
    // Fewer digits are never one of two.
    if digits.len() < 15 {
        return digits;
    }
    // No double has more digits than that.
    let exact = format!("{double:.770e}");
    let (exact, exponent) = exact.split_once('e').unwrap_or((&exact, "0"));
    let exact = exact.replace('.', "");
    let lower = exact.trim_end_matches('0').strip_suffix('5').filter(|lower| lower.len() == digits.len());
    let is_even = |digits: &&str| digits.ends_with(['0', '2', '4', '6', '8']);
    // Below a power of two the doubles are nearer to each other, and the lower form may be another one's.
    let is_same = |lower: &&str| {
        format!("{}.{}e{exponent}", &lower[..1], &lower[1..])
            .parse::<f64>()
            .is_ok_and(|other| other == double)
    };
    lower.filter(is_even).filter(is_same).map_or(digits, str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8785, appendix B.
    #[test]
    fn numbers_as_ecmascript_writes_them() {
        for (bits, wanted) in [
            (0x0000_0000_0000_0000_u64, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5557, "333333333.33333343"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ] {
            let double = f64::from_bits(bits);
            assert_eq!(render_double(double), wanted);
        }
        assert_eq!(to_string(&serde_json::json!(9_007_199_254_740_993_u64)), "9007199254740992");
        assert_eq!(to_string(&serde_json::json!(-7)), "-7");
    }

    /// RFC 8785, sections 3.2.2 and 3.2.3.
    #[test]
    fn keys_by_utf_16_and_few_escapes() {
        let value: Value = serde_json::from_str(
            r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew","1":"One",
                "\ud83d\ude00":"Emoji","\u0080":"Control","\u00f6":"o"}"#,
        )
        .unwrap();
        let wanted = "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\"\u{f6}\":\"o\",\
                      \"\u{20ac}\":\"Euro Sign\",\"\u{1f600}\":\"Emoji\",\"\u{fb33}\":\"Hebrew\"}";
        assert_eq!(to_string(&value), wanted);
        let value: Value = serde_json::from_str(
            r#"{"s":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","l":[null,true,false]}"#,
        )
        .unwrap();
        let wanted = "{\"l\":[null,true,false],\"s\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}";
        assert_eq!(to_string(&value), wanted);
    }
}
