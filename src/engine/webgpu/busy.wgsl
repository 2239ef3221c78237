// Keeps the device busy for a while, so that there is something to time.

@group(0) @binding(0) var<storage, read_write> results: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  var value = results[lane];
  for (var i = 0u; i < 20000u; i++) { value = fma(value, 0.999, 1f); }
  results[lane] = value;
}
