//! What stands around a call costs: time and memory of one with every policy, beside one with none.

mod around;

use around::{Around, EVERYTHING, NOTHING};
use criterion::Criterion;
use tokio::runtime::{Builder, Runtime};

fn main() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("the machine gives a thread");
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("up to the wire");
    for (name, backend) in [("with no policy", NOTHING), ("with every policy", EVERYTHING)] {
        let call = runtime.block_on(async { Around::of(backend) });
        tell(name, allocations(&runtime, &call));
        group.bench_function(name, |bencher| {
            // The runtime is entered once for many calls, as workers do.
            bencher.iter_custom(|count| {
                runtime.block_on(async {
                    let since = std::time::Instant::now();
                    for _ in 0..count {
                        std::hint::black_box(call.made().await);
                    }
                    since.elapsed()
                })
            });
        });
    }
    group.finish();
    criterion.final_summary();
}

/// How often memory is asked for by one call.
fn allocations(runtime: &Runtime, call: &Around) -> u64 {
    runtime.block_on(call.made());
    allocation_counter::measure(|| drop(runtime.block_on(call.made()))).count_total
}

#[expect(clippy::print_stdout, reason = "figures are what it is for")]
fn tell(name: &str, allocations: u64) {
    println!("{name}: {allocations} allocations");
}
