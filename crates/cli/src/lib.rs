//! The command line of weightsmith
