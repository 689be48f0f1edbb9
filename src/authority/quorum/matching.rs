//! People into slots: a bipartite matching by augmenting paths (Berge). Numbers are small, so the plain algorithm does.

/// The most slots that can be filled at once if `fits[person]` lists the slots that a person can fill, and each person fills one at most.
#[must_use]
pub(super) fn most_filled(slots: usize, fits: &[Vec<usize>]) -> usize {
    let mut holders: Vec<Option<usize>> = vec![None; slots];
    (0..fits.len())
        .filter(|person| augment(*person, fits, &mut holders, &mut vec![false; slots]))
        .count()
}

/// Finds a slot for a person, moving others where that makes room.
fn augment(person: usize, fits: &[Vec<usize>], holders: &mut Vec<Option<usize>>, tried: &mut [bool]) -> bool {
    for slot in fits.get(person).into_iter().flatten() {
        match tried.get_mut(*slot) {
            Some(tried) if !*tried => *tried = true,
            _ => continue,
        }
        let holder = holders.get(*slot).copied().flatten();
        if holder.is_none_or(|other| augment(other, fits, holders, tried)) {
            if let Some(held) = holders.get_mut(*slot) {
                *held = Some(person);
            }
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_moves_to_make_room() {
        // Greedy would put 0 into slot 0 and leave 1 outside.
        assert_eq!(most_filled(2, &[vec![0, 1], vec![0]]), 2);
        assert_eq!(most_filled(2, &[vec![0, 1]]), 1);
        assert_eq!(most_filled(0, &[vec![], vec![]]), 0);
        assert_eq!(most_filled(3, &[vec![0, 1, 2], vec![0], vec![0], vec![1]]), 3);
    }
}
