//! Tells the linkers that want to know, such as that of macOS, that symbols of Python are found when the module is loaded.

fn main() {
    pyo3_build_config::add_extension_module_link_args();
}
