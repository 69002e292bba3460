//! What a misspelt name may have been meant to be, and what there is instead.

/// How many names a message lists.
const LISTED: usize = 12;

/// The name that is meant most likely; `None` where none is near.
pub fn nearest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let nearest = known.into_iter().map(|known| (distance(found, known), known)).min();
    nearest
        .filter(|(changes, _)| *changes <= 1 + found.len() / 3)
        .map(|(_, known)| known)
}

/// `did you mean `frontend`? There are `backend`, `frontend``, for the end of a sentence about a name that is not there.
pub fn suggestion<'a>(found: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let mut all: Vec<&str> = known.clone().into_iter().filter(|known| !known.is_empty()).collect();
    all.sort_unstable();
    all.dedup();
    let mut listed: Vec<String> = all.iter().take(LISTED).map(|known| format!("`{known}`")).collect();
    match all.len().checked_sub(LISTED) {
        Some(more) if more > 0 => listed.push(format!("{more} more")),
        _ => {}
    }
    match (nearest(found, all.iter().copied()), listed.is_empty()) {
        (_, true) => "there is none".to_owned(),
        (Some(known), _) if listed.len() == 1 => format!("did you mean `{known}`?"),
        (Some(known), _) => format!("did you mean `{known}`? There are {}", listed.join(", ")),
        (None, _) if listed.len() == 1 => format!("there is {}", listed[0]),
        (None, _) => format!("there are {}", listed.join(", ")),
    }
}

/// How many letters must change to make one word the other (Levenshtein), case aside.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.to_lowercase().chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_and_the_others_are_listed() {
        assert_eq!(nearest("fronted", ["backend", "frontend"]), Some("frontend"));
        assert_eq!(nearest("x", ["backend"]), None);
        assert_eq!(
            suggestion("fronted", ["frontend", "backend"]),
            "did you mean `frontend`? There are `backend`, `frontend`"
        );
        assert_eq!(suggestion("api", ["web", "db"]), "there are `db`, `web`");
        assert_eq!(suggestion("web", ["wep"]), "did you mean `wep`?");
        assert_eq!(suggestion("a", []), "there is none");
    }
}
