// Reductions over the lanes of a workgroup, a power of two of them, as a tree: a lane takes in its neighbour, then the lane
// two away, then four. Addition commutes, so all lanes end with the same bits; which are added first depends on LANES
// alone, not on where lanes meet. `near`, from meet(): lanes that meet in registers; beyond, they meet in memory.

override LANES: u32;

var<workgroup> lane_value: array<f32, LANES>;
var<workgroup> lane_index: array<u32, LANES>;
var<workgroup> first_said: u32;

// What lanes wrote to storage before is seen by all of them.
fn settle() { storageBarrier(); }

// What the first lane says, for all of them to go by.
fn agree(lane: u32, said: bool) -> bool {
  if (lane == 0u) { first_said = select(0u, 1u, said); }
  return workgroupUniformLoad(&first_said) == 1u;
}

fn add_up(lane: u32, near: u32, value: f32) -> f32 {
  var sum = value;
  for (var apart = 1u; apart < near; apart <<= 1u) { sum += value_across(sum, apart); }
  for (var apart = near; apart < LANES; apart <<= 1u) {
    workgroupBarrier();
    lane_value[lane] = sum;
    workgroupBarrier();
    sum += lane_value[lane ^ apart];
  }
  return sum;
}

struct Candidate {
  value: f32,
  index: u32,
}

fn better(a: Candidate, b: Candidate) -> Candidate {
  let wins = b.value > a.value || (b.value == a.value && b.index < a.index);
  return Candidate(select(a.value, b.value, wins), select(a.index, b.index, wins));
}

// The index with the largest value, the lowest on a tie.
fn best(lane: u32, near: u32, value: f32, index: u32) -> u32 {
  var own = Candidate(value, index);
  for (var apart = 1u; apart < near; apart <<= 1u) {
    own = better(own, Candidate(value_across(own.value, apart), index_across(own.index, apart)));
  }
  for (var apart = near; apart < LANES; apart <<= 1u) {
    workgroupBarrier();
    lane_value[lane] = own.value;
    lane_index[lane] = own.index;
    workgroupBarrier();
    own = better(own, Candidate(lane_value[lane ^ apart], lane_index[lane ^ apart]));
  }
  return own.index;
}
