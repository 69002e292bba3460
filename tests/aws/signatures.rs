//! Requests are signed as AWS asks: here the emulator checks each of them, and what the user may do.

use crate::{THIS, provider, resource};
use harness::emulators::{Emulator, Kind};
use harness::{Project, http};

/// Calls that moto takes without a signature: those that make the user.
const UNSIGNED: [&str; 3] = [
    "Action=CreateUser&Version=2010-05-08&UserName=terraform",
    "Action=CreateAccessKey&Version=2010-05-08&UserName=terraform",
    "Action=PutUserPolicy&Version=2010-05-08&UserName=terraform&PolicyName=s3&PolicyDocument=%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%5B%22s3%3A%2A%22%2C%22sts%3A%2A%22%5D%2C%22Resource%22%3A%22%2A%22%7D%5D%7D",
];

/// What stands in this element of an answer.
fn element(answer: &str, name: &str) -> String {
    let value = answer
        .split(&format!("<{name}>"))
        .nth(1)
        .and_then(|rest| rest.split('<').next());
    value.unwrap_or_else(|| panic!("no {name} in {answer}")).to_owned()
}

#[test]
fn every_request_is_signed_and_a_wrong_key_is_refused() {
    let emulator = Emulator::start(Kind::Moto, &[("INITIAL_NO_AUTH_ACTION_COUNT", "3")]);
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        (
            "Authorization",
            "AWS4-HMAC-SHA256 Credential=none/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0",
        ),
    ];
    let answers = UNSIGNED.map(|call| {
        let answer = http::call(emulator.address(), "POST", "/", &headers, call);
        assert_eq!(answer.status(), 200, "{call}: {}", answer.text());
        answer.text()
    });
    let (id, secret) = (
        element(&answers[1], "AccessKeyId"),
        element(&answers[1], "SecretAccessKey"),
    );
    let of = |secret: &str| {
        let block = provider(&emulator.url(), "")
            .replace("AKIAIOSFODNN7EXAMPLE", &id)
            .replace("an-emulator-takes-any", secret);
        format!(
            "{block}{}",
            resource("bucket = \"signed\"\ntags = { \"a key\" = \"a+b/c=d\" }")
        )
    };
    let project = Project::new(&of(&secret.replace("&#43;", "+")));
    project.apply();
    project.plans_nothing();
    project.configure(&of("wrong"));
    project.plan().fails_with(&["To fix:"]);
    assert!(project.resource(THIS).is_some(), "it is an error, not gone");
    project.configure(&of(&secret));
    project.destroy();
}
