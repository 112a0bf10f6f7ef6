//! Wrong shapes do not compile, and the error names the layer and both sizes.

#[test]
fn wrong_shapes_are_refused_by_name() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile/*.rs");
}
