//! Sizes of the networks, as their sources and other frameworks count them.

use lenslet_models::{
    CifarCnn, CifarFast, ImagenetteCnn, ImagenetteResnet, MnistCnn, MnistDeep, MnistMlp, UnknownNetwork,
    Vgg16, Vgg16Head, ZOO, design, foreign_names,
};
use lenslet_nn::{Classifier, Network, Summary};
use std::collections::BTreeSet;

#[test]
fn parameters_are_those_of_the_sources() {
    assert_eq!(MnistMlp::with_classes(10).expect("free").summary().parameters(), 79_510);
    assert_eq!(MnistCnn::with_classes(10).expect("free").summary().parameters(), 1_691_360);
    assert_eq!(CifarCnn::with_classes(10).expect("free").summary().parameters(), 4_247_985);
    // airbench94's trainable ones; and biases of the convolutions, scales of the norms, and the head's biases.
    let beyond = 1_152 + 1_152 + 10;
    assert_eq!(CifarFast::with_classes(10).expect("free").summary().parameters(), 1_971_640 + beyond);
    assert_eq!(MnistDeep::with_classes(10).expect("free").summary().parameters(), 140_778);
    assert_eq!(ImagenetteCnn::with_classes(10).expect("free").summary().parameters(), 419_220);
    // Thirteen convolutions, as many norms, and the head, by hand.
    assert_eq!(ImagenetteResnet::with_classes(10).expect("free").summary().parameters(), 7_848_330);
    assert_eq!(Vgg16Head::with_classes(10).expect("free").summary().parameters(), 2_510_110);
}

#[test]
fn vgg16_is_the_papers_body_and_a_head() {
    let whole = Vgg16::with_classes(10).expect("free");
    assert_eq!(whole.summary().parameters(), 14_714_688 + 2_510_110);
    let plan = whole.whole_plan().body();
    let body = Summary::new(&plan);
    assert_eq!((body.parameters(), plan.output()), (14_714_688, &Vgg16Head::INPUT[..]));
    // 15.3 G multiply-adds, of which the convolutions are all.
    assert_eq!(body.multiply_adds(), 15_346_630_656);
    // Body and head together have the tensors of the whole, and torchvision a name for each of the body.
    let head = Vgg16Head::with_classes(10).expect("free").whole_plan();
    let names = |names: &mut dyn Iterator<Item = String>| names.collect::<BTreeSet<_>>();
    assert_eq!(names(&mut plan.tensors().chain(head.tensors())), names(&mut whole.whole_plan().tensors()));
    let foreign = foreign_names("vgg16").iter();
    let mut renamed =
        foreign.flat_map(|(_, ours)| ["weight", "bias"].map(|tensor| format!("{ours}{tensor}")));
    assert_eq!(names(&mut renamed), names(&mut plan.tensors()));
    assert!(foreign_names("mnist-cnn").is_empty());
}

#[test]
fn the_table_shows_layers_shapes_and_totals() {
    let table = MnistCnn::with_classes(10).expect("free").summary().to_string();
    for row in ["conv1     conv(25, 3x3)  25x26x26         250        152,100", "1,691,360      1,843,100"] {
        assert!(table.contains(row), "{row:?} is not in\n{table}");
    }
}

#[test]
fn every_name_leads_to_a_network_and_no_other_does() {
    for known in ZOO {
        let network = design(known.name).expect("a name of the zoo").with_classes(3).expect("free");
        assert_eq!((network.classes(), network.input()), (3, known.input), "{}", known.name);
    }
    let error = design("mnist-cmm").err().expect("a slip");
    assert_eq!(error, UnknownNetwork("mnist-cmm".into()));
    assert!(error.to_string().contains("mnist-cnn"), "{error}");
}
