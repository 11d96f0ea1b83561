//! The JSON of recipes (RFC 8259), read strictly: what two readers could take for two recipes is none.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use super::{BodyRecipe, Recipe, Step};
use crate::limits;

/// Why octets are no recipe.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RecipeError {
    /// Not JSON.
    #[error("the recipe is no JSON of RFC 8259")]
    Json,
    /// JSON that breaks a rule of recipes.
    #[error("{0}")]
    Rule(String),
    /// More than is read.
    #[error("the recipe is longer than {max} octets", max = limits::DKIM2_RECIPE_OCTETS)]
    TooLong,
}

pub(super) fn parse(octets: &[u8]) -> Result<Recipe, RecipeError> {
    if octets.len() > limits::DKIM2_RECIPE_OCTETS {
        return Err(RecipeError::TooLong);
    }
    serde_json::from_slice(octets).map_err(|error| match error.classify() {
        Category::Syntax | Category::Eof | Category::Io => RecipeError::Json,
        Category::Data => RecipeError::Rule(error.to_string()),
    })
}

impl<'de> Deserialize<'de> for Recipe {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Recipe, D::Error> {
        deserializer.deserialize_map(RecipeReader)
    }
}

struct RecipeReader;

impl<'de> Visitor<'de> for RecipeReader {
    type Value = Recipe;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with h or b")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Recipe, A::Error> {
        let (mut header, mut body) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "h" if header.is_none() => header = Some(map.next_value::<Names>()?.0),
                "b" if body.is_none() => body = Some(map.next_value::<Body>()?.0),
                "h" | "b" => return Err(A::Error::custom("the same key twice")),
                // § -08 5: unknown keys are for later drafts
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        match (header, body) {
            (None, None) => Err(A::Error::custom("neither h nor b")),
            (header, body) => Ok(Recipe { header: header.unwrap_or_default(), body: body.unwrap_or_default() }),
        }
    }
}

struct Names(Vec<(Box<str>, Vec<Step>)>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Names, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of field names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some((name, steps)) = map.next_entry::<String, Steps>()? {
                    let is_name = |octet: u8| matches!(octet, 0x21..=0x7e) && octet != b':';
                    if name.is_empty() || !name.bytes().all(is_name) {
                        return Err(A::Error::custom("a key of h is no name of a field"));
                    }
                    names.push((name.to_ascii_lowercase().into_boxed_str(), steps.0));
                }
                names.sort_by(|(one, _), (other, _)| one.cmp(other));
                if names.is_empty() || names.windows(2).any(|two| matches!(two, [(a, _), (b, _)] if a == b)) {
                    return Err(A::Error::custom("h names no field, or the same field twice"));
                }
                Ok(Names(names))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

struct Body(BodyRecipe);

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Body, D::Error> {
        let steps = Option::<Steps>::deserialize(deserializer)?;
        Ok(Body(steps.map_or(BodyRecipe::Null, |steps| BodyRecipe::Steps(steps.0))))
    }
}

struct Steps(Vec<Step>);

impl<'de> Deserialize<'de> for Steps {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Steps, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Steps;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of steps")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Steps, A::Error> {
                let (mut steps, mut copied) = (Vec::new(), 0);
                while let Some(WireStep(step)) = seq.next_element()? {
                    if let Step::Copy(first, last) = step {
                        // § -08 5: ascending, which also keeps the outcome from growing beyond its source
                        if first <= copied || last < first {
                            return Err(A::Error::custom("copies do not ascend, or overlap"));
                        }
                        copied = last;
                    }
                    steps.push(step);
                }
                Ok(Steps(steps))
            }
        }
        deserializer.deserialize_seq(Reader)
    }
}

struct WireStep(Step);

