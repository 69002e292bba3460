//! The places of one object, as the table has them.

use super::fields::Fields;
use super::table::{self, Part, Place, Workload};
use super::{Around, Container, ContainerType, Image, Pod, below, path};
use crate::{Node, Object};

/// How deep templates may stand in one another.
const NESTED: usize = 8;

/// How many of them one object may have: aliases can multiply them.
const ROOTS: usize = 10_000;

/// How deep objects may stand in one another.
const OBJECTS: usize = 2;

/// All places of an object where containers and what belongs to them stand.
#[derive(Clone, Debug, Default)]
pub struct Places<'a> {
    /// The pods that it makes; none where it is made of containers alone.
    pub pods: Vec<Pod<'a>>,
    /// Its containers, each pod's init containers first.
    pub containers: Vec<Container<'a>>,
    /// Containers that do not run, but whose fields hold for others, such as the `stepTemplate` of a Tekton Task.
    pub defaults: Vec<Container<'a>>,
    /// What holds for containers that do not say otherwise, the nearest first.
    pub around: Vec<Around<'a>>,
    /// All images.
    pub images: Vec<Image<'a>>,
}

/// The table's row of an object.
pub(super) fn row(object: Object<'_>) -> Option<&'static Workload> {
    let kind = object.kind();
    let of_kind = table::workloads().filter(|row| row.kind == kind);
    of_kind.into_iter().find(|row| {
        let api_version = object.api_version();
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        row.groups.contains(&group) && (row.versions.is_empty() || row.versions.contains(&version))
    })
}

impl<'a> Places<'a> {
    /// Those of the table.
    pub(super) fn of(object: Object<'a>) -> Self {
        let mut places = Self::default();
        places.note_object(object, "", OBJECTS);
        places
    }

    fn note_object(&mut self, object: Object<'a>, at: &str, depth: usize) {
        let (Some(row), Some(depth)) = (row(object), depth.checked_sub(1)) else {
            return;
        };
        for part in row.parts {
            for (root, path) in roots(part, object.root()) {
                let path = below(at, &path);
                for place in part.places {
                    self.note(*place, root, &path, depth);
                }
            }
        }
    }

    fn note(&mut self, place: Place, root: Node<'a>, at: &str, depth: usize) {
        for (node, path) in nodes(root, place.path(), at) {
            match place {
                Place::Template(_) => self.note_template(node, &path, Fields::FULL),
                Place::Patch(_, fields) => self.note_template(node, &path, fields),
                Place::Spec(_) => self.note_pod(None, node, path, Fields::FULL),
                Place::Container(_, name, fields) => {
                    self.note_container(node, path, ContainerType::Container, name, fields);
                }
                Place::Sidecar(_, name, fields) => {
                    self.note_container(node, path, ContainerType::Sidecar, name, fields);
                }
                Place::Init(_, name, fields) => {
                    self.note_container(node, path, ContainerType::InitContainer, name, fields);
                }
                Place::Defaults(_, fields) => {
                    let scope = up(&path, 1 + place.path().matches('.').count()).to_owned();
                    let kind = ContainerType::Container;
                    self.note_image(node, "image", &path);
                    self.defaults.push(Container::new(node, path.clone(), kind, "", fields));
                    self.note_around(node, path, scope, true);
                }
                Place::Around(_, keys) => {
                    self.note_volumes(node, &path);
                    let scope = up(&path, keys).to_owned();
                    self.note_around(node, path, scope, false);
                }
                Place::Image(key) => self.note_image(root, key, at),
                Place::Object(_) => self.note_object(Object::new(node), &path, depth),
            }
        }
    }

    /// Adds a pod template that the table does not have, and all that belongs to it.
    pub(super) fn add_template(&mut self, template: Node<'a>, path: &str) {
        let spec = below(path, "spec");
        if self.pods.iter().all(|pod| pod.path != spec) {
            let known = std::mem::take(&mut self.containers);
            self.note_template(template, path, Fields::FULL);
            let is_new = |one: &Container<'_>| known.iter().all(|other| other.path != one.path);
            let new: Vec<Container<'a>> = std::mem::take(&mut self.containers)
                .into_iter()
                .filter(is_new)
                .collect();
            self.containers = known.into_iter().chain(new).collect();
        }
    }

    /// Adds the pods around containers that a user has described by their own paths: `X.spec.containers[0]` stands in the
    /// pod template `X`.
    pub(super) fn note_pods_around(&mut self, object: Object<'a>) {
        let lists = [".containers[", ".initContainers["];
        let spec_of = |path: &str| {
            lists
                .iter()
                .find_map(|list| path.rfind(list).map(|at| path[..at].to_owned()))
        };
        let paths: Vec<String> = self.containers.iter().filter_map(|one| spec_of(&one.path)).collect();
        for path in paths {
            if self.around.iter().any(|around| around.path == path) {
                continue;
            }
            let Some(spec) = path::at(object.root(), &path) else {
                continue;
            };
            let template = path
                .strip_suffix(".spec")
                .and_then(|path| path::at(object.root(), path));
            self.note_volumes(spec, &path);
            self.note_around(spec, path.clone(), path.clone(), false);
            let fields = Fields::FULL;
            self.pods.push(Pod {
                template,
                spec,
                path,
                fields,
            });
        }
    }

    fn note_template(&mut self, template: Node<'a>, path: &str, fields: Fields) {
        if let Some(spec) = template.at(&["spec"]) {
            self.note_pod(Some(template), spec, below(path, "spec"), fields);
        }
    }

    pub(super) fn note_pod(&mut self, template: Option<Node<'a>>, spec: Node<'a>, path: String, fields: Fields) {
        let pod = Pod {
            template,
            spec,
            path,
            fields,
        };
        for container in pod.containers() {
            self.add(container);
        }
        self.note_volumes(spec, &pod.path);
        self.note_around(spec, pod.path.clone(), pod.path.clone(), false);
        self.pods.push(pod);
    }

    fn note_container(&mut self, node: Node<'a>, path: String, kind: ContainerType, name: &str, fields: Fields) {
        // A step of Tekton that refers to a StepAction may have no variables of its own.
        if node.at(&["ref"]).is_none() {
            self.add(Container::new(node, path, kind, name, fields));
        }
    }

    pub(super) fn add(&mut self, container: Container<'a>) {
        self.note_image(container.node, "image", &container.path);
        self.containers.push(container);
    }

    /// Notes what holds for others: the nearest come first.
    fn note_around(&mut self, node: Node<'a>, path: String, scope: String, is_container: bool) {
        let later = |one: &Around<'_>| one.scope.len() < scope.len();
        let at = self.around.iter().position(later).unwrap_or(self.around.len());
        self.around.insert(
            at,
            Around {
                node,
                path,
                is_container,
                scope,
            },
        );
    }

    /// Volumes whose content is an image.
    fn note_volumes(&mut self, owner: Node<'a>, path: &str) {
        let volumes = owner.at(&["volumes"]).into_iter().flat_map(Node::items);
        for (at, volume) in volumes.enumerate() {
            if let Some(image) = volume.at(&["image"]) {
                self.note_image(image, "reference", &below(path, &format!("volumes[{at}].image")));
            }
        }
    }

    fn note_image(&mut self, holder: Node<'a>, key: &'static str, path: &str) {
        let path = path.to_owned();
        if holder.text_at(&[key]).is_some() {
            self.images.push(Image { holder, key, path });
        }
    }
}

/// The roots of a part, with those that are nested in them.
fn roots<'a>(part: &'static Part, object: Node<'a>) -> Vec<(Node<'a>, String)> {
    let mut found = Vec::new();
    for root in part.roots {
        found.extend(nodes(object, root, ""));
    }
    let mut from = 0;
    for _ in 0..NESTED {
        let to = found.len();
        for at in from..to {
            for path in part.nested {
                let (node, at) = found[at].clone();
                if found.len() < ROOTS {
                    found.extend(nodes(node, path, &at));
                }
            }
        }
        from = to;
    }
    found
}

/// The nodes at a path of the table.
fn nodes<'a>(from: Node<'a>, path: &'static str, at: &str) -> Vec<(Node<'a>, String)> {
    let mut found = Vec::new();
    path::walk(from, &path::of_table(path), at, &mut found);
    found
}

/// A path without its last keys.
fn up(path: &str, keys: usize) -> &str {
    let mut path = path;
    for _ in 0..keys {
        path = path.rfind('.').map_or("", |dot| &path[..dot]);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::up;

    #[test]
    fn a_path_loses_its_last_keys() {
        assert_eq!(up("spec.a[0].b", 0), "spec.a[0].b");
        assert_eq!(up("spec.a[0].b", 1), "spec.a[0]");
        assert_eq!(up("spec.a", 3), "");
    }
}
