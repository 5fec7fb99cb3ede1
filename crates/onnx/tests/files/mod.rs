//! What tests against files of the real tool share.
#![allow(dead_code)] // each test uses a part

use std::path::Path;
use twain_graph::Settings;

/// The repository.
pub fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Settings with what EZKL orders by chance in one order.
pub fn ordered(settings: &Settings) -> serde_json::Value {
    let mut value = serde_json::to_value(settings).unwrap();
    let lists = ["/required_lookups", "/required_range_checks", "/einsum_params/equations"];
    for list in lists {
        let list = value.pointer_mut(list).unwrap().as_array_mut().unwrap();
        for item in list.iter_mut() {
            if let Some(axes) = item.get_mut(1).and_then(|axes| axes.as_object_mut()) {
                axes.sort_keys();
            }
        }
        list.sort_by_key(|item| item.to_string());
    }
    value
}
