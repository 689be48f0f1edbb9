//! Date-times as XML and JSON spell them: ISO 8601 as in XML Schema, with any offset; written in UTC.

use core::fmt::Write;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

/// Microseconds in a second.
const MICROSECONDS: i64 = 1_000_000;

/// Reads `2001-02-03T04:05:06[.789][Z|+01:00]`, with a year of four digits; without an offset the time is UTC.
/// Whole seconds since 1970 and the microseconds above them; finer digits are dropped.
pub(crate) fn parse(text: &str) -> Option<(i64, u32)> {
    let mut rest = Digits(text);
    let (year, month, day) = (rest.number(4, "-")?, rest.number(2, "-")?, rest.number(2, "T")?);
    let (hour, minute, second) = (rest.number(2, ":")?, rest.number(2, ":")?, rest.number(2, "")?);
    let microsecond = rest.fraction()?;
    let offset = rest.offset()?;
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?).ok()?;
    // XML Schema writes the end of a day as 24:00:00 too.
    let end_of_day = (hour, minute, second, microsecond) == (24, 0, 0, 0);
    let hour = if end_of_day { 0 } else { hour };
    let time = Time::from_hms_micro(
        u8::try_from(hour).ok()?,
        u8::try_from(minute).ok()?,
        u8::try_from(second).ok()?,
        microsecond,
    );
    let seconds = PrimitiveDateTime::new(date, time.ok()?)
        .assume_offset(offset)
        .unix_timestamp();
    Some((seconds + if end_of_day { 86_400 } else { 0 }, microsecond))
}

/// Reads a Date-Time Extended: microseconds since 1970.
pub(crate) fn parse_extended(text: &str) -> Option<i64> {
    let (seconds, microsecond) = parse(text)?;
    seconds.checked_mul(MICROSECONDS)?.checked_add(i64::from(microsecond))
}

/// Writes seconds since 1970; `None` for years that four digits cannot show.
pub(crate) fn format(seconds: i64) -> Option<String> {
    write(seconds, None)
}

/// Writes microseconds since 1970, six decimals; `None` for years that four digits cannot show.
pub(crate) fn format_extended(microseconds: i64) -> Option<String> {
    write(
        microseconds.div_euclid(MICROSECONDS),
        Some(microseconds.rem_euclid(MICROSECONDS)),
    )
}

fn write(seconds: i64, microsecond: Option<i64>) -> Option<String> {
    let moment = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    if !(0..=9999).contains(&moment.year()) {
        return None;
    }
    let (year, month, day) = (moment.year(), u8::from(moment.month()), moment.day());
    let (hour, minute, second) = moment.to_hms();
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if let Some(microsecond) = microsecond {
        write!(text, ".{microsecond:06}").ok()?;
    }
    text.push_str("+00:00");
    Some(text)
}

/// What remains to be read of a date-time.
struct Digits<'a>(&'a str);

impl Digits<'_> {
    /// Exactly `count` digits, then `mark`.
    fn number(&mut self, count: usize, mark: &str) -> Option<u32> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        self.0 = rest.strip_prefix(mark)?;
        digits.parse().ok()
    }

    /// `.` and at least one digit, or nothing: microseconds.
    fn fraction(&mut self) -> Option<u32> {
        let Some(rest) = self.0.strip_prefix('.') else {
            return Some(0);
        };
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, after) = rest.split_at_checked(end)?;
        self.0 = after;
        if digits.is_empty() {
            return None;
        }
        let six = digits.bytes().chain(core::iter::repeat(b'0')).take(6);
        Some(six.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
    }

    /// `Z`, `+hh:mm`, `-hh:mm` or nothing, up to the end of the text.
    fn offset(&mut self) -> Option<UtcOffset> {
        let sign = match self.0.chars().next() {
            None => return Some(UtcOffset::UTC),
            Some('Z') if self.0.len() == 1 => return Some(UtcOffset::UTC),
            Some('+') => 1,
            Some('-') => -1,
            Some(_) => return None,
        };
        self.0 = self.0.get(1..)?;
        let (hours, minutes) = (self.number(2, ":")?, self.number(2, "")?);
        // XML Schema's bound. Without one, an offset could move the time by days.
        let inside = self.0.is_empty() && minutes < 60 && hours * 60 + minutes <= 14 * 60;
        let seconds = i32::try_from((hours * 60 + minutes) * 60).ok()?;
        inside.then(|| UtcOffset::from_whole_seconds(sign * seconds).ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_offset_names_the_same_instant() {
        for text in [
            "2001-01-01T10:00:00+10:00",
            "2001-01-01T00:00:00Z",
            "2001-01-01T00:00:00",
            "2000-12-31T24:00:00Z",
            "2000-12-31T19:30:00.000-04:30",
        ] {
            assert_eq!(parse(text), Some((978_307_200, 0)), "{text}");
        }
        assert_eq!(format(978_307_200).as_deref(), Some("2001-01-01T00:00:00+00:00"));
    }

    #[test]
    fn fractions_count_microseconds_also_before_1970() {
        assert_eq!(parse_extended("1970-01-01T00:00:01.5Z"), Some(1_500_000));
        assert_eq!(parse_extended("1969-12-31T23:59:59.000001Z"), Some(-999_999));
        assert_eq!(parse_extended("1970-01-01T00:00:00.0000019Z"), Some(1));
        let text = format_extended(-999_999);
        assert_eq!(text.as_deref(), Some("1969-12-31T23:59:59.000001+00:00"));
    }

    #[test]
    fn what_is_no_date_time_is_refused() {
        for text in [
            "",
            "2001-01-01",
            "2001-02-29T00:00:00Z",
            "2001-13-01T00:00:00Z",
            "2001-01-01T24:00:01Z",
            "2001-01-01T00:60:00Z",
            "2001-01-01T00:00:60Z",
            "2001-01-01T00:00:00.Z",
            "2001-01-01T00:00:00+14:01",
            "2001-01-01T00:00:00+1:00",
            "2001-01-01T00:00:00Zx",
            "2001-01-01 00:00:00Z",
            "+001-01-01T00:00:00Z",
            "20010-01-01T00:00:00Z",
            "2001-01-01T00:00:0é",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn years_beyond_four_digits_are_not_written() {
        assert_eq!(format(253_402_300_799).as_deref(), Some("9999-12-31T23:59:59+00:00"));
        assert_eq!(format(253_402_300_800), None);
        assert_eq!(format(-62_167_219_200).as_deref(), Some("0000-01-01T00:00:00+00:00"));
        assert_eq!(format(-62_167_219_201), None);
        assert_eq!((format(i64::MAX), format_extended(i64::MIN)), (None, None));
    }
}
