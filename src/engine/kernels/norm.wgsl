// RMSNorm: y[i] = x[row(i)] / rms(x[row(i)]) · gain. Lanes take every LANES-th channel.

override HIDDEN: u32;
override EPSILON: f32;
// Normalises only the rows whose next token is wanted, and packs them together.
override CHOSEN: bool;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> gain: array<f32>;
@group(0) @binding(2) var<storage, read> chosen: array<u32>;
@group(0) @binding(3) var<storage, read> pass_: Pass;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let out = group.x;
  if (out >= select(pass_.rows, pass_.choices, CHOSEN)) { return; }
  let start = select(out, chosen[out], CHOSEN) * HIDDEN;
  let near = meet(local.x);
  var sum = 0f;
  for (var i = local.x; i < HIDDEN; i += LANES) { sum = fma(x[start + i], x[start + i], sum); }
  let scale = inverseSqrt(add_up(local.x, near, sum) / f32(HIDDEN) + EPSILON);
  for (var i = local.x; i < HIDDEN; i += LANES) { y[out * HIDDEN + i] = x[start + i] * scale * gain[i]; }
}
