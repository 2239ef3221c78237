// Lanes of a workgroup meet in memory alone.

fn meet(lane: u32) -> u32 { return 1u; }
fn value_across(value: f32, apart: u32) -> f32 { return value; }
fn index_across(index: u32, apart: u32) -> u32 { return index; }
