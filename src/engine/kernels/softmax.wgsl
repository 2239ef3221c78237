// Per chunk of entries: subtract its maximum, exponentiate in place, add up in order. Chunks lie at fixed entries.

@group(0) @binding(0) var<storage, read_write> scores: array<f32>;
@group(0) @binding(1) var<storage, read> views: array<u32>;
@group(0) @binding(2) var<storage, read> rows: array<Row>;
@group(0) @binding(3) var<storage, read> pass_: Pass;
@group(0) @binding(4) var<uniform> layer: vec4u;
// (maximum, sum) of each chunk.
@group(0) @binding(5) var<storage, read_write> chunks: array<vec2f>;

@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = rows[id.z];
  let visible = views[layer_record(row.view, layer.x)] + row.tail + 1u;
  let start = id.x * CHUNK;
  if (start >= visible) { return; }
  let to = min(visible, start + CHUNK);
  let base = (id.z * HEADS + id.y) * pass_.entries;
  var most = scores[base + start];
  for (var entry = start + 1u; entry < to; entry++) { most = max(most, scores[base + entry]); }
  var sum = 0f;
  for (var entry = start; entry < to; entry++) {
    let weight = exp(scores[base + entry] - most);
    scores[base + entry] = weight;
    sum += weight;
  }
  chunks[base / CHUNK + id.x] = vec2f(most, sum);
}
