//! Licence expressions of the dependencies against the list in `deny.toml`.

/// The licences that `deny.toml` allows.
#[must_use]
pub fn allowed(deny_toml: &str) -> Vec<String> {
    let list = deny_toml.split_once("\nallow = [").and_then(|(_, rest)| rest.split_once(']'));
    let quoted = list.map_or("", |(list, _)| list).split('"').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}

/// Whether some choice that `expression` (SPDX, or the older `A/B`) offers uses allowed licences only.
/// An exception (`WITH …`) only adds permissions.
#[must_use]
pub fn permits(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { tokens: &tokens, allowed };
    parser.any() && parser.tokens.is_empty()
}

struct Parser<'a> {
    tokens: &'a [&'a str],
    allowed: &'a [String],
}

impl<'a> Parser<'a> {
    fn any(&mut self) -> bool {
        let mut permitted = self.all();
        while self.take("OR") {
            permitted |= self.all();
        }
        permitted
    }

    fn all(&mut self) -> bool {
        let mut permitted = self.one();
        while self.take("AND") {
            permitted &= self.one();
        }
        permitted
    }

    fn one(&mut self) -> bool {
        if self.take("(") {
            let permitted = self.any();
            return self.take(")") && permitted;
        }
        let name = self.next();
        if self.take("WITH") {
            self.next();
        }
        self.allowed.iter().any(|allowed| allowed == name)
    }

    fn next(&mut self) -> &'a str {
        let Some((first, rest)) = self.tokens.split_first() else { return "" };
        self.tokens = rest;
        first
    }

    fn take(&mut self, wanted: &str) -> bool {
        let here = self.tokens.first() == Some(&wanted);
        if here {
            self.next();
        }
        here
    }
}

#[cfg(test)]
mod tests;
