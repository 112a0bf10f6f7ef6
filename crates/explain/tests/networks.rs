//! Grad-CAM beside numbers made by hand, and on every network that Lenslet ships.

use lenslet_explain::{Error, Explanation, filters};
use lenslet_models::{Design, ZOO};
use lenslet_nn::{Classifier, Initialiser, Parameter, initialise, network, visit_parameters_mut};

network! { Tiny: 1x2x2 => conv(2, 1x1), relu, flatten, dense(2) }

fn tiny() -> Tiny {
    let mut net = Tiny::with_classes(2).expect("two");
    let set = |name: &str, tensor: &mut dyn Parameter| {
        match name {
            "conv1.weight" => tensor.write(&[1.0, -2.0]),
            "conv1.bias" => tensor.write(&[0.0, 3.0]),
            // Four pixels of the first map, four of the second; class after class.
            "dense1.weight" => tensor.write(&[
                1.0, 2.0, 3.0, 4.0, -1.0, -1.0, 0.0, 0.0, //
                0.0, 0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0,
            ]),
            _ => tensor.write(&[0.0, 0.5]),
        }
        Ok::<_, ()>(())
    };
    visit_parameters_mut(&mut net, set).expect("no error");
    net
}

#[test]
fn grad_cam_is_what_one_computes_by_hand() {
    let explanation = Explanation::new(&tiny(), vec![1.0, -1.0, 2.0, 0.5]).expect("four pixels");
    let maps = explanation.feature_maps();
    assert_eq!(maps.len(), 2, "conv1 and relu1");
    assert_eq!((maps[0].layer.as_str(), maps[1].name.as_str()), ("conv(2, 1x1)", "relu1"));
    assert_eq!(maps[0].values, [1.0, -1.0, 2.0, 0.5, 1.0, 5.0, -1.0, 2.0]);
    assert_eq!(maps[1].values, [1.0, 0.0, 2.0, 0.5, 1.0, 5.0, 0.0, 2.0]);

    // The logits are 1*1 + 3*2 + 4*0.5 - 1 - 5 = 3 and 4*1 + 0.5 = 4.5.
    assert_eq!(explanation.best_class(), 1);
    let [first, second] = explanation.probabilities().try_into().expect("two classes");
    assert!((first - 1.0 / (1.0 + 1.5_f32.exp())).abs() < 1e-6 && (first + second - 1.0).abs() < 1e-6);

    // The first class's weights are 2.5 on the first map and -0.5 on the second; the other's are 0 and 1.
    let heat = explanation.grad_cam(0).expect("a class");
    assert_eq!((heat.layer.as_str(), heat.height, heat.width), ("relu1", 2, 2));
    assert_eq!(heat.values, [2.0, 0.0, 5.0, 0.25]);
    assert_eq!(explanation.grad_cam(1).expect("a class").values, [1.0, 5.0, 0.0, 2.0]);
    // Before the ReLU a map's gradient is zero where it is negative: the weights are 2 and -0.5, and 0 and 1.
    assert_eq!(explanation.grad_cam_at("conv1", 0).expect("a layer").values, [1.5, 0.0, 4.5, 0.0]);
}

#[test]
fn what_is_not_there_is_refused_by_name() {
    let net = tiny();
    let picture = Explanation::new(&net, vec![0.0; 5]).err().expect("five pixels");
    assert!(
        picture.to_string().contains("5 numbers") && picture.to_string().contains("takes 4"),
        "{picture}"
    );
    let explanation = Explanation::new(&net, vec![0.0; 4]).expect("four pixels");
    assert!(matches!(explanation.grad_cam(2), Err(Error::Class { class: 2, classes: 2 })));
    for layer in ["flatten1", "relu2"] {
        let error = explanation.grad_cam_at(layer, 0).expect_err("no pictures").to_string();
        assert!(error.contains(layer) && error.contains("conv1, relu1"), "{error}");
    }
}

/// The layer that Grad-CAM looks at, its rows, and how many filters there are.
fn look(design: &Design) -> Option<(String, usize, usize)> {
    let mut net = design.with_classes(10).expect("free");
    initialise(&mut net, Initialiser::GlorotUniform, 1);
    let pixels = (0..design.input.iter().product()).map(|i: usize| (i * 31 % 97) as f32 / 97.0).collect();
    let explanation = Explanation::new(&net, pixels).expect("as many pixels");
    let heat = match explanation.grad_cam(explanation.best_class()) {
        Ok(heat) => heat,
        Err(Error::NoConvolution) => {
            assert!(explanation.feature_maps().is_empty() && filters(&net).is_none());
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    assert!(heat.values.iter().all(|value| *value >= 0.0) && heat.values.iter().any(|value| *value > 0.0));
    Some((heat.layer, heat.height, filters(&net)?.count))
}

#[test]
fn every_network_can_be_explained() {
    for design in ZOO {
        let found = look(design);
        let expected = match design.name {
            "mnist-cnn" => Some(("relu1", 26, 25)),
            "mnist-deep" => Some(("relu3", 7, 32)),
            "cifar-cnn" => Some(("relu3", 16, 50)),
            "cifar-fast" => Some(("relu7", 4, 24)),
            "vgg16" => Some(("relu13", 14, 64)),
            "imagenette-cnn" => Some(("relu3", 14, 25)),
            "imagenette-resnet" => Some(("relu9", 4, 32)),
            _ => None,
        };
        assert_eq!(
            found,
            expected.map(|(layer, rows, count)| (layer.to_owned(), rows, count)),
            "{}",
            design.name
        );
    }
}
