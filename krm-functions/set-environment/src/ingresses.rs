//! Class, annotations and TLS of Ingresses.

use krm_fn::{Error, Node, Object, Value};

use crate::config::{Alb, Ingress, Nginx, Scheme, TargetType, Tls};
use crate::meant::Meant;
use crate::work::Work;

/// The class as it was written before `spec.ingressClassName`; Kubernetes refuses the two together.
const OLD_CLASS: &str = "kubernetes.io/ingress.class";

/// What one entry says, worked out.
struct Plan<'c> {
    class: Option<&'c str>,
    annotations: Vec<(String, Value)>,
    tls: Option<&'c Tls>,
}

/// Serves every Ingress as the last entry says that takes it.
pub(crate) fn apply(entries: &[Ingress], work: &mut Work<'_>) -> Result<(), Error> {
    let mut plans = Vec::with_capacity(entries.len());
    for (at, entry) in entries.iter().enumerate() {
        let place = format!("spec.ingresses[{at}]");
        let plan = plan(&place, entry)?;
        plans.push((plan, Meant::of_objects(place, &entry.selectors)?));
    }
    if entries.is_empty() {
        return Ok(());
    }
    let is_ingress = |object: &Object<'_>| object.kind() == "Ingress" && object.group() == "networking.k8s.io";
    for object in work.stream.objects().filter(is_ingress) {
        let mut last = None;
        for (at, (_, meant)) in plans.iter_mut().enumerate() {
            if meant.takes(object) {
                last = Some(at);
            }
        }
        if let Some((plan, meant)) = last.map(|at| &mut plans[at]) {
            meant.decides = true;
            serve(object, plan, work);
        }
    }
    let problems = plans.iter().filter_map(|(_, meant)| meant.problem("Ingress"));
    problems.for_each(|problem| work.findings.push(problem));
    Ok(())
}

fn plan<'c>(place: &str, entry: &'c Ingress) -> Result<Plan<'c>, Error> {
    let own = match (&entry.alb, &entry.nginx) {
        (Some(_), Some(_)) => {
            return Err(Error::refused(
                format!("{place} has `alb` and `nginx`, but one controller serves an Ingress"),
                "leave one of them, or write two entries with selectors",
            ));
        }
        (Some(_), None) => Some("alb"),
        (None, Some(_)) => Some("nginx"),
        (None, None) => None,
    };
    let class = entry.class_name.as_deref().or(own);
    if class == Some("") {
        return Err(Error::refused(
            format!("{place}.className is empty"),
            "name a class, or remove the field",
        ));
    }
    if let Some(tls) = &entry.tls {
        check_tls(place, tls, entry)?;
    }
    if class.is_none() && entry.tls.is_none() && entry.annotations.is_empty() {
        return Err(Error::refused(
            format!("{place} says nothing about its Ingresses"),
            "set `className`, `alb`, `nginx`, `tls` or `annotations`, or remove the entry",
        ));
    }
    let mut annotations = Vec::new();
    if let Some(alb) = &entry.alb {
        of_alb(alb, entry.tls.as_ref(), &mut annotations);
    }
    if let Some(nginx) = &entry.nginx {
        of_nginx(nginx, entry.tls.as_ref(), &mut annotations);
    }
    for (name, value) in &entry.annotations {
        if name == OLD_CLASS {
            return Err(Error::refused(
                format!("{place}.annotations.{OLD_CLASS} is how the class was written before `ingressClassName`"),
                format!("remove it and set `{place}.className`"),
            ));
        }
        annotations.retain(|(known, _)| known != name);
        annotations.push((name.clone(), Value::from(value.as_str())));
    }
    Ok(Plan {
        class,
        annotations,
        tls: entry.tls.as_ref(),
    })
}

fn check_tls(place: &str, tls: &Tls, entry: &Ingress) -> Result<(), Error> {
    let refused = |what: String, fix: &str| Err(Error::refused(format!("{place}.tls{what}"), fix));
    match (&tls.certificate_arn, &tls.secret_name) {
        (Some(_), Some(_)) => refused(
            " has `certificateArn` and `secretName`".to_owned(),
            "leave the one where the certificate is",
        ),
        (None, None) => refused(
            " names no certificate".to_owned(),
            "set `certificateArn` (ACM, with `alb`) or `secretName`",
        ),
        (Some(_), None) if entry.alb.is_none() => refused(
            ".certificateArn: only an ALB reads certificates from ACM".to_owned(),
            "add `alb: {}`, or set `secretName`",
        ),
        (Some(_), None) if tls.hosts.is_some() => refused(
            ".hosts has no meaning with `certificateArn`: the certificate says for which names it is".to_owned(),
            "remove `hosts`",
        ),
        (Some(arn), None) if !is_acm_arn(arn) => refused(
            format!(".certificateArn: {arn:?} is not the ARN of a certificate in ACM"),
            "write it as `arn:aws:acm:REGION:ACCOUNT:certificate/ID`",
        ),
        (None, Some(_)) if entry.alb.is_some() => refused(
            ".secretName: an ALB reads certificates from ACM, not from Secrets".to_owned(),
            "set `certificateArn`",
        ),
        (None, Some(name)) if name.is_empty() => refused(
            ".secretName is empty".to_owned(),
            "name a Secret of type kubernetes.io/tls",
        ),
        _ if tls.redirect.is_some() && entry.alb.is_none() && entry.nginx.is_none() => refused(
            ".redirect: only `alb` and `nginx` have an annotation for it".to_owned(),
            "add `nginx: {}`, or remove `redirect`",
        ),
        _ => Ok(()),
    }
}

