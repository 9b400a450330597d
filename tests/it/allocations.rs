//! What stands around a call asks for no memory.

#[path = "../../benches/around/mod.rs"]
mod around;

use around::{Around, EVERYTHING, NOTHING};

use crate::claim::claims;

claims![a_call_with_every_policy_asks_for_no_more_memory_than_one_with_none];

fn a_call_with_every_policy_asks_for_no_more_memory_than_one_with_none() -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let count = |backend| {
        let call = runtime.block_on(async { Around::of(backend) });
        // What is made once, by the first call, is not the second's.
        runtime.block_on(call.made());
        allocation_counter::measure(|| drop(runtime.block_on(call.made()))).count_total
    };
    assert_eq!(count(EVERYTHING), count(NOTHING));
    Ok(())
}
