//! Addresses that come, stay and go.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::tend::Tending;
use super::super::tests::{address, balance};
use super::super::{Clients, Group};
use crate::plan::{Directory, Discover};
use crate::policy::balance::Algorithm;

/// The addresses that a group has, each with its weight.
fn members(group: &Group) -> Vec<(String, u32)> {
    let set = group.set.load();
    set.members.iter().map(|member| (member.address.to_string(), member.address.weight)).collect()
}

#[tokio::test]
async fn a_file_is_followed_and_what_is_wrong_in_it_changes_nothing() {
    let path = std::env::temp_dir().join(format!("selvedge-addresses-{}", std::process::id()));
    let write = |text: &str| std::fs::write(&path, text).expect("the folder can be written");
    write("# both\n10.0.0.1:80\n\n[::1]:81 3 # the larger\n");
    let pattern = address(0, 1);
    let group = Arc::new(Group::new(&balance(Algorithm::RoundRobin), std::slice::from_ref(&pattern), &Clients::of(1)));
    let directory = Directory::File { path: path.clone(), every: Duration::from_millis(20) };
    let tending = Tending::of(&group, Some(&Discover { directory, pattern: pattern.clone() }));
    tending.looked().await;
    assert_eq!(members(&group), [("http://10.0.0.1:80".to_owned(), 1), ("http://[::1]:81".to_owned(), 3)]);
    assert_eq!(group.set.load().members[0].address.authority, pattern.authority);
    for text in ["10.0.0.1:80 0", "10.0.0.1", ""] {
        write(text);
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(members(&group).len(), 2, "{text}");
    }
    write("10.0.0.1:80\n10.0.0.2:80\n10.0.0.3:80");
    let since = Instant::now();
    while members(&group).len() != 3 && since.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(members(&group).len(), 3);
    std::fs::remove_file(&path).expect("it was written");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(members(&group).len(), 3);
}
