// y[row][n] (+)= bias[n] + Σ_k x[row][k] · w[k][n]. A thread owns four outputs of four rows and walks its share of K in
// order; shares are added in order. The order of every sum depends on K and SPLITS alone, never on the number of rows.

override K: u32;
override N: u32;
override COLUMNS: u32;
override SPLITS: u32;
override ACCUMULATE: bool;
override BIAS: bool;
// The rows are those whose next token is wanted.
override CHOSEN: bool;

@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read> pass_: Pass;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;

var<workgroup> shares: array<array<vec4f, 4>, COLUMNS * SPLITS>;

@compute @workgroup_size(COLUMNS, SPLITS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let quads = N / 4u;
  let column = id.x;
  let first = id.z * 4u;
  let all = select(pass_.rows, pass_.choices, CHOSEN);
  let count = min(all - min(all, first), 4u);
  var a0 = vec4f(0);
  var a1 = vec4f(0);
  var a2 = vec4f(0);
  var a3 = vec4f(0);
  if (column < quads && count > 0u) {
    let depth = K / 4u;
    let share = (depth + SPLITS - 1u) / SPLITS;
    let end = min(depth, (local.y + 1u) * share);
    for (var k = local.y * share; k < end; k++) {
      let at = k * 4u * quads + column;
      let w0 = weight(at);
      let w1 = weight(at + quads);
      let w2 = weight(at + 2u * quads);
      let w3 = weight(at + 3u * quads);
      let v0 = x[first * depth + k];
      a0 = fma(w3, vec4f(v0.w), fma(w2, vec4f(v0.z), fma(w1, vec4f(v0.y), fma(w0, vec4f(v0.x), a0))));
      if (count > 1u) {
        let v1 = x[(first + 1u) * depth + k];
        a1 = fma(w3, vec4f(v1.w), fma(w2, vec4f(v1.z), fma(w1, vec4f(v1.y), fma(w0, vec4f(v1.x), a1))));
      }
      if (count > 2u) {
        let v2 = x[(first + 2u) * depth + k];
        a2 = fma(w3, vec4f(v2.w), fma(w2, vec4f(v2.z), fma(w1, vec4f(v2.y), fma(w0, vec4f(v2.x), a2))));
      }
      if (count > 3u) {
        let v3 = x[(first + 3u) * depth + k];
        a3 = fma(w3, vec4f(v3.w), fma(w2, vec4f(v3.z), fma(w1, vec4f(v3.y), fma(w0, vec4f(v3.x), a3))));
      }
    }
  }
  let slot = local.y * COLUMNS + local.x;
  shares[slot][0] = a0;
  shares[slot][1] = a1;
  shares[slot][2] = a2;
  shares[slot][3] = a3;
  workgroupBarrier();
  if (local.y > 0u || column >= quads) { return; }
  for (var r = 0u; r < count; r++) {
    var sum = shares[local.x][r];
    for (var split = 1u; split < SPLITS; split++) { sum += shares[split * COLUMNS + local.x][r]; }
    if (BIAS) { sum += bias[column]; }
    let at = (first + r) * quads + column;
    if (ACCUMULATE) { sum += y[at]; }
    y[at] = sum;
  }
}
