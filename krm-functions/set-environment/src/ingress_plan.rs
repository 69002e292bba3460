//! What an entry for Ingresses says, worked out: the annotations of its controller, and whether its parts fit together.

use krm_fn::{Error, Value};

use crate::config::{Alb, Ingress, Nginx, Scheme, TargetType, Tls};

/// The class as it was written before `spec.ingressClassName`; Kubernetes refuses the two together.
const OLD_CLASS: &str = "kubernetes.io/ingress.class";

/// An ALB that has it sends HTTP on, whatever else is said.
const ALB_REDIRECT: &str = "alb.ingress.kubernetes.io/ssl-redirect";

/// What one entry says, worked out.
#[derive(Debug)]
pub(crate) struct Plan<'c> {
    pub(crate) class: Option<&'c str>,
    pub(crate) annotations: Vec<(String, Value)>,
    /// Annotations that are taken away.
    pub(crate) unwanted: Vec<&'static str>,
    pub(crate) tls: Option<&'c Tls>,
}

/// Reads the entry at `place` of the configuration.
pub(crate) fn plan<'c>(place: &str, entry: &'c Ingress) -> Result<Plan<'c>, Error> {
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
    let no_redirect = entry.tls.as_ref().is_some_and(|tls| tls.redirect == Some(false));
    let mut unwanted = Vec::new();
    unwanted.extend(class.map(|_| OLD_CLASS));
    unwanted.extend((entry.alb.is_some() && no_redirect).then_some(ALB_REDIRECT));
    unwanted.retain(|name| annotations.iter().all(|(set, _)| set != name));
    Ok(Plan {
        class,
        annotations,
        unwanted,
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
