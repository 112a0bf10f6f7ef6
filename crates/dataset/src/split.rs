use crate::random::{purpose, rng, shuffle};
use crate::{Dataset, Error, ErrorKind};

const PURPOSE: u64 = purpose("split");

/// Divides a dataset in two by chance, each class in the same proportion.
///
/// Returns the sorted indices of the rest and of the held-out part, which has `fraction` of all samples,
/// rounded to the nearest. Each class gives its own share rounded up or down: up where the most would be
/// lost (Hamilton's method of largest remainders). The seed alone decides; give the indices to
/// [`Subset`](crate::Subset).
///
/// # Errors
///
/// [`ErrorKind::Fraction`] when a part would be empty, [`ErrorKind::LabelOutOfRange`] when a label names
/// no class, and what [`Dataset::label`] reports.
pub fn stratified_split(
    dataset: &dyn Dataset,
    fraction: f64,
    seed: u64,
) -> Result<(Vec<usize>, Vec<usize>), Error> {
    let len = dataset.len();
    let total = (len as f64 * fraction).round();
    // A NaN is in no range.
    if !(1.0..len as f64).contains(&total) {
        return Err(ErrorKind::Fraction { fraction, len }.into());
    }
    let members = indices_by_class(dataset)?;
    let counts = apportion(&members, fraction, total as usize);

    let (mut rest, mut held_out) = (Vec::with_capacity(len), Vec::with_capacity(total as usize));
    for (class, (mut indices, count)) in members.into_iter().zip(counts).enumerate() {
        shuffle(&mut indices, &mut rng([seed, 0, class as u64, PURPOSE]));
        held_out.extend_from_slice(&indices[..count]);
        rest.extend_from_slice(&indices[count..]);
    }
    rest.sort_unstable();
    held_out.sort_unstable();
    Ok((rest, held_out))
}

fn indices_by_class(dataset: &dyn Dataset) -> Result<Vec<Vec<usize>>, Error> {
    let classes = dataset.classes().len();
    let mut members = vec![Vec::new(); classes];
    for index in 0..dataset.len() {
        let label = dataset.label(index)?;
        let class = members
            .get_mut(label)
            .ok_or_else(|| Error::from(ErrorKind::LabelOutOfRange { label, classes }).at_index(index))?;
        class.push(index);
    }
    Ok(members)
}

/// How many of each class to hold out, `total` in all.
fn apportion(members: &[Vec<usize>], fraction: f64, total: usize) -> Vec<usize> {
    let shares: Vec<f64> = members.iter().map(|indices| indices.len() as f64 * fraction).collect();
    let mut counts: Vec<usize> = shares.iter().map(|share| share.floor() as usize).collect();
    let missing = total.saturating_sub(counts.iter().sum());
    let mut by_remainder: Vec<usize> = (0..members.len()).collect();
    // Stable, so that the earlier class wins a tie.
    by_remainder.sort_by(|&a, &b| shares[b].fract().total_cmp(&shares[a].fract()));
    for class in by_remainder.into_iter().take(missing) {
        counts[class] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{ImageShape, InMemory};

    fn dataset(labels: Vec<usize>, classes: usize) -> InMemory {
        let shape = ImageShape { channels: 1, height: 1, width: 1 };
        let names = (0..classes).map(|class| class.to_string()).collect();
        InMemory::new(shape, vec![0; labels.len()], labels, names).unwrap()
    }

    proptest! {
        #[test]
        fn parts_are_disjoint_complete_sorted_and_in_proportion(
            labels in prop::collection::vec(0usize..5, 2..200),
            fraction in 0.01f64..0.99,
            seed: u64,
        ) {
            let dataset = dataset(labels.clone(), 5);
            let total = (labels.len() as f64 * fraction).round() as usize;
            prop_assume!(total > 0 && total < labels.len());

            let (rest, held_out) = stratified_split(&dataset, fraction, seed).unwrap();
            prop_assert_eq!(held_out.len(), total);
            prop_assert!(rest.is_sorted() && held_out.is_sorted());
            let mut all = [rest, held_out.clone()].concat();
            all.sort_unstable();
            prop_assert!(all.into_iter().eq(0..labels.len()));
            for class in 0..5 {
                let count = |indices: &[usize]| indices.iter().filter(|&&i| labels[i] == class).count() as f64;
                let share = labels.iter().filter(|&&label| label == class).count() as f64 * fraction;
                prop_assert!((count(&held_out) - share).abs() < 1.0);
            }
        }
    }

    #[test]
    fn the_seed_alone_decides() {
        let dataset = dataset((0..1000).map(|i| i % 10).collect(), 10);
        let split = |seed| stratified_split(&dataset, 0.1, seed).unwrap();
        assert_eq!(split(1), split(1));
        assert_ne!(split(1), split(2));
    }

    #[test]
    fn a_fraction_that_binary_cannot_hold_is_rounded_not_cut() {
        // 100 * 0.29 is 28.999999999999996.
        let dataset = dataset(vec![0; 100], 1);
        assert_eq!(stratified_split(&dataset, 0.29, 0).unwrap().1.len(), 29);
    }

    #[test]
    fn an_empty_part_is_an_error() {
        let ten = dataset(vec![0; 10], 1);
        for fraction in [0.0, 0.04, 0.96, 1.0, 1.5, -0.5, f64::NAN, f64::INFINITY] {
            let error = stratified_split(&ten, fraction, 0).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Fraction { len: 10, .. }), "{fraction}: {error}");
        }
        assert!(stratified_split(&dataset(vec![], 1), 0.5, 0).is_err());
    }
}
