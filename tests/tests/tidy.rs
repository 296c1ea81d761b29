//! The rules of the house, each a function from what is there to what is wrong, and a test that plants a violation.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use weightsmith_tests::root;

/// Who may name whom; packages without the prefix, normal and build dependencies only. `tests` and `benches` may name
/// anything, nobody may name them.
const MAY_NAME: [(&str, &[&str]); 21] = [
    ("runtime", &[]),
    ("tasks", &[]),
    ("kernels", &[]),
    ("priors", &["tasks"]),
    ("datasets", &["tasks"]),
    ("base-model", &["runtime", "tasks", "kernels"]),
    ("metamodel", &["tasks", "kernels", "base-model"]),
    ("selection", &["tasks", "kernels", "priors", "base-model"]),
    ("generation", &["tasks", "kernels", "base-model", "metamodel", "selection", "training"]),
    ("training", &["tasks", "kernels", "priors", "base-model", "metamodel"]),
    ("ledger", &["tasks"]),
    ("lifting", &["tasks", "ledger"]),
    ("evaluation", &["runtime", "tasks", "datasets", "base-model", "metamodel", "generation", "training"]),
    (
        "experiments",
        &["runtime", "tasks", "base-model", "metamodel", "generation", "training", "ledger", "evaluation"],
    ),
    (
        "planner",
        &[
            "runtime",
            "tasks",
            "kernels",
            "priors",
            "datasets",
            "base-model",
            "metamodel",
            "generation",
            "training",
            "ledger",
            "lifting",
            "evaluation",
        ],
    ),
    (
        "self-application",
        &[
            "runtime",
            "tasks",
            "priors",
            "base-model",
            "metamodel",
            "generation",
            "training",
            "ledger",
            "lifting",
            "evaluation",
            "experiments",
            "planner",
        ],
    ),
    (
        "reports",
        &[
            "runtime",
            "tasks",
            "training",
            "ledger",
            "evaluation",
            "experiments",
            "planner",
            "selection",
            "self-application",
        ],
    ),
    ("onnx", &["tasks", "base-model"]),
    (
        "weightsmith",
        &[
            "runtime",
            "tasks",
            "datasets",
            "base-model",
            "metamodel",
            "generation",
            "selection",
            "training",
            "onnx",
        ],
    ),
    (
        "python",
        &["runtime", "tasks", "datasets", "base-model", "generation", "evaluation", "reports", "weightsmith"],
    ),
    (
        "cli",
        &[
            "runtime",
            "tasks",
            "datasets",
            "base-model",
            "metamodel",
            "generation",
            "training",
            "ledger",
            "evaluation",
            "experiments",
            "planner",
            "selection",
            "self-application",
            "reports",
            "weightsmith",
        ],
    ),
];
const FREE: [&str; 2] = ["tests", "benches"];
const PREFIX: &str = "weightsmith-";
/// The front door has no suffix.
const FRONT_DOOR: &str = "weightsmith";
const LONGEST_FILE: usize = 600;

/// What the rules look at in a package.
#[derive(Clone, Debug, Default)]
struct Package {
    /// Without the prefix.
    name: String,
    manifest: String,
    /// Normal and build dependencies.
    dependencies: Vec<String>,
    /// The first lines of its library, binaries, tests, benches and examples, with their paths.
    targets: Vec<(String, String)>,
}

/// A text file, its path relative to the root.
#[derive(Clone, Debug)]
struct Source {
    path: String,
    text: String,
}

/// A package of ours without the prefix; none of others.
fn short_name(name: &str) -> Option<&str> {
    if name == FRONT_DOOR { Some(name) } else { name.strip_prefix(PREFIX) }
}

fn wrong_names(packages: &[Package]) -> Vec<String> {
    let mut wrong = Vec::new();
    for package in packages {
        let rule = MAY_NAME.iter().find(|(name, _)| *name == package.name);
        let free = FREE.contains(&package.name.as_str());
        if rule.is_none() && !free {
            wrong.push(format!("{} is not in the table of who may name whom", package.name));
            continue;
        }
        for other in package.dependencies.iter().filter_map(|name| short_name(name)) {
            let allowed = rule.is_some_and(|(_, allowed)| allowed.contains(&other));
            if FREE.contains(&other) || !(allowed || free) {
                wrong.push(format!("{} may not name {other}", package.name));
            }
        }
    }
    wrong
}