impl<'de> Deserialize<'de> for WireStep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<WireStep, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = WireStep;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with one of c, d and u")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WireStep, A::Error> {
                let mut step = None;
                while let Some(key) = map.next_key::<String>()? {
                    let found = match key.as_str() {
                        "c" => match map.next_value::<Vec<u64>>()?.as_slice() {
                            [first, last] => Step::Copy(*first, *last),
                            _ => return Err(A::Error::custom("a copy is a pair of numbers")),
                        },
                        "d" => {
                            literal(map.next_value::<Vec<String>>()?.into_iter().map(|line| Some(line.into_bytes())))?
                        }
                        "u" => literal(map.next_value::<Vec<String>>()?.iter().map(|line| not_utf8(line)))?,
                        // Writers add none; the schema and the text differ about readers.
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    if step.replace(found).is_some() {
                        return Err(A::Error::custom("a step with two of c, d and u"));
                    }
                }
                step.map(WireStep).ok_or_else(|| A::Error::custom("a step without c, d and u"))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// § -08 5: one line at least, none with CR or LF in it.
fn literal<E: serde::de::Error>(lines: impl Iterator<Item = Option<Vec<u8>>>) -> Result<Step, E> {
    let clean = |line: Vec<u8>| (!line.iter().any(|octet| matches!(octet, b'\r' | b'\n'))).then(|| line.into());
    let lines: Option<Vec<Box<[u8]>>> = lines.map(|line| line.and_then(clean)).collect();
    let lines = lines.filter(|lines| !lines.is_empty());
    lines
        .map(Step::Literal)
        .ok_or_else(|| E::custom("a literal that is empty, holds a line end, or is in the wrong form"))
}

/// § -08 5: padded base64 of what is not UTF-8, so that each content has one form only.
fn not_utf8(line: &str) -> Option<Vec<u8>> {
    STANDARD.decode(line).ok().filter(|octets| std::str::from_utf8(octets).is_err())
}

pub(super) fn write(recipe: &Recipe) -> String {
    let mut json = String::from("{");
    if !recipe.header.is_empty() {
        json.push_str("\"h\":{");
        for (place, (name, steps)) in recipe.header.iter().enumerate() {
            json.push_str(if place > 0 { "," } else { "" });
            quote(name, &mut json);
            json.push(':');
            write_steps(steps, &mut json);
        }
        json.push('}');
    }
    if recipe.body != BodyRecipe::Unchanged {
        json.push_str(if recipe.header.is_empty() { "\"b\":" } else { ",\"b\":" });
        match &recipe.body {
            BodyRecipe::Steps(steps) => write_steps(steps, &mut json),
            BodyRecipe::Null | BodyRecipe::Unchanged => json.push_str("null"),
        }
    }
    json.push('}');
    json
}

fn write_steps(steps: &[Step], json: &mut String) {
    json.push('[');
    let mut separator = "";
    for step in steps {
        match step {
            Step::Copy(first, last) => json.push_str(&format!("{separator}{{\"c\":[{first},{last}]}}")),
            Step::Literal(lines) => {
                // Neighbours of one form make one step.
                for same in lines.chunk_by(|one, other| is_text(one) == is_text(other)) {
                    json.push_str(separator);
                    write_literal(same, json);
                    separator = ",";
                }
            }
        }
        separator = ",";
    }
    json.push(']');
}

fn write_literal(lines: &[Box<[u8]>], json: &mut String) {
    let mut separator = if lines.first().is_some_and(|line| is_text(line)) { "{\"d\":[" } else { "{\"u\":[" };
    for line in lines {
        json.push_str(separator);
        match std::str::from_utf8(line) {
            Ok(text) => quote(text, json),
            Err(_) => quote(&STANDARD.encode(line), json),
        }
        separator = ",";
    }
    json.push_str("]}");
}

fn is_text(line: &[u8]) -> bool {
    std::str::from_utf8(line).is_ok()
}

/// § RFC 8259 7: only what must be escaped is.
fn quote(text: &str, json: &mut String) {
    json.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => json.extend(['\\', char]),
            '\t' => json.push_str("\\t"),
            '\0'..='\u{1f}' => json.push_str(&format!("\\u{:04x}", u32::from(char))),
            _ => json.push(char),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_recipe() {
        let rule = |json: &str| match parse(json.as_bytes()) {
            Ok(recipe) => Ok(recipe.to_json()),
            Err(RecipeError::Json) => Err("json"),
            Err(RecipeError::Rule(_)) => Err("rule"),
            Err(RecipeError::TooLong) => Err("long"),
        };
        for same in [
            r#"{"b":[]}"#,
            r#"{"b":null}"#,
            r#"{"b":[{"c":[1,1]},{"d":["a \"b\" \\ \u0001\t",""]},{"c":[3,9]}]}"#,
            r#"{"b":[{"u":["/w=="]}]}"#,
            r#"{"h":{"list-id":[],"subject":[{"d":["Hi"]},{"c":[1,2]}]}}"#,
            r#"{"h":{"a":[]},"b":[{"c":[1,1]}]}"#,
        ] {
            assert_eq!(rule(same).as_deref(), Ok(same));
        }
        for (json, expected) in [
            (r#"{"x":{"y":[1,[2]]},"b":[{"c":[1,2],"z":0}]}"#, Ok(r#"{"b":[{"c":[1,2]}]}"#)),
            (r#"{"h":{"Subject":[]}}"#, Ok(r#"{"h":{"subject":[]}}"#)),
            ("", Err("json")),
            ("{", Err("json")),
            (r#"{"b":[]}x"#, Err("json")),
            ("{\"b\":[{\"d\":[\"\u{1}\"]}]}", Err("json")),
            (r#"{"b":[{"d":["\ud800"]}]}"#, Err("json")),
            ("{}", Err("rule")),
            ("[]", Err("rule")),
            (r#"{"h":null}"#, Err("rule")),
            (r#"{"h":{}}"#, Err("rule")),
            (r#"{"h":{"a":[],"A":[]}}"#, Err("rule")),
            (r#"{"h":{"a b":[]}}"#, Err("rule")),
            (r#"{"h":{"a:":[]}}"#, Err("rule")),
            (r#"{"h":{"a":null}}"#, Err("rule")),
            (r#"{"b":[],"b":[]}"#, Err("rule")),
            (r#"{"b":[{"c":[0,1]}]}"#, Err("rule")),
            (r#"{"b":[{"c":[2,1]}]}"#, Err("rule")),
            (r#"{"b":[{"c":[1,2]},{"c":[2,3]}]}"#, Err("rule")),
            (r#"{"b":[{"c":[5,6]},{"c":[1,2]}]}"#, Err("rule")),
            (r#"{"b":[{"c":[1,2,3]}]}"#, Err("rule")),
            (r#"{"b":[{"c":[1]}]}"#, Err("rule")),
            (r#"{"b":[{"c":[1.0,2]}]}"#, Err("rule")),
            (r#"{"b":[{"c":[-1,2]}]}"#, Err("rule")),
            (r#"{"b":[{"d":[]}]}"#, Err("rule")),
            (r#"{"b":[{"d":["a\n"]}]}"#, Err("rule")),
            (r#"{"b":[{"d":"a"}]}"#, Err("rule")),
            (r#"{"b":[{"u":["YQ=="]}]}"#, Err("rule")),
            (r#"{"b":[{"u":["/w"]}]}"#, Err("rule")),
            (r#"{"b":[{"u":["/w0="]}]}"#, Err("rule")),
            (r#"{"b":[{"c":[1,1],"d":["a"]}]}"#, Err("rule")),
            (r#"{"b":[{"c":[1,1],"c":[1,1]}]}"#, Err("rule")),
            (r#"{"b":[{}]}"#, Err("rule")),
            (r#"{"b":[1]}"#, Err("rule")),
        ] {
            assert_eq!(rule(json).as_deref().map_err(|error| *error), expected, "{json}");
        }
        let nested = |depth: usize| format!("{{\"x\":{}{},\"b\":[]}}", "[".repeat(depth), "]".repeat(depth));
        // What is passed over is passed over without recursion.
        assert!(parse(nested(100_000).as_bytes()).is_ok(), "the stack is not the sender's");
        let long = vec![b' '; limits::DKIM2_RECIPE_OCTETS + 1];
        assert_eq!(parse(&long), Err(RecipeError::TooLong));
    }
}
