//! Pages: every figure is the one in the JSON beside it, and a browser opens them without an error.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;
use weightsmith_tests::{Workplace, sample, tiny_experiment};

const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];
/// Sorts every table of a page by every column, up and down, by buttons that keys reach too, and fails loudly if the rows do
/// not follow; then checks that the page fits a phone, and that tables which do not say so.
const CLICKS: &str = "<script>
let clicks = 0;
for (const table of document.querySelectorAll('table')) {
  const rows = table.tBodies[0].rows.length;
  for (const head of table.tHead.rows[0].cells) {
    const button = head.querySelector('button');
    button.focus();
    if (document.activeElement !== button || button.textContent === '') throw new Error('no key reaches a head');
    for (const order of ['ascending', 'descending']) {
      button.click();
      clicks += 1;
      const figures = [...table.tBodies[0].rows].map(row => row.cells[head.cellIndex].querySelector('data'))
        .filter(found => found).map(found => Number(found.value));
      const sorted = [...figures].sort((a, b) => order === 'ascending' ? a - b : b - a);
      if (String(figures) !== String(sorted)) throw new Error('not sorted: ' + figures);
      if (head.getAttribute('aria-sort') !== order) throw new Error('not told: ' + order);
      if (table.tBodies[0].rows.length !== rows) throw new Error('rows are lost');
    }
  }
}
for (const box of document.querySelectorAll('.scroll')) {
  const goesOn = box.scrollWidth > box.clientWidth + 1;
  if (box.classList.contains('scrolls') !== goesOn) throw new Error('a table that goes on does not say so');
}
if (document.documentElement.scrollWidth > innerWidth) throw new Error('the page is wider than the screen');
document.title = clicks + ' clicks';
</script></body>";

fn workplace() -> Workplace {
    Workplace::new(env!("CARGO_BIN_EXE_weightsmith-under-test"))
}

/// Runs a command to its end; its arguments are parted by spaces.
fn run(place: &Workplace, arguments: &str) {
    place.run(&arguments.split_whitespace().collect::<Vec<_>>()).done();
}

/// Writes a folder of tables with a column `target`, all of them a sample's rows.
fn suite(place: &Workplace, folder: &str, name: &str, tables: &[&str]) {
    fs::create_dir(place.path(folder)).unwrap();
    let text = sample(name);
    let (header, rows) = text.split_once('\n').unwrap();
    let (columns, _) = header.rsplit_once(',').unwrap();
    for table in tables {
        place.write(&format!("{folder}/{table}.csv"), format!("{columns},target\n{rows}"));
    }
}

/// The figures of a page: where they stand in the JSON, their exact value, and what a reader sees.
fn figures(html: &str) -> Vec<(String, f64, String)> {
    let attribute = |tag: &str, name: &str| {
        let from = tag.find(&format!("{name}=\"")).unwrap() + name.len() + 2;
        tag[from..from + tag[from..].find('"').unwrap()].to_string()
    };
    let tags = html.split("<data ").skip(1).map(|rest| rest.split_once("</data>").unwrap().0);
    tags.map(|tag| {
        let (head, text) = tag.split_once('>').unwrap();
        (attribute(head, "data-pointer"), attribute(head, "value").parse().unwrap(), text.to_string())
    })
    .collect()
}

/// The number that a reader sees, in the unit of the figure, and half of its last digit.
fn shown(text: &str) -> (f64, f64) {
    let number: String = text
        .chars()
        .skip_while(|c| !c.is_ascii_digit() && *c != '-')
        .take_while(|c| c.is_ascii_digit() || ".,-e".contains(*c))
        .filter(|c| *c != ',')
        .collect();
    let (mantissa, exponent) = number.split_once('e').unwrap_or((&number, "0"));
    let n_decimals = mantissa.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let unit = match () {
        () if text.contains("µs") => 1e-6,
        () if text.contains("ms") => 1e-3,
        () if text.contains("min") => 60.0,
        () if text.ends_with(" h") => 3600.0,
        () if text.contains("MB") => 1e6,
        () if text.contains('%') => 1e-2,
        () => 1.0,
    };
    let scale = 10f64.powi(exponent.parse().unwrap()) * unit;
    (mantissa.parse::<f64>().unwrap() * scale, 0.5001 * 10f64.powi(-(n_decimals as i32)) * scale)
}