fn anyhow_elsewhere(packages: &[Package]) -> Vec<String> {
    let names =
        |package: &&Package| package.name != "cli" && package.dependencies.iter().any(|d| d == "anyhow");
    packages.iter().filter(names).map(|package| format!("{} uses anyhow", package.name)).collect()
}

fn unshared_lints(packages: &[Package]) -> Vec<String> {
    let shares = |package: &&Package| {
        let lines: Vec<&str> = package.manifest.lines().map(str::trim).collect();
        !lines.windows(2).any(|pair| pair == ["[lints]", "workspace = true"])
    };
    packages.iter().filter(shares).map(|package| format!("{} has lints of its own", package.name)).collect()
}

fn undocumented(packages: &[Package]) -> Vec<String> {
    let targets = packages.iter().flat_map(|package| &package.targets);
    targets
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(path, _)| format!("{path} does not begin with a doc comment"))
        .collect()
}

/// Lines of code that are shipped: no comments, no modules and files for tests alone.
fn shipped(sources: &[Source]) -> Vec<(String, usize, String)> {
    let mut tests = BTreeSet::new();
    for source in sources {
        let lines: Vec<&str> = source.text.lines().collect();
        for pair in lines.windows(2).filter(|pair| pair[0].trim() == "#[cfg(test)]") {
            if let Some(name) = pair[1].trim().strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
                let path = Path::new(&source.path);
                let folder = match path.file_stem().and_then(|stem| stem.to_str()) {
                    Some("lib" | "main" | "mod") | None => path.parent().unwrap().to_path_buf(),
                    Some(_) => path.with_extension(""),
                };
                tests.insert(folder.join(name).with_extension("rs").to_string_lossy().into_owned());
            }
        }
    }
    let mut shipped = Vec::new();
    for source in sources.iter().filter(|source| {
        source.path.contains("src/") && source.path.ends_with(".rs") && !tests.contains(&source.path)
    }) {
        let (mut is_test, mut marked) = (false, false);
        for (number, line) in source.text.lines().enumerate() {
            // A module in braces ends with a brace in the first column.
            let begins = marked && line.starts_with("mod ") && line.ends_with('{');
            is_test |= begins;
            if !is_test && !line.trim_start().starts_with("//") {
                shipped.push((source.path.clone(), number + 1, line.to_string()));
            }
            is_test &= line != "}";
            marked = line.trim() == "#[cfg(test)]";
        }
    }
    shipped
}

/// Places where shipped code of crates that `applies` to has one of the words; a word begins where no name goes on.
fn mentions(sources: &[Source], applies: impl Fn(&str) -> bool, words: &[&str]) -> Vec<String> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let has = |line: &str, word: &str| {
        line.match_indices(word)
            .any(|(at, _)| !line[..at].ends_with(|c| is_name(c) && word.starts_with(is_name)))
    };
    let lines = shipped(sources).into_iter().filter(|(path, ..)| applies(crate_of(path)));
    lines
        .flat_map(|(path, number, line)| {
            let found: Vec<_> = words.iter().filter(|word| has(&line, word)).collect();
            found.into_iter().map(|word| format!("{path}:{number} has {word}")).collect::<Vec<_>>()
        })
        .collect()
}

/// `training` of `crates/training/src/lib.rs`, `kernels` of `kernels/src/lib.rs`.
fn crate_of(path: &str) -> &str {
    let mut parts = path.split('/');
    match parts.next() {
        Some("crates") => parts.next().unwrap_or(""),
        first => first.unwrap_or(""),
    }
}

fn printing_elsewhere(sources: &[Source]) -> Vec<String> {
    let prints = ["println!", "print!", "eprintln!", "eprint!", "dbg!", "io::stdout", "io::stderr"];
    mentions(sources, |name| name != "cli" && !FREE.contains(&name), &prints)
}

fn training_on_the_disk(sources: &[Source]) -> Vec<String> {
    mentions(sources, |name| name == "training", &["std::fs", "fs::", "File::", "OpenOptions"])
}

