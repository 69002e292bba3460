//! Outside the edits not a byte changes, and the text stays well-formed. The first bytes choose the edits.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: (Vec<u16>, &str)| {
    let (choices, text) = input;
    let mut choices = choices.into_iter();
    krm_fn::testing::edits_stay_inside(text, |bound| {
        usize::from(choices.next().unwrap_or_default()).checked_rem(bound).unwrap_or_default()
    });
});
