//! Every kernel under criterion, which compares with the run before: `cargo bench -p lenslet-benches -- "W3 conv"`.
//! "elem" are flops; what moves memory is in bytes.

#![allow(missing_docs, reason = "criterion's macros make items without them")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lenslet_benches::{Work, kernels, yardsticks};
use std::time::Duration;

fn kernels(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("kernels");
    group.sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(1));
    for case in yardsticks().into_iter().chain(kernels::cases()) {
        group.throughput(match case.work {
            Work::Flops(flops) => Throughput::Elements(flops as u64),
            Work::Bytes(bytes) => Throughput::BytesDecimal(bytes as u64),
        });
        let (mut prepare, mut run) = (Some(case.prepare), None);
        group.bench_function(case.name, |bencher| {
            // Criterion calls this several times, and not at all where a filter leaves the case out.
            if let Some(prepare) = prepare.take() {
                run = Some(prepare().unwrap_or_else(|error| panic!("{error}")));
            }
            let run = run.as_mut().expect("prepared by the first call");
            bencher.iter(|| run().unwrap_or_else(|error| panic!("{error}")));
        });
    }
    group.finish();
}

criterion_group!(benches, kernels);
criterion_main!(benches);
