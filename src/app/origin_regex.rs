//! Regular expressions as rules on origins (feature `regex`).

use regex_lite::{Regex, RegexBuilder};

use super::app::App;

impl App {
    /// Allows the origins that match a regular expression, beside those of
    /// [`Options::allow_origins`](super::Options::allow_origins). With feature `regex`.
    ///
    /// The whole origin must match, and case does not matter: `https://(\w+\.)?example\.com` allows
    /// `https://www.example.com`, and not `https://example.com.evil.org`. The syntax is that of
    /// [`regex_lite`](https://docs.rs/regex-lite/0.1/regex_lite/#syntax), and matching takes linear
    /// time. What is no regular expression is told by [`bind`](Self::bind).
    ///
    /// ```
    /// # use rushwire::App;
    /// let mut app = App::new();
    /// app.allow_origin_regex(r"https://(\w+\.)?example\.com");
    /// ```
    pub fn allow_origin_regex(&mut self, pattern: &str) -> &mut Self {
        match whole(pattern) {
            Ok(regex) => self.allow_origin_if(move |origin, _| regex.is_match(origin)),
            Err(error) => self.note(Err(format!(
                "origin {pattern:?} is no regular expression: {error}"
            ))),
        }
    }
}

/// `pattern`, for whole texts only, whatever the case.
fn whole(pattern: &str) -> Result<Regex, regex_lite::Error> {
    // Alone first: one such as `a)|(b` would be well formed only inside of the anchors, and escape
    // from them.
    Regex::new(pattern)?;
    RegexBuilder::new(&format!(r"\A(?:{pattern})\z"))
        .case_insensitive(true)
        .build()
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn only_whole_texts_match_whatever_the_pattern_plays_at() {
        let table = [
            (r"https://t\.com", "https://t.com", true),
            (r"https://t\.com", "https://t.com.evil.org", false),
            (r"t\.com", "https://t.com.evil.org", false),
            (r"t\.com", "https://t.com", false),
            (r"https://t\.com", "HTTPS://T.com", true),
            (r"https://a|https://b", "https://a", true),
            (r"https://a|https://b", "https://ab", false),
            (r"https://a|https://b", "xhttps://b", false),
            (r"^https://a$", "https://a", true),
            (r"^https://a$", "https://a\n", false),
            (r"(?m)^https://a$", "https://a\nb", false),
            (r"https://a|https://ab", "https://ab", true),
            (r"(?i:https)://A", "https://a", true),
            (r"", "", true),
            (r"", "https://a", false),
        ];
        for (pattern, origin, expected) in table {
            let regex = whole(pattern).expect(pattern);
            assert_eq!(regex.is_match(origin), expected, "{pattern} and {origin:?}");
        }
    }

    #[test]
    fn what_would_escape_from_the_anchors_is_no_pattern() {
        for bad in ["a)|(b", "(", "a)", "(?x)a # comment", "*", "[", r"\"] {
            assert!(whole(bad).is_err(), "{bad}");
        }
    }
}
