//! Random edits of a rendered environment: each that is forbidden is found at its line, and none that is allowed.
//!
//! What is allowed stands in the text itself, as marks at the ends of its lines (see random.yaml), so that the oracle shares
//! nothing with the rules.

use krm_fn::Stream;
use krm_fn::testing::Random;
use validate_parity::{Allow, Change, compare};

const TEXT: &str = include_str!("random.yaml");
const EDITS: usize = 2000;

/// What happens to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edit {
    Change,
    Remove,
    /// A new field after it.
    Add,
}

/// The mark at the end of a line.
fn mark(line: &str) -> &str {
    line.rsplit_once(" # ").map_or("", |(_, mark)| mark)
}

fn parse(text: &str) -> Stream {
    Stream::parse(text.to_owned()).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

/// The text with one line edited; `None` where that line cannot be edited so.
fn edited(lines: &[&str], at: usize, edit: Edit, number: usize) -> Option<String> {
    let line = lines[at];
    let text = line.trim_start();
    let indent = line.len() - text.len();
    let says = line.split(" # ").next().unwrap_or_default();
    let field = text.contains(": ") || text.ends_with(':');
    let scalar = !says.ends_with(':') && (field || text.starts_with("- "));
    if text.starts_with('#') || text == "---" || mark(line) == "fix" || mark(line) == "name" && edit != Edit::Change {
        return None;
    }
    let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    match edit {
        Edit::Change if scalar && says.ends_with('"') => {
            lines[at] = format!("{}x{number}\"", &says[..says.len() - 1]);
        }
        Edit::Change if scalar => lines[at] = format!("{says}x{number}"),
        // A mapping must keep a field: there is one before it, beside it.
        Edit::Remove if scalar => {
            let sibling = |other: &String| {
                let text = other.trim_start();
                other.len() - text.len() == indent && text.starts_with("- ") == lines[at].trim_start().starts_with("- ")
            };
            let item_of_its_own = text.starts_with("- ") && text.contains(": ");
            let neighbour = sibling(&lines[at - 1]) || lines.get(at + 1).is_some_and(sibling);
            if item_of_its_own || !neighbour {
                return None;
            }
            lines.remove(at);
        }
        Edit::Add if scalar && mark(line).is_empty() && field => {
            let indent = if text.starts_with("- ") { indent + 2 } else { indent };
            lines.insert(at + 1, format!("{}added{number}: x", " ".repeat(indent)));
        }
        _ => return None,
    }
    Some(lines.join("\n") + "\n")
}

/// Whether nothing may be found.
fn is_allowed(mark: &str, edit: Edit) -> bool {
    mark == "free" || mark == "value" && edit == Edit::Change
}

#[test]
fn no_edit_is_no_difference() {
    assert!(compare(&parse(TEXT), &parse(TEXT), &Allow::default()).is_empty());
}

#[test]
fn every_forbidden_edit_is_found_at_its_line_and_no_allowed_one() {
    let lines: Vec<&str> = TEXT.lines().collect();
    let original = parse(TEXT);
    let allow = Allow::default();
    let mut random = Random::new(6);
    let (mut done, mut allowed) = (0, 0);
    while done < EDITS {
        let at = random.below(lines.len());
        let edit = [Edit::Change, Edit::Remove, Edit::Add][random.below(3)];
        let Some(text) = edited(&lines, at, edit, done) else {
            continue;
        };
        let other = parse(&text);
        // The edited side is the left one half of the time.
        let turned = random.below(2) == 1;
        let (left, right) = if turned {
            (&other, &original)
        } else {
            (&original, &other)
        };
        let found = compare(left, right, &allow);
        let says = || format!("{edit:?} of line {}: {}\n{found:#?}", at + 1, lines[at]);
        done += 1;
        if is_allowed(mark(lines[at]), edit) {
            allowed += 1;
            assert!(found.is_empty(), "{}", says());
            continue;
        }
        // A changed line is named on both sides, one that is there on one side only on that side; the name of an object or
        // item by the whole object or item, which begins there or just before.
        let line = at + 1 + usize::from(edit == Edit::Add);
        let near = if mark(lines[at]) == "name" { 4 } else { 0 };
        let named = found.iter().any(|one| {
            let side = match one.change {
                Change::OnlyLeft => one.left,
                Change::OnlyRight => one.right,
                _ => one.right.or(one.left),
            };
            side.is_some_and(|side| (line.saturating_sub(near)..=line).contains(&side.position().line))
        });
        // Items of plain lists have no names: what is removed shows at the next one.
        let item = edit == Edit::Remove && lines[at].trim_start().starts_with("- ");
        assert!(if item { !found.is_empty() } else { named }, "{}", says());
    }
    assert!(allowed > EDITS / 20, "only {allowed} edits were allowed ones");
}

#[test]
fn many_edits_are_found_one_by_one() {
    let lines: Vec<&str> = TEXT.lines().collect();
    let original = parse(TEXT);
    let mut random = Random::new(7);
    for round in 0..50 {
        let mut text: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let mut expected = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            if random.below(4) > 0 || mark(line) == "name" {
                continue;
            }
            if let Some(changed) = edited(&lines, at, Edit::Change, round) {
                text[at] = changed.lines().nth(at).expect("as many lines").to_owned();
                if !is_allowed(mark(line), Edit::Change) {
                    expected.push(at + 1);
                }
            }
        }
        let other = parse(&(text.join("\n") + "\n"));
        let found = compare(&original, &other, &Allow::default());
        let found: Vec<usize> = found.iter().map(|one| one.left.unwrap().position().line).collect();
        assert_eq!(found, expected);
    }
}

