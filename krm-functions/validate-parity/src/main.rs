//! `validate-parity`: fails when two rendered environments differ in more than an environment may.

fn main() -> std::process::ExitCode {
    krm_fn::main(&validate_parity::ValidateParity)
}
