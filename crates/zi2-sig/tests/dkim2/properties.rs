//! What must hold for any message and any change: what we extend verifies, and undoing gives back what came in.

use proptest::prelude::*;
use zi2_mail::Message;
use zi2_sig::dkim2::{BodyRecipe, Draft, Recipe, apply, hashed_header, recipe_for, undo};

use crate::forge::*;
use crate::kit::{Dns, json, message, verify};

/// The vectors that pass, with envelope and time.
fn passing() -> Vec<(Vec<u8>, zi2_sig::dkim2::Envelope, u64)> {
    let cases = json("cases.json");
    let passing = cases.as_array().unwrap().iter().filter(|case| case["expected"] == "pass");
    let read = |case: &serde_json::Value| {
        let rcpt = case["rcpt_to"].as_array().unwrap().iter().map(|rcpt| rcpt.as_str().unwrap());
        let envelope = zi2_sig::dkim2::Envelope::of(case["mail_from"].as_str().unwrap().as_bytes(), rcpt);
        let mail = message(&format!("expected/{}", case["file"].as_str().unwrap()));
        (mail, envelope, case["now"].as_u64().unwrap())
    };
    passing.map(read).collect()
}

/// Whatever octets are changed: it is judged, the text fits a line of SMTP, and a pass is about the same message.
#[test]
fn edited_vectors() {
    let (vectors, dns) = (passing(), Dns::of_vectors());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(3000));
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4);
    let strategy = (any::<prop::sample::Index>(), edits, any::<bool>());
    let outcome = runner.run(&strategy, |(which, edits, cut)| {
        let (mail, envelope, now) = which.get(&vectors);
        let mut edited = mail.clone();
        for (at, octet) in edits {
            // Mostly in the fields, of which there are fewer octets than of bodies.
            let end = if cut { edited.len().min(900) } else { edited.len() };
            edited[at.index(end)] = octet;
        }
        let verdict = verify(&edited, envelope, *now, &Default::default(), &dns);
        let text = verdict.failure().map(ToString::to_string).unwrap_or_default();
        prop_assert!(text.bytes().all(|octet| (b' '..=b'~').contains(&octet)), "{}", text);
        prop_assert!(verdict.failure().and_then(|failure| failure.place.offset).is_none_or(|at| at <= edited.len()));
        if verdict.result() == "pass" {
            let (before, after) = (Message::split(mail), Message::split(&edited));
            prop_assert_eq!(hashed_header(&after.header, Draft::D08), hashed_header(&before.header, Draft::D08));
            prop_assert_eq!(without_trailing_lines(after.body), without_trailing_lines(before.body));
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

/// Lines as mail has them: words, blanks, octets beyond ASCII, MIME boundaries.
fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[ -~]{0,40}".prop_map(String::into_bytes),
        prop::collection::vec(prop_oneof![0x20..0x7f_u8, 0x80..=0xff_u8], 0..12),
        Just(b"--=_boundary".to_vec()),
        Just(b"--=_boundary--".to_vec()),
        Just(Vec::new()),
        "\\PC{0,12}".prop_map(String::into_bytes),
    ]
}

fn body() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(line(), 0..30)
}

fn header() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let name =
        prop::sample::select(vec!["Subject", "To", "Cc", "List-Id", "Comments", "comments", "X-Tag", "Received"]);
    let value = line().prop_map(|line| line.into_iter().filter(|octet| *octet != 0x7f && *octet >= 0x20).collect());
    prop::collection::vec((name.prop_map(str::to_owned), value), 0..8)
}