/// The line in another hand: other quotes, another comment, an empty line before it.
fn written_otherwise(line: &str, random: &mut Random) -> String {
    let says = line.split(" # ").next().unwrap_or_default();
    let (key, value) = says.split_once(": ").unwrap_or((says, ""));
    let is_text = value.starts_with(|first: char| first.is_ascii_alphabetic())
        && !["true", "false", "null"].contains(&value)
        && !value.contains([':', '#', '\'', '"', '\\']);
    let inside = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let value = match (is_text, inside, random.below(3)) {
        (true, _, 0) => format!(": \"{value}\""),
        (true, _, 1) => format!(":   '{value}'"),
        (_, Some(inside), 0) if !inside.contains(['\'', '\\']) => format!(": '{inside}'"),
        _ if value.is_empty() => String::new(),
        _ => format!(": {value}"),
    };
    let before = if random.below(8) == 0 { "\n# between\n" } else { "" };
    let comment = if random.below(4) == 0 { " # b: [" } else { "" };
    format!("{before}{key}{value}{comment}")
}

#[test]
fn what_is_only_written_otherwise_is_no_difference() {
    let original = parse(TEXT);
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let mut lines: Vec<&str> = TEXT.lines().collect();
        // Fields beside each other change places.
        for at in 1..lines.len() {
            let field = |line: &str| {
                let text = line.trim_start();
                let scalar = text.contains(": ") && !text.starts_with(['-', '#']);
                scalar.then_some(line.len() - text.len())
            };
            if field(lines[at]).is_some() && field(lines[at]) == field(lines[at - 1]) && random.below(2) == 0 {
                lines.swap(at, at - 1);
            }
        }
        let end = if random.below(2) == 0 { "\n" } else { "\r\n" };
        let text: Vec<String> = lines
            .iter()
            .map(|line| {
                if *line == "---" {
                    (*line).to_owned()
                } else {
                    written_otherwise(line, &mut random)
                }
            })
            .collect();
        let text = (text.join("\n") + "\n").replace('\n', end);
        let other = parse(&text);
        assert_ne!(text, TEXT);
        for (left, right) in [(&original, &other), (&other, &original)] {
            let found = compare(left, right, &Allow::default());
            assert!(found.is_empty(), "seed {seed}: {found:#?}\n{text}");
        }
    }
}

#[test]
fn objects_may_change_places_but_none_may_be_missing() {
    let original = parse(TEXT);
    let objects: Vec<&str> = TEXT.split("---\n").collect();
    for at in 0..objects.len() {
        let mut turned = objects.clone();
        turned.rotate_left(at);
        let turned = parse(&turned.join("---\n"));
        assert!(compare(&original, &turned, &Allow::default()).is_empty());
        let mut fewer = objects.clone();
        fewer.remove(at);
        let fewer = parse(&fewer.join("---\n"));
        for (left, right, change) in [
            (&original, &fewer, Change::OnlyLeft),
            (&fewer, &original, Change::OnlyRight),
        ] {
            let found = compare(left, right, &Allow::default());
            assert_eq!(found.len(), 1, "{found:#?}");
            assert_eq!((&found[0].change, found[0].field.as_str()), (&change, ""));
        }
    }
}