fn is_acm_arn(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [scheme, partition, service, region, account, resource] = parts[..] else {
        return false;
    };
    scheme == "arn"
        && (partition == "aws" || partition.starts_with("aws-"))
        && service == "acm"
        && !region.is_empty()
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && resource.strip_prefix("certificate/").is_some_and(|id| !id.is_empty())
}

fn of_alb(alb: &Alb, tls: Option<&Tls>, annotations: &mut Vec<(String, Value)>) {
    let mut add = |name: &str, value: &str| {
        annotations.push((format!("alb.ingress.kubernetes.io/{name}"), Value::from(value)));
    };
    if let Some(scheme) = alb.scheme {
        add(
            "scheme",
            match scheme {
                Scheme::Internal => "internal",
                Scheme::InternetFacing => "internet-facing",
            },
        );
    }
    if let Some(target) = alb.target_type {
        add(
            "target-type",
            match target {
                TargetType::Ip => "ip",
                TargetType::Instance => "instance",
            },
        );
    }
    let texts = [
        ("group.name", &alb.group_name),
        ("healthcheck-path", &alb.healthcheck_path),
        ("ssl-policy", &alb.ssl_policy),
    ];
    for (name, text) in texts {
        text.iter().for_each(|text| add(name, text));
    }
    if let Some((tls, arn)) = tls.and_then(|tls| Some((tls, tls.certificate_arn.as_deref()?))) {
        add("certificate-arn", arn);
        add("listen-ports", r#"[{"HTTP": 80}, {"HTTPS": 443}]"#);
        if tls.redirect != Some(false) {
            add("ssl-redirect", "443");
        }
    }
}

fn of_nginx(nginx: &Nginx, tls: Option<&Tls>, annotations: &mut Vec<(String, Value)>) {
    let mut add = |name: &str, value: String| {
        annotations.push((format!("nginx.ingress.kubernetes.io/{name}"), Value::from(value)));
    };
    nginx
        .proxy_body_size
        .iter()
        .for_each(|size| add("proxy-body-size", size.clone()));
    let timeouts = [
        ("proxy-read-timeout", nginx.proxy_read_timeout),
        ("proxy-send-timeout", nginx.proxy_send_timeout),
    ];
    for (name, seconds) in timeouts {
        seconds.iter().for_each(|seconds| add(name, seconds.to_string()));
    }
    if let Some(tls) = tls {
        add("ssl-redirect", (tls.redirect != Some(false)).to_string());
    }
}

fn serve(object: Object<'_>, plan: &Plan<'_>, work: &mut Work<'_>) {
    let root = object.root();
    let (Some(metadata), Some(spec)) = (root.at(&["metadata"]), root.at(&["spec"])) else {
        return work.refuse(
            object,
            "spec",
            "it is missing. To fix: write the Ingress's rules".to_owned(),
        );
    };
    if let Some(class) = plan.class {
        let outcome = work.set(spec, "ingressClassName", &Value::from(class));
        work.note(object, "spec.ingressClassName", outcome);
    }
    annotate(object, metadata, plan, work);
    let Some(tls) = plan.tls else { return };
    let outcome = match &tls.secret_name {
        // The load balancer has the certificate; a Secret of the base is not there in this environment.
        None => work.edits.unset(spec, &["tls"]),
        Some(secret) => {
            let mut one = Vec::new();
            let hosts = tls.hosts.clone().unwrap_or_else(|| hosts_of(spec));
            if !hosts.is_empty() {
                let hosts = hosts.into_iter().map(Value::from).collect();
                one.push(("hosts".to_owned(), Value::Seq(hosts)));
            }
            one.push(("secretName".to_owned(), Value::from(secret.as_str())));
            work.set(spec, "tls", &Value::Seq(vec![Value::Map(one)]))
        }
    };
    work.note(object, "spec.tls", outcome);
}

fn annotate(object: Object<'_>, metadata: Node<'_>, plan: &Plan<'_>, work: &mut Work<'_>) {
    let field = "metadata.annotations";
    let there = metadata
        .get("annotations")
        .filter(|there| there.get(OLD_CLASS).is_some());
    let outcome = match there.filter(|_| plan.class.is_some()) {
        None => work.set_below(metadata, "annotations", &plan.annotations),
        // A mapping that loses all it has is written anew.
        Some(there) if there.entries().count() == 1 => {
            let annotations = Value::Map(plan.annotations.clone());
            work.edits.set(metadata, "annotations", &annotations)
        }
        Some(there) => work
            .edits
            .unset(there, &[OLD_CLASS])
            .and_then(|()| work.set_below(metadata, "annotations", &plan.annotations)),
    };
    work.note(object, field, outcome);
}

/// The hosts of the rules, each once.
fn hosts_of(spec: Node<'_>) -> Vec<String> {
    let mut hosts: Vec<String> = Vec::new();
    for rule in spec.at(&["rules"]).into_iter().flat_map(Node::items) {
        match rule.text_at(&["host"]) {
            Some(host) if !host.is_empty() && hosts.iter().all(|known| *known != host) => hosts.push(host.into_owned()),
            _ => {}
        }
    }
    hosts
}
