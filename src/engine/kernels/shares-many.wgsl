// Joins the shares of a workgroup's sums, in order. The total is that of the first share's threads.

override SPLITS: u32;

var<workgroup> shares: array<Sums, COLUMNS * SPLITS>;

fn joined(local: vec3u, sums: Sums) -> Sums {
  shares[local.y * COLUMNS + local.x] = sums;
  workgroupBarrier();
  var total = shares[local.x];
  for (var split = 1u; split < SPLITS; split++) {
    let more = shares[split * COLUMNS + local.x];
    for (var r = 0u; r < 4u; r++) { total[r] += more[r]; }
  }
  return total;
}
