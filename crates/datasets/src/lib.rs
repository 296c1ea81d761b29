//! CSV files and built-in samples, read as typed tables
