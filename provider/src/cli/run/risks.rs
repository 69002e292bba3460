//! Variables that decide which code a program loads. In a container that is the image's affair; on this machine the
//! program runs with the rights of the user.

use std::collections::BTreeMap;

use crate::workload::{Source, Variable};

/// Read by the dynamic linker, by shells, and by the interpreters of languages, before a program does anything of its own.
const LOADERS: [&str; 24] = [
    "PATH",
    "BASH_ENV",
    "BROWSER",
    "CLASSPATH",
    "CORECLR_PROFILER_PATH",
    "DOTNET_STARTUP_HOOKS",
    "GCONV_PATH",
    "GIT_EXEC_PATH",
    "GIT_SSH_COMMAND",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "LUA_CPATH",
    "LUA_INIT",
    "LUA_PATH",
    "NODE_OPTIONS",
    "NODE_PATH",
    "PERL5LIB",
    "PERL5OPT",
    "PHPRC",
    "PHP_INI_SCAN_DIR",
    "PROMPT_COMMAND",
    "RUBYLIB",
    "RUBYOPT",
    "_JAVA_OPTIONS",
];

const PREFIXES: [&str; 4] = ["LD_", "DYLD_", "PYTHON", "BASH_FUNC_"];

/// Variables of Python that many images set, and that load nothing.
const HARMLESS: [&str; 11] = [
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONFAULTHANDLER",
    "PYTHONHASHSEED",
    "PYTHONIOENCODING",
    "PYTHONMALLOC",
    "PYTHONNOUSERSITE",
    "PYTHONOPTIMIZE",
    "PYTHONSAFEPATH",
    "PYTHONUNBUFFERED",
    "PYTHONUTF8",
    "PYTHONTRACEMALLOC",
];

/// What to say of the variables that the manifests set; not of those that the user gave by `--env`.
pub(super) fn warning(variables: &BTreeMap<String, Variable>) -> Option<String> {
    let set = variables
        .iter()
        .filter(|(_, variable)| variable.source != Source::Override);
    let loaders: Vec<&str> = set
        .map(|(name, _)| name.as_str())
        .filter(|name| loads_code(name))
        .collect();
    (!loaders.is_empty()).then(|| {
        format!(
            "the manifest sets {}, which can make a program load other code, with your rights and on this machine. Look \
             at them before you run manifests of others; `--env NAME=VALUE` replaces one",
            loaders.join(", ")
        )
    })
}

fn loads_code(name: &str) -> bool {
    (LOADERS.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))) && !HARMLESS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::loads_code;

    #[test]
    fn what_loads_code_is_told_from_what_does_not() {
        for name in [
            "PATH",
            "LD_PRELOAD",
            "LD_AUDIT",
            "DYLD_INSERT_LIBRARIES",
            "BASH_ENV",
            "NODE_OPTIONS",
            "PYTHONPATH",
            "PYTHONSTARTUP",
            "PYTHONWARNINGS",
        ] {
            assert!(loads_code(name), "{name}");
        }
        for name in ["PYTHONUNBUFFERED", "PGHOST", "MANPATH", "LDAP_URL", "ENV", "NODE_ENV"] {
            assert!(!loads_code(name), "{name}");
        }
    }
}
