//! Weights that an ONNX file keeps in other files beside it, as PyTorch exports them: they are read
//! into the model. Nothing outside the model's folder is opened, and no link is followed.

use crate::OnnxError;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};
use tract_onnx::pb::{GraphProto, TensorProto, tensor_proto::DataLocation, tensor_proto::DataType};

/// Reads what the tensors of a graph, and of the graphs inside its nodes, keep in other files.
pub(crate) fn read_external(
    graph: &mut GraphProto,
    folder: Option<&Path>,
) -> Result<(), OnnxError> {
    for tensor in &mut graph.initializer {
        read_tensor(tensor, folder)?;
    }
    for attribute in graph.node.iter_mut().flat_map(|node| &mut node.attribute) {
        for tensor in attribute.t.iter_mut().chain(&mut attribute.tensors) {
            read_tensor(tensor, folder)?;
        }
        for inner in attribute.g.iter_mut().chain(&mut attribute.graphs) {
            read_external(inner, folder)?;
        }
    }
    Ok(())
}

fn read_tensor(tensor: &mut TensorProto, folder: Option<&Path>) -> Result<(), OnnxError> {
    if tensor.data_location != Some(DataLocation::External as i32) {
        return check_length(tensor);
    }
    let entry = |key: &str| {
        let entry = tensor.external_data.iter().find(|entry| entry.key == key);
        entry.map(|entry| entry.value.clone())
    };
    let location = entry("location").unwrap_or_default();
    let fail = |reason: String| OnnxError::ExternalData {
        tensor: tensor.name.clone(),
        file: if location.is_empty() { "another file".into() } else { location.clone() },
        reason,
    };
    let number = |key: &str| match entry(key) {
        None => Ok(None),
        Some(text) => text.parse::<u64>().map(Some).map_err(|_| fail(format!("bad {key}"))),
    };
    let size = size(tensor).ok_or_else(|| fail("its size is not known".into()))?;
    let offset = number("offset")?.unwrap_or(0);
    if number("length")?.is_some_and(|length| length != size) {
        return Err(fail(format!("its length is not the {size} bytes of its shape")));
    }
    let folder = folder.ok_or_else(|| fail("only one file is read".into()))?;
    let path = inside(folder, &location).map_err(fail)?;
    let raw_data = read_part(&path, offset, size).map_err(fail)?;
    tensor.raw_data = raw_data;
    tensor.data_location = None;
    tensor.external_data.clear();
    Ok(())
}

/// Fails if a tensor claims another number of elements than it has: the reader would make room for
/// what it claims.
fn check_length(tensor: &TensorProto) -> Result<(), OnnxError> {
    let elements = tensor
        .dims
        .iter()
        .try_fold(1, |count: u64, dim| count.checked_mul(u64::try_from(*dim).ok()?));
    let lists = [
        tensor.float_data.len(),
        tensor.double_data.len(),
        tensor.int32_data.len(),
        tensor.int64_data.len(),
        tensor.uint64_data.len(),
        tensor.string_data.len(),
    ];
    let fits = match tensor.raw_data.len() as u64 {
        0 => elements.is_some_and(|elements| elements <= lists.iter().sum::<usize>() as u64),
        bytes => size(tensor).is_some_and(|size| size == bytes),
    };
    match fits {
        true => Ok(()),
        false => Err(OnnxError::Analyse(format!(
            "the tensor `{}` has not as many elements as its shape says: the file is damaged",
            tensor.name
        ))),
    }
}

/// The bytes a tensor's elements take.
fn size(tensor: &TensorProto) -> Option<u64> {
    let element = match DataType::from_i32(tensor.data_type)? {
        DataType::Uint8 | DataType::Int8 | DataType::Bool => 1,
        DataType::Uint16 | DataType::Int16 | DataType::Float16 | DataType::Bfloat16 => 2,
        DataType::Float | DataType::Int32 | DataType::Uint32 => 4,
        DataType::Double | DataType::Int64 | DataType::Uint64 => 8,
        _ => return None,
    };
    tensor
        .dims
        .iter()
        .try_fold(element, |size: u64, dim| size.checked_mul(u64::try_from(*dim).ok()?))
}

/// The file of that name in the folder, or in one inside it.
fn inside(folder: &Path, location: &str) -> Result<PathBuf, String> {
    let named = Path::new(location);
    let normal = named.components().all(|part| matches!(part, Component::Normal(_)));
    if location.is_empty() || !normal {
        return Err("only files inside the model's folder are read".into());
    }
    let mut path = folder.to_path_buf();
    for part in named.components() {
        path.push(part);
        let metadata = path.symlink_metadata().map_err(|error| error.to_string())?;
        if metadata.is_symlink() {
            return Err("links are not followed".into());
        }
    }
    match path.is_file() {
        true => Ok(path),
        false => Err("it is not a file".into()),
    }
}

