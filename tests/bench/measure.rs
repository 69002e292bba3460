//! Runs a command and asks the operating system what it took.
//! The bench starts itself once per run, so that the accounting of "my children" is that of one command.

use nix::sys::resource::{UsageWho, getrusage};
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// From start to exit, in milliseconds.
    pub(crate) wall_ms: f64,
    /// User and system time of the command and its children, in milliseconds.
    pub(crate) cpu_ms: f64,
    /// Peak memory of the largest process, in MiB.
    pub(crate) peak_mib: f64,
}

/// The child's side: runs the command and prints its usage on standard error.
pub(crate) fn one(command: &[String]) {
    let (program, arguments) = command.split_first().expect("--measure is followed by a command");
    let start = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .status()
        .expect("the measured command starts");
    let wall_ms = start.elapsed().as_secs_f64() * 1e3;
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the system accounts for children");
    let ms = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 * 1e3 + time.tv_usec() as f64 / 1e3;
    let cpu_ms = ms(usage.user_time()) + ms(usage.system_time());
    eprintln_usage(wall_ms, cpu_ms, usage.max_rss() as f64 / 1024.0);
    std::process::exit(status.code().unwrap_or(1));
}

#[allow(clippy::print_stderr, reason = "how the measuring child answers")]
fn eprintln_usage(wall_ms: f64, cpu_ms: f64, peak_mib: f64) {
    eprintln!("usage {wall_ms} {cpu_ms} {peak_mib}");
}

/// Runs commands `runs` times after one warm-up, in turns, so that whatever else the machine does meets all alike; each
/// figure is its command's median.
///
/// # Panics
/// When a command fails; what it printed is the message.
pub(crate) fn medians<const N: usize>(
    runs: usize,
    input: Option<&Path>,
    commands: [&dyn Fn(&mut Command); N],
) -> [Usage; N] {
    let mut taken: [Vec<Usage>; N] = std::array::from_fn(|_| Vec::new());
    for run in 0..=runs {
        for (command, taken) in commands.iter().zip(&mut taken) {
            let usage = once(input, command);
            if run > 0 {
                taken.push(usage);
            }
        }
    }
    taken.map(|taken| {
        let middle = |figure: fn(&Usage) -> f64| {
            let mut figures: Vec<f64> = taken.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        };
        Usage {
            wall_ms: middle(|run| run.wall_ms),
            cpu_ms: middle(|run| run.cpu_ms),
            peak_mib: middle(|run| run.peak_mib),
        }
    })
}

fn once(input: Option<&Path>, command: &dyn Fn(&mut Command)) -> Usage {
    let mut measured = Command::new(std::env::current_exe().expect("the bench has a path"));
    measured.arg("--measure").stdout(Stdio::null()).stderr(Stdio::piped());
    measured.stdin(input.map_or_else(Stdio::null, |path| File::open(path).expect("the input exists").into()));
    command(&mut measured);
    let output = measured.output().expect("the bench starts itself");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let line = text
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("usage "))
        .expect("a usage line");
    let figures: Vec<f64> = line
        .split(' ')
        .map(|figure| figure.parse().expect("a number"))
        .collect();
    Usage {
        wall_ms: figures[0],
        cpu_ms: figures[1],
        peak_mib: figures[2],
    }
}
