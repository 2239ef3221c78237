// Reductions where a workgroup is one lane: nothing to add up, and above all no barrier, which software adapters pay dearly for.

const LANES = 1u;

fn meet(lane: u32) -> u32 { return 1u; }
fn settle() {}
fn agree(lane: u32, said: bool) -> bool { return said; }
fn add_up(lane: u32, near: u32, value: f32) -> f32 { return value; }
fn best(lane: u32, near: u32, value: f32, index: u32) -> u32 { return index; }
