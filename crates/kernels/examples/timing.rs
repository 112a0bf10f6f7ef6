use lenslet_kernels::*;
use std::time::Instant;
fn numbers(n: usize) -> Vec<f32> {
    (0..n).map(|i| ((i as u32).wrapping_mul(2654435761) >> 8) as f32 / (1 << 23) as f32 - 1.0).collect()
}
fn time(mut f: impl FnMut()) -> f64 {
    f();
    let mut best = f64::MAX;
    let t0 = Instant::now();
    while t0.elapsed().as_secs_f64() < 0.7 {
        let t = Instant::now();
        f();
        best = best.min(t.elapsed().as_secs_f64());
    }
    best
}
fn conv(
    name: &str,
    batch: usize,
    input: [usize; 3],
    filters: usize,
    k: usize,
    s: usize,
    p: usize,
    bwd: bool,
) {
    let w = Window { kernel: [k, k], stride: [s, s], padding: Padding::symmetric(p) };
    let c = Conv2d::new(input, filters, w).unwrap();
    let x = numbers(batch * input.iter().product::<usize>());
    let wt = numbers(filters * input[0] * k * k);
    let b = numbers(filters);
    let mut y = vec![0.0; batch * c.output().iter().product::<usize>()];
    let fl = 2e-9 * (c.multiply_adds() * batch) as f64;
    let t = time(|| c.forward(&x, &wt, &b, Activation::Relu, &mut y));
    print!("{name:14} fwd {:8.3} ms {:6.1} GFLOP/s", t * 1e3, fl / t);
    if bwd {
        let mut dy = numbers(y.len());
        let (mut dw, mut db, mut dx) = (wt.clone(), b.clone(), x.clone());
        let t1 = time(|| {
            c.backward(&x, &wt, None, &mut dy, ConvGradients { input: None, weight: &mut dw, bias: &mut db })
        });
        let t2 = time(|| {
            c.backward(
                &x,
                &wt,
                None,
                &mut dy,
                ConvGradients { input: Some(&mut dx), weight: &mut dw, bias: &mut db },
            )
        });
        print!(
            "  dW {:8.3} ms {:6.1}  dX {:8.3} ms {:6.1}",
            t1 * 1e3,
            fl / t1,
            (t2 - t1) * 1e3,
            fl / (t2 - t1)
        );
    }
    println!();
}
fn dense(name: &str, n: usize, i: usize, o: usize) {
    let d = Dense::new(i, o).unwrap();
    let x = numbers(n * i);
    let w = numbers(i * o);
    let b = numbers(o);
    let mut y = vec![0.0; n * o];
    let fl = 2e-9 * (i * o * n) as f64;
    let t = time(|| d.forward(&x, &w, &b, Activation::Relu, &mut y));
    let (mut dw, mut db, mut dx) = (w.clone(), b.clone(), x.clone());
    let t1 = time(|| {
        d.backward(&x, &w, None, &mut y, DenseGradients { input: None, weight: &mut dw, bias: &mut db })
    });
    let t2 = time(|| {
        d.backward(
            &x,
            &w,
            None,
            &mut y,
            DenseGradients { input: Some(&mut dx), weight: &mut dw, bias: &mut db },
        )
    });
    println!(
        "{name:14} fwd {:8.3} ms {:6.1} GFLOP/s  dW {:8.3} ms {:6.1}  dX {:8.3} ms {:6.1}",
        t * 1e3,
        fl / t,
        t1 * 1e3,
        fl / t1,
        (t2 - t1) * 1e3,
        fl / (t2 - t1)
    );
}
fn main() {
    let which: Vec<String> = std::env::args().skip(1).collect();
    let on = |n: &str| which.is_empty() || which.iter().any(|w| n.contains(w.as_str()));
    let c = |n: &str, b, i, f, k, s, p, bw| {
        if on(n) {
            conv(n, b, i, f, k, s, p, bw)
        }
    };
    c("w2c1", 128, [1, 28, 28], 25, 3, 1, 0, true);
    c("w3c1", 128, [3, 32, 32], 50, 3, 1, 1, true);
    c("w3c2", 128, [50, 32, 32], 75, 3, 1, 1, true);
    c("w3c3", 128, [75, 16, 16], 125, 3, 1, 1, true);
    c("w4c1", 32, [3, 224, 224], 25, 5, 1, 2, true);
    c("w4c2", 32, [25, 112, 112], 50, 5, 2, 2, true);
    c("w4c3", 32, [50, 28, 28], 70, 3, 2, 1, true);
    c("vgg1_1", 8, [3, 224, 224], 64, 3, 1, 1, false);
    c("vgg1_2", 8, [64, 224, 224], 64, 3, 1, 1, false);
    c("vgg2_2", 8, [128, 112, 112], 128, 3, 1, 1, false);
    c("vgg3_2", 8, [256, 56, 56], 256, 3, 1, 1, false);
    c("vgg4_2", 8, [512, 28, 28], 512, 3, 1, 1, false);
    c("vgg5_1", 8, [512, 14, 14], 512, 3, 1, 1, true);
    let d = |n: &str, b, i, o| {
        if on(n) {
            dense(n, b, i, o)
        }
    };
    d("w1d1", 128, 784, 100);
    d("w2d1", 128, 16900, 100);
    d("w3d1", 128, 8000, 500);
    d("w3d2", 128, 500, 250);
    if on("misc") {
        let mut x = numbers(1690000);
        let (mut m, mut v) = (vec![0.1; x.len()], vec![0.1; x.len()]);
        let mut g = x.clone();
        let a = AdamStep::new(1e-3, [0.9, 0.999], 1e-8, 0.0, 10);
        let t = time(|| a.apply(&mut x, &mut g, &mut m, &mut v));
        println!("adam {:.3} ms", t * 1e3);
        let x = numbers(128 * 16900);
        let mut y = x.clone();
        let t = time(|| to_channels_first(&x, [25, 26, 26], &mut y));
        println!("transpose {:.3} ms", t * 1e3);
    }
}