fn check_figures(html: &str, json: &Value, at_least: usize) {
    let found = figures(html);
    assert!(found.len() >= at_least, "{} figures", found.len());
    for (pointer, value, text) in found {
        let stored = json.pointer(&pointer).and_then(Value::as_f64);
        let stored = stored.unwrap_or_else(|| panic!("nothing at {pointer} for {text}"));
        assert!((stored - value).abs() <= 1e-12 * stored.abs(), "{pointer}: {stored} is not {value}");
        let (read, tolerance) = shown(&text);
        assert!(
            (read - value).abs() <= tolerance + 1e-9 * value.abs(),
            "{pointer}: \"{text}\" is not {value}"
        );
    }
}

/// The page after its scripts have run on a screen of a phone's width, and what the browser has to say about them; none
/// without a browser.
fn opened(page: &Path) -> Option<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--enable-logging=stderr",
        "--virtual-time-budget=2000",
        "--window-size=420,900",
        "--dump-dom",
    ];
    let profile = format!("--user-data-dir={}", folder.path().display());
    let url = format!("file://{}", page.display());
    let run = |browser: &str| Command::new(browser).args(arguments).args([&profile, &url]).output().ok();
    let output = BROWSERS.into_iter().find_map(run)?;
    assert!(output.status.success(), "{output:?}");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some((text(&output.stdout), text(&output.stderr)))
}

/// Checks what every page must keep: it shows at least so many figures, each the one in the JSON beside it; it needs nothing
/// from outside; its pictures say in words what they show; a browser opens it, and sorts every table of it, without an error.
#[expect(clippy::print_stdout, reason = "a check that was skipped is told")]
fn check_page(place: &Workplace, page: &str, at_least: usize) {
    let html = String::from_utf8(place.read(&format!("{page}.html"))).unwrap();
    let json: Value = serde_json::from_slice(&place.read(&format!("{page}.json"))).unwrap();
    check_figures(&html, &json, at_least);
    for outside in ["http://", "https://", "src=", "@import", "<link"] {
        let names = html.matches(outside).count()
            - html.matches("http://www.w3.org/2000/svg").count() * usize::from(outside == "http://");
        assert_eq!(names, 0, "{page} needs {outside}");
    }
    let n_pictures = html.matches("<svg ").count();
    let n_told =
        html.matches("<svg role=\"img\" aria-label=\"").count() - html.matches("aria-label=\"\"").count();
    assert!(
        n_pictures > 0 && n_told == n_pictures,
        "{page}: {n_told} of {n_pictures} pictures say what they show"
    );
    place.write(&format!("{page}-clicked.html"), html.replacen("</body>", CLICKS, 1));
    let Some((seen, log)) = opened(&place.path(&format!("{page}-clicked.html"))) else {
        println!("skipped: no browser is installed");
        return;
    };
    assert!(!log.contains("CONSOLE"), "{page}: {log}");
    assert!(seen.contains(" clicks</title>"), "the clicks of {page} did not come to their end");
    // The browser understands every figure as it was written.
    check_figures(&seen, &json, at_least);
    assert_eq!(figures(&seen).len(), figures(&html).len());
}

#[test]
fn comparisons() {
    let place = workplace();
    let methods = "generated,refined,adam-tuned,adam,random-search,linear-tuned,forest,gp,boosting,average,untrained,shuffled";
    for (data, page) in [("iris", "classes"), ("penguin-mass", "numbers")] {
        let settings = format!("--support 40 --splits 2 --methods {methods} --report {page}.html");
        run(&place, &format!("compare --data sample:{data} {settings}"));
        check_page(&place, page, 150);
    }
}

