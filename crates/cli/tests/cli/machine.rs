//! What tells a person, a shell or a manual about the command: doctor, completions, man.

use crate::common::Bench;
use lenslet_kernels::Simd;
use std::fs;

#[test]
fn the_doctor_says_which_data_are_there_and_how_to_get_the_others() {
    let bench = Bench::new();
    fs::create_dir_all(bench.path("data/kmnist")).expect("room");
    let text = bench.succeed("doctor");
    for part in [
        env!("CARGO_PKG_VERSION"),
        Simd::available()[0].name(),
        "200 training and 100 test pictures",
        "`cargo xtask fetch fashion-mnist` gets it",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }

    let json: serde_json::Value = serde_json::from_str(&bench.succeed("doctor --json")).expect("JSON");
    let set = |name: &str| {
        let sets = json["data"].as_array().expect("a list");
        sets.iter().find(|set| set["name"] == name).unwrap_or_else(|| panic!("no {name}")).clone()
    };
    assert_eq!(
        (&set("mnist")["training_pictures"], &set("mnist")["problem"]),
        (&200.into(), &serde_json::Value::Null)
    );
    // It is there, but nothing is in it.
    let problem = set("kmnist")["problem"].as_str().expect("one").to_owned();
    assert!(problem.contains("data/kmnist/train-images-idx3-ubyte"), "{problem}");
    assert!(json["memory_bytes"].as_u64() > json["memory_available_bytes"].as_u64());
    assert!(json["threads"].as_u64() > Some(0));
    let names: Vec<_> = Simd::available().into_iter().map(Simd::name).collect();
    assert_eq!(json["simd_available"], serde_json::json!(names));

    let elsewhere = bench.succeed("doctor --data-dir elsewhere");
    assert!(elsewhere.contains("elsewhere/mnist: `cargo xtask fetch mnist` gets it"), "{elsewhere}");
}

#[test]
fn completions_of_every_shell_know_the_commands() {
    let bench = Bench::empty();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = bench.succeed(&format!("completions {shell}"));
        for word in ["train", "lr-find", "learning-rate", "completions"] {
            assert!(script.contains(word), "{shell}: no {word}");
        }
    }
    bench.run(["completions", "tcsh"]).code(2).stdout("");
}

/// bash itself reads the script, and completes.
#[cfg(unix)]
#[test]
fn bash_completes_a_command() {
    let bench = Bench::empty();
    let script = bench.succeed("completions bash");
    let ask = "\nCOMP_WORDS=(lenslet ev) COMP_CWORD=1 COMP_LINE='lenslet ev' COMP_POINT=10\n_lenslet lenslet ev lenslet\n\
               echo \"${COMPREPLY[@]}\"\n";
    fs::write(bench.path("ask.bash"), script + ask).expect("room");
    let Ok(output) = std::process::Command::new("bash").arg(bench.path("ask.bash")).output() else {
        // No bash on this machine.
        return;
    };
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "evaluate", "{output:?}");
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let bench = Bench::empty();
    let page = bench.succeed("man");
    assert!(page.contains(".TH lenslet 1") && page.contains("Exit codes"), "{page}");
    bench.succeed("man --output man1");
    let pages: Vec<_> =
        fs::read_dir(bench.path("man1")).expect("a folder").flatten().map(|e| e.file_name()).collect();
    for name in
        ["lenslet.1", "lenslet-train.1", "lenslet-data-inspect.1", "lenslet-doctor.1", "lenslet-man.1"]
    {
        assert!(pages.contains(&name.into()), "{name} is not among {pages:?}");
    }
    let train = String::from_utf8(bench.bytes("man1/lenslet-train.1")).expect("text");
    assert!(train.contains("\\-\\-learning\\-rate") && train.contains("Examples"), "{train}");
}
