//! The fast readers see what the full parser sees.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| krm_fn::testing::readers_agree(text));
