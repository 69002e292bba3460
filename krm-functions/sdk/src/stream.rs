//! A stream of Kubernetes objects, in the shapes in which they come: a ResourceList, or documents one after the other.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::edits::{EditError, Edits};
use crate::index::Index;
use crate::node::{Node, NodeKind};
use crate::object::Object;
use crate::position::SyntaxError;
use crate::value::Value;

/// Kubernetes objects and the text they stand in.
///
/// ```
/// let stream = krm_fn::Stream::parse("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\n".to_owned())?;
/// let pod = stream.objects().next().unwrap();
/// assert_eq!((pod.kind().as_ref(), pod.name().as_ref()), ("Pod", "a"));
/// # Ok::<(), krm_fn::SyntaxError>(())
/// ```
#[derive(Debug)]
pub struct Stream {
    index: Index,
    shape: Shape,
    objects: Vec<Place>,
}

/// How the objects stand in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The root mapping of a `ResourceList`.
    ResourceList(u32),
    /// YAML documents, or JSON values.
    Documents,
}

/// Where an object stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    object: u32,
    /// The list it is an item of, and its number there.
    item: Option<(u32, u32)>,
}

impl Stream {
    /// Reads YAML or JSON. An error names the line and column.
    pub fn parse(text: String) -> Result<Self, SyntaxError> {
        let index = Index::parse(text)?;
        let roots: Vec<Node<'_>> = index.documents.iter().map(|&id| Node::new(&index, id)).collect();
        let mut objects = Vec::new();
        let mut shape = Shape::Documents;
        match roots.as_slice() {
            [root] if is_resource_list(*root) => {
                shape = Shape::ResourceList(root.id());
                if let Some(items) = root.get("items") {
                    collect(items, &mut objects)?;
                }
            }
            roots => {
                for &root in roots {
                    if is_resource_list(root) {
                        return Err(wrong(root, "a ResourceList must be the only document of its stream"));
                    }
                    add(root, None, &mut objects)?;
                }
            }
        }
        Ok(Self { index, shape, objects })
    }

    /// The same stream, read from a file of this name: messages then name the file, with lines that the user finds there.
    #[must_use]
    pub fn in_file(mut self, name: impl Into<String>) -> Self {
        self.index.file = Some(name.into());
        self
    }

