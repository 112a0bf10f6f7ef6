//! Two tables to read.

use super::{Case, Report};

/// Kernels with their share of the machine's rate, and workloads.
pub fn render(report: &Report) -> String {
    let machine = &report.machine;
    let (workloads, kernels): (Vec<_>, Vec<_>) =
        report.cases.iter().partition(|case| case.unit == "images/s");
    let mut text = format!(
        "{}, {}, {} threads: matrix product {:.0} GFLOP/s, copy {:.1} GB/s\n",
        machine.cpu, machine.simd, machine.threads, report.gemm, report.copy
    );
    for (title, cases) in [("kernel", kernels), ("workload", workloads)] {
        text += &format!("\n{title:22} {:>18}  {:>7}\n", "rate", "of peak");
        text.extend(cases.into_iter().map(row));
    }
    text
}

fn row(case: &Case) -> String {
    let Case { name, unit, rate, of_peak, .. } = case;
    let digits = if *rate < 100.0 { 1 } else { 0 };
    format!("{name:22} {:>18}  {:>5.0} %\n", format!("{rate:.digits$} {unit:8}"), 100.0 * of_peak)
}

#[cfg(test)]
mod tests {
    use super::super::Machine;
    use super::*;

    #[test]
    fn rates_and_shares_stand_in_columns() {
        let case = |name: &str, unit: &str, rate, of_peak| Case {
            name: name.into(),
            unit: unit.into(),
            rate,
            of_peak,
            in_gemms: Vec::new(),
            in_copies: Vec::new(),
        };
        let report = Report {
            machine: Machine { cpu: "EPYC".into(), simd: "avx512".into(), threads: 2 },
            version: "0.1.0".into(),
            gemm: 216.8,
            copy: 30.3,
            cases: vec![
                case("W2 conv1 forward", "GFLOP/s", 72.62, 0.343),
                case("adam", "GB/s", 88.7, 2.887),
                case("W2 train", "images/s", 10068.3, 0.49),
            ],
        };
        let expected = "\
EPYC, avx512, 2 threads: matrix product 217 GFLOP/s, copy 30.3 GB/s

kernel                               rate  of peak
W2 conv1 forward            72.6 GFLOP/s      34 %
adam                        88.7 GB/s        289 %

workload                             rate  of peak
W2 train                   10068 images/s     49 %
";
        assert_eq!(render(&report), expected);
    }
}
