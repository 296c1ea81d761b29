//! Suites, the comparison protocol, statistics and reports
