//! The pages of a provider that has a bit of everything, word by word; `UPDATE=1` rewrites them.

mod library;

use std::fs;
use std::path::Path;

fn example(file: &str) -> Option<String> {
    Some(match file {
        "provider/provider.tf" => "provider \"library\" {}\n".to_owned(),
        "resources/library_shelf/resource.tf" => "resource \"library_shelf\" \"it\" {\n  name = \"a\"\n}\n".to_owned(),
        "resources/library_shelf/import.sh" => "terraform import library_shelf.it a\n".to_owned(),
        "functions/label/function.tf" => {
            "output \"label\" {\n  value = provider::library::label(\"a\", 1)\n}\n".to_owned()
        }
        _ => return None,
    })
}

#[test]
fn the_pages_are_what_they_were() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages");
    let pages = library::provider().pages(example);
    #[expect(clippy::disallowed_methods, reason = "a test's own switch")]
    let update = std::env::var_os("UPDATE").is_some();
    for (name, page) in &pages {
        let path = folder.join(name.replace('/', "-"));
        if update {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, page).unwrap();
        }
        let stored = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            *page,
            stored,
            "{name} differs from {}; UPDATE=1 rewrites it",
            path.display()
        );
    }
    assert_eq!(
        fs::read_dir(&folder).unwrap().count(),
        pages.len(),
        "a page is left over in {}",
        folder.display()
    );
}
