// Reductions over the lanes of a workgroup, in the order of the lanes.

override LANES: u32;

var<workgroup> lane_value: array<f32, LANES>;
var<workgroup> lane_index: array<u32, LANES>;
var<workgroup> agreed: f32;

// What lanes wrote to storage before is seen by all of them.
fn settle() { storageBarrier(); }

fn add_up(lane: u32, value: f32) -> f32 {
  workgroupBarrier();
  lane_value[lane] = value;
  workgroupBarrier();
  if (lane == 0u) {
    agreed = 0f;
    for (var i = 0u; i < LANES; i++) { agreed += lane_value[i]; }
  }
  return workgroupUniformLoad(&agreed);
}

// The index with the largest value, the lowest on a tie.
fn best(lane: u32, value: f32, index: u32) -> u32 {
  workgroupBarrier();
  lane_value[lane] = value;
  lane_index[lane] = index;
  workgroupBarrier();
  var winner = 0u;
  for (var i = 1u; i < LANES; i++) {
    let more = lane_value[i] > lane_value[winner];
    let tie = lane_value[i] == lane_value[winner] && lane_index[i] < lane_index[winner];
    if (more || tie) { winner = i; }
  }
  return lane_index[winner];
}