fn read_part(path: &Path, offset: u64, size: u64) -> Result<Vec<u8>, String> {
    let text = |error: std::io::Error| error.to_string();
    let mut file = File::open(path).map_err(text)?;
    let length = file.metadata().map_err(text)?.len();
    if offset.checked_add(size).is_none_or(|end| end > length) {
        return Err(format!("it has {length} bytes, {size} from byte {offset} on are wanted"));
    }
    file.seek(SeekFrom::Start(offset)).map_err(text)?;
    let mut bytes = Vec::new();
    file.take(size).read_to_end(&mut bytes).map_err(text)?;
    match bytes.len() as u64 == size {
        true => Ok(bytes),
        false => Err("it became shorter while it was read".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tract_onnx::pb::StringStringEntryProto;

    fn tensor(entries: &[(&str, &str)]) -> TensorProto {
        let entry = |(key, value): &(&str, &str)| StringStringEntryProto {
            key: (*key).into(),
            value: (*value).into(),
        };
        TensorProto {
            name: "w".into(),
            dims: vec![2, 3],
            data_type: DataType::Float as i32,
            data_location: Some(DataLocation::External as i32),
            external_data: entries.iter().map(entry).collect(),
            ..TensorProto::default()
        }
    }

    fn complaint(folder: &Path, entries: &[(&str, &str)]) -> String {
        read_tensor(&mut tensor(entries), Some(folder)).unwrap_err().to_string()
    }

    #[test]
    fn a_tensor_has_as_many_elements_as_its_shape_says() {
        let inside = |raw: usize, floats: usize| {
            let mut tensor = tensor(&[]);
            tensor.data_location = None;
            tensor.raw_data = vec![0; raw];
            tensor.float_data = vec![0.0; floats];
            read_tensor(&mut tensor, None)
        };
        assert!(inside(24, 0).is_ok() && inside(0, 6).is_ok());
        for (raw, floats) in [(0, 0), (0, 5), (20, 0), (28, 0)] {
            let complaint = inside(raw, floats).unwrap_err().to_string();
            assert!(complaint.contains("`w` has not as many elements"), "{complaint}");
        }
        let mut vast = tensor(&[]);
        vast.data_location = None;
        vast.dims = vec![i64::MAX, i64::MAX];
        assert!(read_tensor(&mut vast, None).is_err());
    }

    #[test]
    fn a_part_of_a_file_in_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..32).collect();
        std::fs::create_dir(folder.path().join("weights")).unwrap();
        std::fs::write(folder.path().join("weights/w.bin"), &bytes).unwrap();
        let entries = [("location", "weights/w.bin"), ("offset", "8"), ("length", "24")];
        let mut read = tensor(&entries);
        read_tensor(&mut read, Some(folder.path())).unwrap();
        assert_eq!(read.raw_data, bytes[8..]);
        assert!(read.data_location.is_none());
    }

    #[test]
    fn what_is_not_in_the_folder_is_not_read() {
        let outside = tempfile::tempdir().unwrap();
        let folder = outside.path().join("model");
        std::fs::create_dir(&folder).unwrap();
        let secret = outside.path().join("secret");
        std::fs::write(&secret, [0; 24]).unwrap();
        std::os::unix::fs::symlink(&secret, folder.join("link")).unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.join("up")).unwrap();
        let absolute = secret.display().to_string();
        for (location, why) in [
            ("../secret", "only files inside"),
            (absolute.as_str(), "only files inside"),
            ("./../secret", "only files inside"),
            ("", "only files inside"),
            ("link", "links are not followed"),
            ("up/secret", "links are not followed"),
            ("none", "No such file"),
        ] {
            let text = complaint(&folder, &[("location", location)]);
            assert!(text.contains(why), "{location}: {text}");
        }
    }

    #[test]
    fn sizes_are_checked_before_memory_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("w"), [0; 30]).unwrap();
        let about = |rest: &[(&str, &str)]| {
            complaint(folder.path(), &[&[("location", "w")], rest].concat())
        };
        assert!(about(&[("offset", "8")]).contains("has 30 bytes, 24 from byte 8 on are wanted"));
        assert!(about(&[("offset", "18446744073709551615")]).contains("are wanted"));
        assert!(about(&[("length", "23")]).contains("not the 24 bytes of its shape"));
        assert!(about(&[("offset", "-1")]).contains("bad offset"));
        let mut vast = tensor(&[("location", "w")]);
        vast.dims = vec![i64::MAX, i64::MAX];
        let error = read_tensor(&mut vast, Some(folder.path())).unwrap_err();
        assert!(error.to_string().contains("its size is not known"));
    }
}