fn mail(header: &[(String, Vec<u8>)], body: &[Vec<u8>]) -> Vec<u8> {
    let mut mail = b"From: Ann <ann@a.example>\r\n".to_vec();
    for (name, value) in header {
        mail.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    mail.extend_from_slice(b"\r\n");
    body.iter().for_each(|line| mail.extend([line, b"\r\n".as_slice()].concat()));
    mail
}

/// Drops, doubles, moves and edits items.
fn changed<T: Clone>(items: &[T], edits: &[(u8, u8)], new: &[T]) -> Vec<T> {
    let mut items = items.to_vec();
    for (kind, at) in edits {
        let at = usize::from(*at) % (items.len() + 1);
        match kind % 4 {
            0 if at < items.len() => drop(items.remove(at)),
            1 if at < items.len() => items.insert(at, items[at].clone()),
            2 if at < items.len() => items.swap(0, at),
            _ => items.insert(at, new[usize::from(*kind) % new.len()].clone()),
        }
    }
    items
}

fn is_empty(recipe: &Recipe) -> bool {
    recipe.header().len() == 0 && *recipe.body() == BodyRecipe::Unchanged
}

fn without_trailing_lines(body: &[u8]) -> &[u8] {
    body.strip_suffix(b"\r\n").map_or(body, without_trailing_lines)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_extended_verifies_and_is_undone(
        header in header(), body in body(), edits in prop::collection::vec(any::<(u8, u8)>(), 0..6),
        header_edits in prop::collection::vec(any::<(u8, u8)>(), 0..4), lines in prop::collection::vec(line(), 1..4),
    ) {
        let original = mail(&header, &body);
        let first = originate(&original, to("<ann@a.example>", &["<list@b.example>"]), identity("a.example")).unwrap();
        let new_fields = [("List-Id".to_owned(), b"x".to_vec()), ("Subject".to_owned(), b"[x]".to_vec())];
        let edited = mail(&changed(&header, &header_edits, &new_fields), &changed(&body, &edits, &lines));
        let fields = &first[..first.len() - original.len()];
        let outgoing = [fields, &edited].concat();
        let by = envelope("<ann@a.example>", &["<list@b.example>"]);
        let terms = to("<bounce@b.example>", &["<carol@c.example>"]);
        let second = hop(&first, &by, &outgoing, &terms, &identity("b.example")).unwrap();
        let evidence = evidence(&second, &envelope("<bounce@b.example>", &["<carol@c.example>"]));
        let undone = undo(&Message::split(&second), evidence.chain(), 1).unwrap();
        let (undone, original) = (Message::split(&undone), Message::split(&original));
        prop_assert_eq!(hashed_header(&undone.header, Draft::D08), hashed_header(&original.header, Draft::D08));
        prop_assert_eq!(without_trailing_lines(undone.body), without_trailing_lines(original.body));
    }

    #[test]
    fn recipes_survive_their_json(header in header(), body in body(), other in body(), fields in header()) {
        let (before, after) = (mail(&header, &body), mail(&fields, &other));
        let (before, after) = (Message::split(&before), Message::split(&after));
        let Ok(recipe) = recipe_for(&before, &after, Draft::D08) else { return Ok(()) };
        if is_empty(&recipe) {
            return Ok(());
        }
        prop_assert_eq!(&Recipe::parse(recipe.to_json().as_bytes()).unwrap().to_json(), &recipe.to_json());
        let made = apply(&after, &recipe, Draft::D08).unwrap();
        let made = Message::split(&made);
        prop_assert_eq!(hashed_header(&made.header, Draft::D08), hashed_header(&before.header, Draft::D08));
        prop_assert_eq!(without_trailing_lines(made.body), without_trailing_lines(before.body));
    }

    #[test]
    fn refolding_is_no_change(value in "[a-z]{1,8}( [a-z]{1,8}){0,6}", at in any::<prop::sample::Index>()) {
        let spaces: Vec<usize> = value.match_indices(' ').map(|(at, _)| at).collect();
        let plain = format!("From: a@a.example\r\nSubject: {value}\r\n\r\nx\r\n");
        let folded = match spaces.is_empty() {
            true => plain.replace("Subject: ", "Subject:\r\n\t"),
            false => {
                let at = spaces[at.index(spaces.len())];
                format!("From: a@a.example\r\nSubject:  {}\r\n  {}\r\n\r\nx\r\n\r\n", &value[..at], &value[at + 1..])
            }
        };
        let (plain, folded) = (Message::split(plain.as_bytes()), Message::split(folded.as_bytes()));
        prop_assert!(is_empty(&recipe_for(&plain, &folded, Draft::D08).unwrap()));
    }
}
