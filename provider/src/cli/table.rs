//! Rows as aligned columns.

/// The widest cell that others are aligned with, in characters. A longer one pushes only the rest of its own row to the right.
const WIDEST: usize = 100;

/// One line per row, its cells two spaces apart; the last column is not padded.
pub(super) fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let length = |cell: &String| cell.chars().count();
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
        let lengths = rows.iter().map(|row| length(&row[column]));
        lengths.filter(|length| *length <= WIDEST).max().unwrap_or_default()
    });
    let mut text = String::new();
    for row in rows {
        for (at, (cell, width)) in row.iter().zip(widths).enumerate() {
            text.push_str(cell);
            if at + 1 < COLUMNS {
                let padding = width.saturating_sub(length(cell)) + 2;
                text.extend(std::iter::repeat_n(' ', padding));
            }
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_are_aligned_and_the_last_is_not_padded() {
        let rows = [["A", "1", "x"], ["LONG", "123", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows), "A     1    x\nLONG  123  \n");
        assert_eq!(table::<3>(&[]), "");
    }

    /// Rust's own `{:width$}` takes no width of more than 65,535.
    #[test]
    fn a_cell_of_any_length_moves_nothing_but_its_own_row() {
        let long = "x".repeat(70_000);
        let rows = [
            [long.clone(), long.clone(), "a".to_owned()],
            ["B", "2", "b"].map(str::to_owned),
        ];
        assert_eq!(table(&rows), format!("{long}  {long}  a\nB  2  b\n"));
    }
}
