//! What a text must be like that people read before they agree to something: nothing in it that is not seen, and nothing that makes
//! it look like another text.

/// Longest name, in bytes: fits a line of every list.
pub const LONGEST_NAME: usize = 64;
/// Longest reason, in bytes: it is shown to people and kept in the trail.
pub const LONGEST_REASON: usize = 1024;

/// Whether a text can name a person, a group or a rule: it is not empty, not long, shows all that is in it, and has single spaces only
/// between words.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len()) && is_plain(text) && text.trim() == text && !text.contains("  ")
}

/// Whether a text can be the reason of a request or of a vote: one line that shows all that is in it.
#[must_use]
pub fn is_reason(text: &str) -> bool {
    text.len() <= LONGEST_REASON && is_plain(text)
}

/// Whether a text shows all that is in it, in the order in which it stands.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    !text.chars().any(is_deceptive)
}

/// Controls, line breaks, white space that looks like a space or like nothing, what turns the direction of writing (Unicode Standard
/// Annex 9), what is drawn as nothing at all (the property Default_Ignorable_Code_Point), and what each font draws as it likes
/// (private use).
const fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\0'..='\x1F' | '\x7F'..='\u{A0}' | '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{1680}'
        | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{2000}'..='\u{200F}' | '\u{2028}'..='\u{202F}'
        | '\u{205F}'..='\u{206F}' | '\u{2800}' | '\u{3000}' | '\u{3164}' | '\u{E000}'..='\u{F8FF}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFD}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D159}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_show_all_that_is_in_them() {
        let longest = "x".repeat(LONGEST_NAME);
        for good in [
            "ada",
            "Ada Lovelace",
            "Jürgen",
            "李雷",
            "Ольга",
            "a_b-c@d",
            longest.as_str(),
        ] {
            assert!(is_name(good), "{good}");
        }
        let longer = "x".repeat(LONGEST_NAME + 1);
        for bad in ["", " ", " ada", "ada ", "Ada  Lovelace", longer.as_str()] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn nothing_that_is_not_seen_is_in_a_name_or_a_reason() {
        let hidden = [
            '\0',
            '\t',
            '\n',
            '\r',
            '\u{1b}',
            '\u{7f}',
            '\u{85}',
            '\u{a0}',
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{1680}',
            '\u{180e}',
            '\u{2003}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{200f}',
            '\u{2028}',
            '\u{2029}',
            '\u{202a}',
            '\u{202e}',
            '\u{202f}',
            '\u{205f}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{2800}',
            '\u{3000}',
            '\u{3164}',
            '\u{e000}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fffd}',
            '\u{1d173}',
            '\u{e0041}',
            '\u{e0100}',
            '\u{10ffff}',
        ];
        for c in hidden {
            let text = format!("a{c}b");
            assert!(
                !is_name(&text) && !is_reason(&text) && !is_plain(&text),
                "{:x}",
                u32::from(c)
            );
        }
        // Whatever the library takes for white space or a control is among them.
        for c in (0..=0x10_FFFF).filter_map(char::from_u32).filter(|c| *c != ' ') {
            assert!(
                !(c.is_control() || c.is_whitespace()) || is_deceptive(c),
                "{:x}",
                u32::from(c)
            );
        }
    }

    #[test]
    fn a_reason_is_one_line_of_some_length() {
        assert!(is_reason("") && is_reason("worn out  (see ticket 12)") && is_reason(&"x".repeat(LONGEST_REASON)));
        assert!(!is_reason(&"x".repeat(LONGEST_REASON + 1)) && !is_reason("a\nrule: none"));
    }
}
