type Net = lenslet_nn::layers!(3x8x8 => residual(conv(3, 3x3, same)), flatten, dense(10));

fn main() {}
