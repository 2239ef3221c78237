// y[row][n] (+)= bias[n] + Σ_k x[row][k] · w[k][n]. A thread owns four outputs of four rows and walks its share of K in
// order; shares are added in order. The order of every sum depends on K and SPLITS alone, never on the number of rows.

override K: u32;
// Columns of the weights here, and the first of them among the STRIDE outputs of a row: a matrix may lie in several buffers.
override N: u32;
override FIRST: u32;
override STRIDE: u32;
override COLUMNS: u32;
override ACCUMULATE: bool;
override BIAS: bool;
// The rows are those whose next token is wanted.
override CHOSEN: bool;

@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read> pass_: Pass;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;

// Sums of four outputs, a row each.
alias Sums = array<vec4f, 4>;

// One row's sums after four more inputs: the same operations in the same order for one row and for each of four.
fn further(sum: vec4f, w0: vec4f, w1: vec4f, w2: vec4f, w3: vec4f, v: vec4f) -> vec4f {
  return fma(w3, vec4f(v.w), fma(w2, vec4f(v.z), fma(w1, vec4f(v.y), fma(w0, vec4f(v.x), sum))));
}

@compute @workgroup_size(COLUMNS, SPLITS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let quads = N / 4u;
  let column = id.x;
  let first = id.z * 4u;
  let all = select(pass_.rows, pass_.choices, CHOSEN);
  let count = min(all - min(all, first), 4u);
  let depth = K / 4u;
  let share = (depth + SPLITS - 1u) / SPLITS;
  let begin = local.y * share;
  let end = min(depth, begin + share);
  var own: Sums;
  if (column < quads && count == 1u) {
    var a0 = vec4f(0);
    for (var k = begin; k < end; k++) {
      let at = k * 4u * quads + column;
      a0 = further(a0, weight(at), weight(at + quads), weight(at + 2u * quads), weight(at + 3u * quads), x[first * depth + k]);
    }
    own[0] = a0;
  } else if (column < quads && count > 1u) {
    // Rows that are not there repeat the last; their sums are dropped.
    let last = first + count - 1u;
    let r0 = first * depth;
    let r1 = (first + 1u) * depth;
    let r2 = min(first + 2u, last) * depth;
    let r3 = last * depth;
    var a0 = vec4f(0);
    var a1 = vec4f(0);
    var a2 = vec4f(0);
    var a3 = vec4f(0);
    for (var k = begin; k < end; k++) {
      let at = k * 4u * quads + column;
      let w0 = weight(at);
      let w1 = weight(at + quads);
      let w2 = weight(at + 2u * quads);
      let w3 = weight(at + 3u * quads);
      a0 = further(a0, w0, w1, w2, w3, x[r0 + k]);
      a1 = further(a1, w0, w1, w2, w3, x[r1 + k]);
      a2 = further(a2, w0, w1, w2, w3, x[r2 + k]);
      a3 = further(a3, w0, w1, w2, w3, x[r3 + k]);
    }
    own[0] = a0;
    own[1] = a1;
    own[2] = a2;
    own[3] = a3;
  }
  let sums = joined(local, own);
  if (local.y > 0u || column >= quads) { return; }
  for (var r = 0u; r < count; r++) {
    var sum = sums[r];
    if (BIAS) { sum += bias[FIRST / 4u + column]; }
    let at = (first + r) * (STRIDE / 4u) + FIRST / 4u + column;
    if (ACCUMULATE) { sum += y[at]; }
    y[at] = sum;
  }
}
