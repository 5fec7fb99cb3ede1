//! Which files of a crate import which, as far as sources alone tell: `use` declarations and paths
//! are followed through modules, re-exports and globs to the file that holds what they name.

use proc_macro2::{TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Attribute, Item, ItemMod, ItemUse, Meta, UseTree, Visibility};

/// Renamed and renaming declarations that lead to each other end here.
const DEEPEST: usize = 16;

/// A file names something of another file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    pub from: PathBuf,
    pub line: usize,
    /// As written.
    pub path: String,
    pub to: PathBuf,
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, line, path, to } = self;
        write!(f, "{}:{line}: {path} ({})", from.display(), to.display())
    }
}

/// The imports of the crate with the root file `root`, by paths from `base`. What is only compiled
/// for tests does not count, nor do re-exports from inside a module.
pub fn imports(root: &Path, base: &Path) -> Vec<Import> {
    let mut sources = Sources { base, modules: BTreeMap::new(), mentions: Vec::new() };
    sources.read(root, Address::new(), root.parent().unwrap());
    let imports = sources.mentions.iter().filter_map(|mention| sources.import(mention));
    let imports: BTreeSet<Import> = imports.collect();
    imports.into_iter().collect()
}

/// A module's path from the crate's root.
type Address = Vec<String>;

struct Module {
    file: PathBuf,
    /// What it defines.
    names: BTreeSet<String>,
    uses: Vec<Use>,
}

/// One name of a `use` declaration.
#[derive(Clone)]
struct Use {
    path: Vec<String>,
    /// The name it gets here; none: all names there.
    name: Option<String>,
}

/// A path in a module's source.
struct Mention {
    module: Address,
    line: usize,
    path: Vec<String>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Use,
    Reexport,
    /// Inside code: counts only if it begins with a module, the declaration that brought anything
    /// else into scope is looked at itself.
    Code,
}

/// Where a path leads.
enum Target {
    Module(Address),
    /// Something that is defined in this module.
    Item(Address),
}

struct Sources<'a> {
    base: &'a Path,
    modules: BTreeMap<Address, Module>,
    mentions: Vec<Mention>,
}

impl Sources<'_> {
    /// Reads a file; its child modules lie in `folder`.
    fn read(&mut self, file: &Path, address: Address, folder: &Path) {
        let text = std::fs::read_to_string(file)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let parsed =
            syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.read_items(&parsed.items, file, &address, folder);
    }

    fn read_items(&mut self, items: &[Item], file: &Path, address: &Address, folder: &Path) {
        let shown = file.strip_prefix(self.base).unwrap_or(file).to_path_buf();
        let mut module = Module { file: shown, names: BTreeSet::new(), uses: Vec::new() };
        let mut reader = Reader { module: address, mentions: &mut self.mentions };
        for item in items.iter().filter(|item| !only_for_tests(attributes(item))) {
            reader.visit_item(item);
            match item {
                Item::Use(declaration) => {
                    flatten(&declaration.tree, &mut Vec::new(), &mut module.uses);
                }
                other => module.names.extend(name(other)),
            }
        }
        self.modules.insert(address.clone(), module);
        for item in items {
            let Item::Mod(ItemMod { attrs, ident, content, .. }) = item else { continue };
            if only_for_tests(attrs) {
                continue;
            }
            let inner = [&address[..], &[ident.to_string()]].concat();
            let folder = folder.join(ident.to_string());
            match content {
                Some((_, items)) => self.read_items(items, file, &inner, &folder),
                None => {
                    let beside = folder.with_extension("rs");
                    let file = if beside.exists() { beside } else { folder.join("mod.rs") };
                    self.read(&file, inner, &folder);
                }
            }
        }
    }

    fn import(&self, mention: &Mention) -> Option<Import> {
        let Mention { module, line, path, kind } = mention;
        if *kind == Kind::Code && !matches!(self.first(module, &path[0], 0)?, Target::Module(_)) {
            return None;
        }
        let (Target::Module(to) | Target::Item(to)) = self.resolve(module, path, 0)?;
        let inside = to.len() > module.len() && to.starts_with(module);
        let from = &self.modules[module].file;
        let to = &self.modules[&to].file;
        if from == to || *kind == Kind::Reexport && inside {
            return None;
        }
        Some(Import { from: from.clone(), line: *line, path: path.join("::"), to: to.clone() })
    }

    /// Where a path leads from a module; nowhere if it leads out of the crate.
    fn resolve(&self, module: &Address, path: &[String], depth: usize) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        let mut target = self.first(module, first, depth)?;
        for name in rest {
            target = match target {
                Target::Module(at) if name == "super" => Target::Module(parent(&at)?),
                Target::Module(at) if name == "self" => Target::Module(at),
                // What macros make is not seen.
                Target::Module(at) => self.find(&at, name, depth).unwrap_or(Target::Item(at)),
                item => return Some(item),
            };
        }
        Some(target)
    }

    fn first(&self, module: &Address, name: &str, depth: usize) -> Option<Target> {
        match name {
            "crate" => Some(Target::Module(Address::new())),
            "self" => Some(Target::Module(module.clone())),
            "super" => Some(Target::Module(parent(module)?)),
            _ => self.find(module, name, depth),
        }
    }

    /// What a name means in a module.
    fn find(&self, address: &Address, name: &str, depth: usize) -> Option<Target> {
        let module = self.modules.get(address)?;
        let child = [&address[..], &[name.to_string()]].concat();
        if self.modules.contains_key(&child) {
            return Some(Target::Module(child));
        }
        if module.names.contains(name) {
            return Some(Target::Item(address.clone()));
        }
        if depth == DEEPEST {
            return None;
        }
        let mut named = module.uses.iter().filter(|one| one.name.as_deref() == Some(name));
        let mut globs = module.uses.iter().filter(|one| one.name.is_none());
        named.find_map(|one| self.resolve(address, &one.path, depth + 1)).or_else(|| {
            globs.find_map(|one| match self.resolve(address, &one.path, depth + 1)? {
                Target::Module(at) => self.find(&at, name, depth + 1),
                Target::Item(_) => None,
            })
        })
    }
}

