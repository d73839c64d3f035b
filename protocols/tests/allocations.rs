//! Reading a frame where it lies, and writing a line behind others, ask the allocator for nothing.
#![expect(unsafe_code, reason = "counting allocations needs a global allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use cems_protocols::lineproto::{Line, Precision, Series};
use rust_decimal::Decimal;

use cems_protocols::hj212::{
    BuildOptions, CrcVerdict, Edition, FrameBuilder, Item, ValueView, frame_at, header_at,
};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to the system's allocator unchanged; only a counter is added.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract, which is the system's own.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the place came from `alloc` above with this layout.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static GLOBAL: Counting = Counting;

/// The only test of this binary: another one would allocate beside it.
#[test]
fn neither_fields_nor_lines_cost_an_allocation() {
    no_field_costs_an_allocation();
    no_line_costs_an_allocation();
}

fn no_line_costs_an_allocation() {
    let tags = [("outlet", "jia-1"), ("factor", "a21026")];
    let series = Series::new("cems", &tags).expect("sound names");
    let mut body = Vec::with_capacity(64 * 1024);
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for time in 0..500 {
        let mut line = Line::begin(&mut body, &series);
        let mut write = || {
            line.decimal("value", Decimal::new(-12_050, 3))?;
            line.decimal("most", Decimal::MAX)?;
            line.float("ratio", 0.25)?;
            line.integer("valid", 1)
        };
        write().expect("sound fields");
        line.finish(time, Precision::Milliseconds)
            .expect("a sound time");
    }
    let after = ALLOCATIONS.load(Ordering::Relaxed);
    assert_eq!(after - before, 0, "{} bytes", black_box(&body).len());
}

fn no_field_costs_an_allocation() {
    for factors in [1u32, 10, 100] {
        let items = (0..factors).map(|at| {
            let fields = [("Rtd", "12.345"), ("ZsRtd", "-0.5"), ("Flag", "N")];
            Item::factor(&format!("a{at:05}"), &fields)
        });
        let frame = FrameBuilder::new(Edition::V2017, "31", "2011")
            .qn("20240520210700998")
            .mn("010000A8900016F000169DC0")
            .data_time("20240520210600")
            .items(items)
            .build(&BuildOptions::default())
            .expect("the frame can be built");
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        let view = frame_at(&frame).expect("a frame of the standard");
        let mut numbers = 0;
        for field in view.fields() {
            black_box((field.name(), field.part()));
            numbers += u32::from(matches!(field.value(), ValueView::Number(_)));
        }
        let header = header_at(&frame);
        let after = ALLOCATIONS.load(Ordering::Relaxed);
        assert_eq!(after - before, 0, "{factors} factors");
        assert_eq!((numbers, view.crc), (factors * 2, CrcVerdict::Hj212));
        assert_eq!(header, Some(view.header));
    }
}