fn gradients_elsewhere(sources: &[Source]) -> Vec<String> {
    mentions(sources, |name| name != "training" && !FREE.contains(&name), &[".autodiff()"])
}

fn base_model_knows_the_metamodel(sources: &[Source]) -> Vec<String> {
    mentions(sources, |name| name == "base-model", &["weightsmith_metamodel"])
}

fn levels_raised_elsewhere(sources: &[Source]) -> Vec<String> {
    // The constructor itself is in `tasks`.
    mentions(sources, |name| !["tasks", "lifting"].contains(&name) && !FREE.contains(&name), &["::of_runs("])
}

fn too_long(sources: &[Source]) -> Vec<String> {
    let rust = sources.iter().filter(|source| source.path.ends_with(".rs"));
    rust.filter(|source| source.text.lines().count() > LONGEST_FILE)
        .map(|source| format!("{} has more than {LONGEST_FILE} lines", source.path))
        .collect()
}

fn idle_examples(sources: &[Source]) -> Vec<String> {
    // Put together here, so that this file does not find itself.
    let fences = ["ignore", "no_run"].map(|attribute| format!("```{attribute}"));
    let idle =
        |source: &&Source| source.path.ends_with(".rs") && fences.iter().any(|f| source.text.contains(f));
    sources
        .iter()
        .filter(idle)
        .map(|source| format!("{} has a doc example that is not run", source.path))
        .collect()
}

/// Links of Markdown files to files of the repository that are not there; `exists` is asked with a path from the root.
fn dead_links(sources: &[Source], exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for Source { path, text } in sources.iter().filter(|source| source.path.ends_with(".md")) {
        for rest in text.split("](").skip(1) {
            let link = rest.split([')', '#', ' ', '\n']).next().unwrap_or("");
            if link.is_empty() || link.contains("://") {
                continue;
            }
            let mut parts: Vec<&str> = path.split('/').collect();
            parts.pop();
            for part in link.split('/') {
                match part {
                    ".." => _ = parts.pop(),
                    "." => {}
                    part => parts.push(part),
                }
            }
            if !exists(&parts.join("/")) {
                wrong.push(format!("{path} leads to {link}, which is not there"));
            }
        }
    }
    wrong
}

/// Folders of a developer and hosts of a registry: `home` is the root of this checkout.
fn private_places(sources: &[Source], home: &str) -> Vec<String> {
    let homes = ["home", "Users", "root"].map(|folder| format!("/{folder}/"));
    let hosts = ["registry", "mirror", "proxy", "artifact", "nexus", "pypi", "localhost"];
    let mut wrong = Vec::new();
    for Source { path, text } in sources {
        for (number, line) in text.lines().enumerate() {
            let place = format!("{path}:{}", number + 1);
            if line.contains(home) || homes.iter().any(|folder| line.contains(folder.as_str())) {
                wrong.push(format!("{place} names a folder of a developer"));
            }
            let urls =
                line.split("://").skip(1).map(|rest| rest.split(['/', '"', ' ', ')']).next().unwrap_or(""));
            for host in urls.filter(|host| hosts.iter().any(|part| host.contains(part))) {
                wrong.push(format!("{place} names the host {host}"));
            }
        }
    }
    wrong
}

/// Every package of the workspace, as cargo tells.
fn packages() -> Vec<Package> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_string());
    let arguments = ["metadata", "--format-version", "1", "--no-deps", "--offline"];
    let output = Command::new(cargo).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_string();
    let package = |package: &Value| Package {
        name: short_name(&text(&package["name"])).unwrap_or_default().to_string(),
        manifest: fs::read_to_string(text(&package["manifest_path"])).unwrap(),
        dependencies: package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|dependency| dependency["kind"] != "dev")
            .map(|dependency| text(&dependency["name"]))
            .collect(),
        targets: package["targets"]
            .as_array()
            .unwrap()
            .iter()
            .map(|target| text(&target["src_path"]))
            .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
            .collect(),
    };
    metadata["packages"].as_array().unwrap().iter().map(package).collect()
}