fn parent(address: &Address) -> Option<Address> {
    address.split_last().map(|(_, parent)| parent.to_vec())
}

/// Notes all paths in a module.
struct Reader<'a> {
    module: &'a Address,
    mentions: &'a mut Vec<Mention>,
}

impl Reader<'_> {
    fn note(&mut self, line: usize, path: Vec<String>, kind: Kind) {
        self.mentions.push(Mention { module: self.module.clone(), line, path, kind });
    }

    /// Paths in what a macro is given.
    fn scan(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let (mut line, mut colons) = (0, 0);
        for token in tokens {
            match &token {
                TokenTree::Ident(ident) if colons == 2 && !path.is_empty() => {
                    path.push(ident.to_string());
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                other => {
                    self.end(line, &mut path);
                    if let TokenTree::Ident(ident) = other {
                        line = ident.span().start().line;
                        path.push(ident.to_string());
                    }
                }
            }
            colons = 0;
            if let TokenTree::Group(group) = token {
                self.scan(group.stream());
            }
        }
        self.end(line, &mut path);
    }

    fn end(&mut self, line: usize, path: &mut Vec<String>) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.note(line, path, Kind::Code);
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_mod(&mut self, _: &'ast ItemMod) {
        // Read by itself.
    }

    fn visit_item_use(&mut self, declaration: &'ast ItemUse) {
        let public = !matches!(declaration.vis, Visibility::Inherited);
        let kind = if public { Kind::Reexport } else { Kind::Use };
        let mut uses = Vec::new();
        flatten(&declaration.tree, &mut Vec::new(), &mut uses);
        let line = declaration.span().start().line;
        uses.into_iter().for_each(|one| self.note(line, one.path, kind));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            let names = path.segments.iter().map(|segment| segment.ident.to_string());
            self.note(path.span().start().line, names.collect(), Kind::Code);
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.scan(call.tokens.clone());
    }

    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

/// The names of a `use` declaration, each with its whole path.
fn flatten(tree: &UseTree, before: &mut Vec<String>, uses: &mut Vec<Use>) {
    let mut add = |last: Option<String>, name: Option<String>| {
        let path = before.iter().cloned().chain(last).collect();
        uses.push(Use { path, name });
    };
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, uses);
            before.pop();
        }
        UseTree::Name(name) if name.ident == "self" => add(None, before.last().cloned()),
        UseTree::Name(name) => add(Some(name.ident.to_string()), Some(name.ident.to_string())),
        UseTree::Rename(name) if name.ident == "self" => add(None, Some(name.rename.to_string())),
        UseTree::Rename(name) => add(Some(name.ident.to_string()), Some(name.rename.to_string())),
        UseTree::Glob(_) => add(None, None),
        UseTree::Group(group) => {
            group.items.iter().for_each(|tree| flatten(tree, before, uses));
        }
    }
}

/// Whether an item is compiled for tests only: `#[cfg(test)]` or `#[cfg(all(test, ...))]`.
fn only_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string().replace(' ', "");
            condition == "test" || condition.starts_with("all(test,")
        }
        Meta::Path(path) => path.is_ident("test"),
        _ => false,
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The name an item gives to something.
fn name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}
