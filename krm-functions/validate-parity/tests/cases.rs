//! Every case answers as expected.

#[test]
fn every_case_answers_as_expected() {
    krm_fn::testing::run_cases(
        &validate_parity::ValidateParity,
        concat!(env!("CARGO_MANIFEST_DIR"), "/cases"),
    );
}

/// Not a case: nothing sent in again is not the same environment.
#[test]
fn a_silent_validator_answers_no_objects() {
    let input = include_str!("../cases/a_silent_validator_still_fails/input.yaml");
    let with = "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: backend}\nspec: {template: {spec: {containers: \
                [{name: backend, image: 'artefact-store:0.1.0'}]}}}\n";
    let answer = krm_fn::respond(
        &validate_parity::ValidateParity,
        krm_fn::Request {
            way: krm_fn::Way::ResourceList,
            input: input.to_owned(),
            config: None,
            beside: vec![krm_fn::Named {
                name: "prod.yaml".to_owned(),
                text: with.to_owned(),
            }],
        },
    );
    assert_eq!((answer.failed, answer.stderr.as_str()), (false, ""));
    assert!(answer.stdout().contains("\nitems: []\n"), "{}", answer.stdout());
}

/// Not a case either: the objects as they were before the functions are not answered, so nothing can be sent in again.
#[test]
fn what_mlplat_makes_may_differ() {
    let config =
        "apiVersion: mlplat.dev/v1alpha1\nkind: ValidateParity\nmetadata: {name: p}\nspec: {environment: []}\n";
    let named = |name: &str, text: &str| krm_fn::Named {
        name: name.to_owned(),
        text: text.to_owned(),
    };
    let (local, prod) = (
        include_str!("what_mlplat_makes/local.yaml"),
        include_str!("what_mlplat_makes/prod.yaml"),
    );
    for (here, there) in [(local, prod), (prod, local)] {
        let answer = krm_fn::respond(
            &validate_parity::ValidateParity,
            krm_fn::Request {
                way: krm_fn::Way::Pipe,
                input: here.to_owned(),
                config: Some(named("parity.yaml", config)),
                beside: vec![named("there.yaml", there)],
            },
        );
        assert_eq!((answer.failed, answer.stderr.as_str()), (false, ""));
        let stdout = answer.stdout();
        assert!(
            !stdout.contains("before-functions") && stdout.contains("kind: NetworkPolicy"),
            "{stdout}"
        );
    }
}

#[test]
fn the_guide_has_the_reference_of_the_configuration() {
    krm_fn::testing::check_reference(
        env!("CARGO_MANIFEST_DIR"),
        "../../docs/guides/validate-parity.md",
        &[
            ("", "src/config.rs"),
            ("", "src/allow.rs"),
            ("", "../sdk/src/function.rs"),
        ],
    );
}