/// Every text file that git tracks or would track; without git, every one outside of build folders.
fn sources() -> Vec<Source> {
    let arguments = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let listed = Command::new("git").args(arguments).current_dir(root()).output();
    let paths: Vec<String> = match listed {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).lines().map(str::to_string).collect()
        }
        _ => {
            let mut paths = Vec::new();
            walk(root(), &mut paths);
            let relative = |path: PathBuf| path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            paths.into_iter().map(relative).collect()
        }
    };
    let read = |path: String| Some(Source { text: fs::read_to_string(root().join(&path)).ok()?, path });
    paths.into_iter().filter_map(read).collect()
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name();
        if entry.path().is_dir() {
            if name != "target" && name != ".git" && name != "runs" {
                walk(&entry.path(), paths);
            }
        } else {
            paths.push(entry.path());
        }
    }
}

fn assert_none(rule: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{rule}:\n{}", wrong.join("\n"));
}

#[test]
fn packages_keep_the_rules() {
    let packages = packages();
    let named: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let expected: BTreeSet<&str> = MAY_NAME.iter().map(|(name, _)| *name).chain(FREE).collect();
    assert_eq!(named, expected, "every package has its row in the table, and every row its package");
    assert_none("a package names only those below it", &wrong_names(&packages));
    assert_none("nothing but cli uses anyhow", &anyhow_elsewhere(&packages));
    assert_none("lints are those of the workspace", &unshared_lints(&packages));
    assert_none("every crate says what it is", &undocumented(&packages));
}

#[test]
fn sources_keep_the_rules() {
    let sources = sources();
    // A list that is empty by mistake would keep every rule.
    assert!(shipped(&sources).len() > 5000, "{} lines of code found", shipped(&sources).len());
    assert_none("nothing but cli prints", &printing_elsewhere(&sources));
    assert_none("training touches no disk", &training_on_the_disk(&sources));
    assert_none("only training asks for gradients", &gradients_elsewhere(&sources));
    assert_none("the base model does not know the metamodel", &base_model_knows_the_metamodel(&sources));
    assert_none("only lifting raises a level", &levels_raised_elsewhere(&sources));
    assert_none("files have one subject", &too_long(&sources));
    assert_none("every doc example runs", &idle_examples(&sources));
    assert_none("links lead somewhere", &dead_links(&sources, |path| root().join(path).exists()));
    assert_none("nothing private is in the repository", &private_places(&sources, &root().to_string_lossy()));
}

/// One planted violation a rule, and the same without it.
mod rules_can_fail {
    use super::*;