#[test]
fn evaluations() {
    let place = workplace();
    suite(&place, "classification", "iris", &["a", "b", "c"]);
    suite(&place, "regression", "cars", &["a", "b", "c"]);
    let settings =
        "--support 24,48 --splits 2 --methods generated,linear-tuned,untrained --report suite.html";
    run(&place, &format!("evaluate --suite classification regression {settings}"));
    check_page(&place, "suite", 150);
    let html = String::from_utf8(place.read("suite.html")).unwrap();
    assert!(html.contains("too few tables to tell"), "three tables do not tell who is better");
}

#[test]
fn benches() {
    let place = workplace();
    suite(&place, "suite", "iris", &["a", "b"]);
    place.write("train.toml", tiny_experiment("classification", 3, 30));
    let runs =
        "[[run]]\nname = \"adamw\"\n[[run]]\nname = \"muon\"\nset.training.optimiser.rule = \"muon\"\n";
    let evaluation = "[evaluation]\nsupport = [16, 32]\nsplits = 2\nviews = 1\n";
    place.write("rules.toml", format!("folder = \"runs\"\nbase = \"train.toml\"\n{runs}{evaluation}"));
    run(&place, "bench rules.toml --threads 1 --suite suite --report bench.html");
    check_page(&place, "bench", 60);
}

#[test]
fn plans_and_what_is_said_of_them() {
    let place = workplace();
    suite(&place, "tables", "iris", &["iris"]);
    run(&place, "plan collect --synthetic 10 --recipes 12 --support 24,48 --steps 64 --ledger runs.ledger");
    run(
        &place,
        "plan collect --synthetic 0 --suite tables --recipes 3 --support 30 --steps 64 --ledger iris.ledger",
    );
    let plan =
        "plan --data sample:penguins --support 48 --ledger runs.ledger --run --tries 1 --report plan.html";
    run(&place, plan);
    check_page(&place, "plan", 40);
    run(&place, "plan assess --ledger runs.ledger --folds 2 --report assessment.html");
    check_page(&place, "assessment", 60);
    let trial = "plan trial --suite tables --ledger runs.ledger --tested iris.ledger --support 30";
    run(&place, &format!("{trial} --report decisions.html"));
    check_page(&place, "decisions", 60);
}

#[test]
fn starts_on_sine_waves() {
    let place = workplace();
    run(&place, "sinusoid --tasks 60 --report waves.html");
    check_page(&place, "waves", 300);
    // What the page is for: with 10 rows and one step MAML has at most a third of the error of a pre-trained network.
    let json: Value = serde_json::from_slice(&place.read("waves.json")).unwrap();
    let error = |name: &str| {
        let start = json["starts"].as_array().unwrap().iter().find(|start| start["name"] == name).unwrap();
        let point = &start["curves"][1]["points"][1];
        assert_eq!((&start["curves"][1]["n_shots"], &point["n_steps"]), (&10.into(), &1.into()));
        point["error"]["mean"].as_f64().unwrap()
    };
    assert!(error("maml") < error("pretrained") / 3.0);
}

#[test]
fn self_application() {
    let place = workplace();
    let tiny = "--iterations 3 --cost 1 2 --data-sets 4 --acceptance 16 --folder own --report own.html";
    run(&place, &format!("self-apply --recipes random {tiny}"));
    run(&place, &format!("self-apply --controls 1 --confirm 2 {tiny}"));
    check_page(&place, "own", 60);
}

#[test]
fn a_report_can_be_pictures_alone() {
    let place = workplace();
    run(&place, "compare --data sample:iris --support 40 --splits 2 --methods generated --report dots.svg");
    let svg = String::from_utf8(place.read("dots.svg")).unwrap();
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>") && svg.matches("<g ").count() == 4, "{svg}");
    assert!(!place.path("dots.json").exists(), "pictures have no figures beside them");
}

#[test]
fn a_browser_tells_of_a_broken_script() {
    let place = workplace();
    place.write("broken.html", "<!doctype html><body><script>throw new Error('broken');</script></body>");
    if let Some((_, log)) = opened(&place.path("broken.html")) {
        assert!(log.contains("CONSOLE") && log.contains("broken"), "{log}");
    }
}
