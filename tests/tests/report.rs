//! Pages: every figure is the one in the JSON beside it, and a browser opens them without an error.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;
use weightsmith_tests::{Workplace, sample};

const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];
/// Sorts every table of a page by every column, up and down, and fails loudly if the rows do not follow.
const CLICKS: &str = "<script>
let clicks = 0;
for (const table of document.querySelectorAll('table')) {
  const rows = table.tBodies[0].rows.length;
  for (const head of table.tHead.rows[0].cells) {
    for (const order of ['ascending', 'descending']) {
      head.click();
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
document.title = clicks + ' clicks';
</script></body>";

fn workplace() -> Workplace {
    Workplace::new(env!("CARGO_BIN_EXE_weightsmith-under-test"))
}

/// A page with its figures, of each kind.
fn pages(place: &Workplace) -> Vec<&'static str> {
    let methods = "generated,refined,adam-tuned,adam,random-search,linear-tuned,forest,gp,boosting,average,untrained,\
                   shuffled";
    let compare = |data: &str, report: &str| {
        let arguments = [
            "compare",
            "--data",
            data,
            "--support",
            "40",
            "--splits",
            "2",
            "--methods",
            methods,
            "--report",
            report,
        ];
        place.run(&arguments).done();
    };
    compare("sample:iris", "classes.html");
    compare("sample:penguin-mass", "numbers.html");
    for (folder, name) in [("classification", "iris"), ("regression", "cars")] {
        fs::create_dir(place.path(folder)).unwrap();
        let text = sample(name);
        let (header, rows) = text.split_once('\n').unwrap();
        let (columns, _) = header.rsplit_once(',').unwrap();
        for part in ["a", "b", "c"] {
            place.write(&format!("{folder}/{part}.csv"), format!("{columns},target\n{rows}"));
        }
    }
    let arguments = [
        "evaluate",
        "--suite",
        "classification",
        "regression",
        "--support",
        "24,48",
        "--splits",
        "2",
        "--methods",
        "generated,linear-tuned,untrained",
        "--report",
        "suite.html",
    ];
    place.run(&arguments).done();
    vec!["classes", "numbers", "suite"]
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
        .take_while(|c| c.is_ascii_digit() || ".-".contains(*c))
        .collect();
    let n_decimals = number.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let unit = match () {
        () if text.contains("µs") => 1e-6,
        () if text.contains("ms") => 1e-3,
        () if text.contains("min") => 60.0,
        () if text.contains('%') => 1e-2,
        () => 1.0,
    };
    (number.parse::<f64>().unwrap() * unit, 0.5001 * 10f64.powi(-(n_decimals as i32)) * unit)
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

/// The page after its scripts have run, and what the browser has to say about them; none without a browser.
fn opened(page: &Path) -> Option<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--enable-logging=stderr",
        "--virtual-time-budget=2000",
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

#[test]
fn pages_show_the_figures_beside_them_and_open_in_a_browser() {
    let place = workplace();
    for page in pages(&place) {
        let html = String::from_utf8(place.read(&format!("{page}.html"))).unwrap();
        let json: Value = serde_json::from_slice(&place.read(&format!("{page}.json"))).unwrap();
        check_figures(&html, &json, 30);
        for outside in ["http://", "https://", "src=", "@import", "<link"] {
            let names = html.matches(outside).count()
                - html.matches("http://www.w3.org/2000/svg").count() * usize::from(outside == "http://");
            assert_eq!(names, 0, "{page} needs {outside}");
        }
        place.write(&format!("{page}-clicked.html"), html.replacen("</body>", CLICKS, 1));
        let Some((seen, log)) = opened(&place.path(&format!("{page}-clicked.html"))) else {
            println!("skipped: no browser is installed");
            continue;
        };
        assert!(!log.contains("CONSOLE"), "{page}: {log}");
        assert!(seen.contains(" clicks</title>"), "the clicks of {page} did not come to their end");
        // The browser understands every figure as it was written.
        check_figures(&seen, &json, 30);
        assert_eq!(figures(&seen).len(), figures(&html).len());
    }
}

#[test]
fn a_browser_tells_of_a_broken_script() {
    let place = workplace();
    place.write("broken.html", "<!doctype html><body><script>throw new Error('broken');</script></body>");
    if let Some((_, log)) = opened(&place.path("broken.html")) {
        assert!(log.contains("CONSOLE") && log.contains("broken"), "{log}");
    }
}
