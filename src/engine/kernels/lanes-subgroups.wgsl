// Lanes of a subgroup meet in its registers. How many they are is for the adapter to say, for some of them at every
// dispatch, and nothing says which lanes of a workgroup share a subgroup: so every dispatch looks.

var<workgroup> parts: atomic<u32>;
var<workgroup> reach: u32;

// Lanes, a power of two, that find each other in registers all over the workgroup: 1 where they lie otherwise than thought.
fn meet(lane: u32) -> u32 {
  let size = subgroupAdd(1u);
  var near = 1u;
  for (var apart = 1u; apart < LANES; apart <<= 1u) {
    let found = subgroupShuffleXor(lane, apart);
    if (near == apart && apart < size && found == (lane ^ apart)) { near = 2u * apart; }
  }
  atomicMax(&parts, LANES / near);
  workgroupBarrier();
  if (lane == 0u) { reach = LANES / atomicLoad(&parts); }
  return workgroupUniformLoad(&reach);
}
fn value_across(value: f32, apart: u32) -> f32 { return subgroupShuffleXor(value, apart); }
fn index_across(index: u32, apart: u32) -> u32 { return subgroupShuffleXor(index, apart); }