    /// The file that the stream was read from, if messages may name it.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.index.file.as_deref()
    }

    /// The text as it was read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.index.text
    }

    /// The objects in the order of the text; those of a `List` one by one instead of the list.
    pub fn objects(&self) -> impl ExactSizeIterator<Item = Object<'_>> {
        self.objects
            .iter()
            .map(|place| Object::new(Node::new(&self.index, place.object)))
    }

    /// Whether the stream is a `ResourceList`, which can carry results and a function's configuration.
    #[must_use]
    pub fn is_resource_list(&self) -> bool {
        self.resource_list().is_some()
    }

    /// The `ResourceList` itself.
    pub(crate) fn resource_list(&self) -> Option<Node<'_>> {
        match self.shape {
            Shape::ResourceList(id) => Some(Node::new(&self.index, id)),
            Shape::Documents => None,
        }
    }

    /// The `functionConfig` of a `ResourceList`.
    #[must_use]
    pub fn function_config(&self) -> Option<Object<'_>> {
        let config = self.resource_list()?.get("functionConfig")?;
        (config.kind() == NodeKind::Map).then(|| Object::new(config))
    }

    /// Adds objects at the end of the stream.
    pub fn add(&self, objects: &[Value], edits: &mut Edits) -> Result<(), EditError> {
        if objects.is_empty() {
            return Ok(());
        }
        if let Some(list) = self.resource_list() {
            return match list.get("items") {
                Some(items) if items.items().next().is_some() => edits.insert(items, items.items().count(), objects),
                _ => edits.set(list, "items", &Value::Seq(objects.to_vec())),
            };
        }
        // One list is extended: a client that reads a JSON list does not go on to a second document.
        if let (
            [document],
            Some(Place {
                item: Some((items, _)), ..
            }),
        ) = (self.index.documents.as_slice(), self.objects.first())
        {
            let items = Node::new(&self.index, *items);
            if Node::new(&self.index, *document).get("items") == Some(items) {
                return edits.insert(items, items.items().count(), objects);
            }
        }
        let text = &self.index.text;
        let mut added = String::new();
        let line_break = crate::layout::line_break(&self.index);
        if !text.is_empty() && !text.ends_with('\n') {
            added.push_str(line_break);
        }
        // JSON goes on as JSON: a client that has begun to read it takes no `---`.
        let json = text.trim_start().starts_with('{') && !text.contains("\n---");
        for (at, object) in objects.iter().enumerate() {
            if json {
                object.write_flow(&mut added);
            } else {
                if at > 0 || !self.index.documents.is_empty() {
                    added.push_str("---");
                    added.push_str(line_break);
                }
                object.write_block(0, line_break, &mut added);
            }
            added.push_str(line_break);
        }
        edits.append_text(&self.index, &added);
        Ok(())
    }

    /// Takes away the objects that `unwanted` names.
    pub fn remove(&self, unwanted: impl Fn(Object<'_>) -> bool, edits: &mut Edits) -> Result<(), EditError> {
        let mut lists: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for place in &self.objects {
            let node = Node::new(&self.index, place.object);
            if unwanted(Object::new(node)) {
                edits.count_removals(1);
                match place.item {
                    Some((items, at)) => lists.entry(items).or_default().push(at as usize),
                    None => edits.blank(node),
                }
            }
        }
        lists
            .into_iter()
            .try_for_each(|(items, places)| edits.remove(Node::new(&self.index, items), &places))
    }

    /// Puts the edits in order; nothing can be written before.
    pub(crate) fn settle(&self, edits: &mut Edits) -> Result<(), EditError> {
        edits.settle(&self.index)
    }

    /// Writes the text with settled edits.
    pub(crate) fn write(&self, edits: &Edits, to: &mut impl Write) -> io::Result<()> {
        edits.write(&self.index.text, to)
    }

    /// The text with these edits; for tests and programs that go on with it.
    pub fn edited(&self, mut edits: Edits) -> Result<String, EditError> {
        self.settle(&mut edits)?;
        let mut bytes = Vec::with_capacity(self.index.text.len() + 1024);
        self.write(&edits, &mut bytes).expect("writing to memory cannot fail");
        Ok(String::from_utf8(bytes).expect("splices begin and end between characters"))
    }
}

fn is_resource_list(root: Node<'_>) -> bool {
    root.text_at(&["kind"]).is_some_and(|kind| kind == "ResourceList")
        && root
            .text_at(&["apiVersion"])
            .is_some_and(|version| version.starts_with("config.kubernetes.io/"))
}

/// Notes the items of a list.
fn collect(items: Node<'_>, objects: &mut Vec<Place>) -> Result<(), SyntaxError> {
    if items.is_null() {
        return Ok(());
    }
    if items.kind() != NodeKind::Seq {
        return Err(wrong(items, "`items` must be a list"));
    }
    for (at, item) in items.items().enumerate() {
        add(
            item,
            Some((items.id(), u32::try_from(at).expect("ids are u32"))),
            objects,
        )?;
    }
    Ok(())
}

/// Notes one object, or those of a list. Lists in lists are as deep as the text is.
fn add(node: Node<'_>, item: Option<(u32, u32)>, objects: &mut Vec<Place>) -> Result<(), SyntaxError> {
    match node.kind() {
        NodeKind::Map => {}
        NodeKind::Alias => return Err(wrong(node, "an object cannot be an alias. To fix: write it out")),
        _ => {
            return Err(wrong(
                node,
                "expected a Kubernetes object: a mapping with apiVersion, kind and metadata",
            ));
        }
    }
    let Some(kind) = node.text_at(&["kind"]).filter(|kind| !kind.is_empty()) else {
        return Err(wrong(
            node,
            "this object has no `kind`. To fix: name one, or remove the object",
        ));
    };
    // What kubectl and kustomize take for a list: the name ends so, and there are items.
    let items = node
        .get("items")
        .filter(|items| kind.ends_with("List") && items.kind() == NodeKind::Seq);
    if let Some(items) = items {
        return collect(items, objects);
    }
    objects.push(Place {
        object: node.id(),
        item,
    });
    Ok(())
}

fn wrong(node: Node<'_>, message: &str) -> SyntaxError {
    SyntaxError {
        position: node.position(),
        message: message.to_owned(),
    }
}