    fn package(name: &str, dependencies: &[&str]) -> Package {
        let dependencies = dependencies.iter().map(|name| name.to_string()).collect();
        Package { name: name.into(), dependencies, ..Package::default() }
    }

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.into(), text: text.into() }
    }

    #[test]
    fn who_names_whom() {
        let good = [
            package("metamodel", &["weightsmith-base-model", "burn"]),
            package("tests", &["weightsmith-kernels", "weightsmith-cli"]),
        ];
        assert!(wrong_names(&good).is_empty());
        let check = |name: &str, other: &str, expected: &str| {
            assert_eq!(wrong_names(&[package(name, &[other])]), [expected]);
        };
        check("base-model", "weightsmith-metamodel", "base-model may not name metamodel");
        check("cli", "weightsmith-kernels", "cli may not name kernels");
        check("evaluation", "weightsmith-planner", "evaluation may not name planner");
        check("reports", "weightsmith", "reports may not name weightsmith");
        check("benches", "weightsmith-tests", "benches may not name tests");
        for other in ["metamodel", "training"] {
            check("ledger", &format!("weightsmith-{other}"), &format!("ledger may not name {other}"));
        }
        for name in ["metamodel", "priors", "training"] {
            check(name, "weightsmith-ledger", &format!("{name} may not name ledger"));
        }
        check("new", "burn", "new is not in the table of who may name whom");
    }

    #[test]
    fn manifests() {
        assert_eq!(anyhow_elsewhere(&[package("cli", &["anyhow"]), package("tasks", &["anyhow"])]).len(), 1);
        let lints = |manifest: &str| Package { manifest: manifest.into(), ..Package::default() };
        assert!(unshared_lints(&[lints("[lints]\nworkspace = true\n")]).is_empty());
        assert_eq!(unshared_lints(&[lints("[lints]\n[dependencies]\na = { workspace = true }\n")]).len(), 1);
        let target = |text: &str| Package { targets: vec![("a".into(), text.into())], ..Package::default() };
        assert_eq!(undocumented(&[target("//! What it is.\n"), target("use std::fs;\n")]).len(), 1);
    }

    #[test]
    fn code_that_is_shipped() {
        let lib = "//! println! is a word here.\nfn a() {}\n#[cfg(test)]\nmod testing;\n";
        let with_tests = "fn b() {}\n#[cfg(test)]\nmod tests {\n    fn c() {}\n}\nfn d() {}\n";
        let sources = [
            source("crates/x/src/lib.rs", lib),
            source("crates/x/src/testing.rs", "fn e() {}"),
            source("crates/x/src/b.rs", with_tests),
            source("crates/x/tests/t.rs", "fn f() {}"),
        ];
        let lines: Vec<String> = shipped(&sources)
            .into_iter()
            .map(|(.., line)| line)
            .filter(|line| line.contains("fn "))
            .collect();
        assert_eq!(lines, ["fn a() {}", "fn b() {}", "fn d() {}"]);
    }

    #[test]
    fn words_in_code() {
        let in_crate = |name: &str, text: &str| [source(&format!("crates/{name}/src/lib.rs"), text)];
        let print = "fn a() { println!(); }";
        assert_eq!(printing_elsewhere(&in_crate("tasks", print)), ["crates/tasks/src/lib.rs:1 has println!"]);
        assert!(printing_elsewhere(&in_crate("cli", print)).is_empty());
        assert_eq!(printing_elsewhere(&[source("kernels/src/a.rs", "dbg!(1);")]).len(), 1);
        assert!(printing_elsewhere(&in_crate("tasks", "// println!()")).is_empty());
        assert_eq!(training_on_the_disk(&in_crate("training", "use std::fs;")).len(), 1);
        assert!(training_on_the_disk(&in_crate("training", "offs::x(Profile::new());")).is_empty());
        assert!(training_on_the_disk(&in_crate("experiments", "use std::fs;")).is_empty());
        assert_eq!(gradients_elsewhere(&in_crate("metamodel", "device.autodiff()")).len(), 1);
        assert!(gradients_elsewhere(&in_crate("training", "device.autodiff()")).is_empty());
        let lifts = "Support::<Above<L>>::of_runs(table, target)";
        assert_eq!(levels_raised_elsewhere(&in_crate("planner", lifts)).len(), 1);
        assert!(levels_raised_elsewhere(&in_crate("lifting", lifts)).is_empty());
        assert_eq!(
            base_model_knows_the_metamodel(&in_crate("base-model", "use weightsmith_metamodel::X;")).len(),
            1
        );
    }

    #[test]
    fn files() {
        assert!(too_long(&[source("a.rs", &"x\n".repeat(LONGEST_FILE))]).is_empty());
        assert_eq!(too_long(&[source("a.rs", &"x\n".repeat(LONGEST_FILE + 1))]).len(), 1);
        assert_eq!(idle_examples(&[source("a.rs", &format!("/// ```{}", "ignore"))]).len(), 1);
        let links = |text: &str| dead_links(&[source("docs/a/b.md", text)], |path| path == "docs/c.md").len();
        assert_eq!(
            links("[c](../c.md), [c](../c.md#part), [d](./../c.md) and [web](https://example.org/)"),
            0
        );
        assert_eq!(links("[c](c.md)") + links("see ![c](../../c.md) and [part](#part)"), 2);
        let private = |text: &str| private_places(&[source("a.md", text)], "/checkout/of/this").len();
        assert_eq!(private(&format!("see /{}/someone/notes", "home")), 1);
        assert_eq!(private("built in /checkout/of/this/target"), 1);
        assert_eq!(private(&format!("index = \"https://crates.{}.example/index/\"", "proxy")), 1);
        assert_eq!(private("see https://www.rust-lang.org/ and ./home.html"), 0);
    }
}
