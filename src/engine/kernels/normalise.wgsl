// Turns each chunk's (maximum, sum) into the factor that makes its weights part of one softmax over the whole row.

@group(0) @binding(0) var<storage, read_write> chunks: array<vec2f>;
@group(0) @binding(1) var<storage, read> views: array<u32>;
@group(0) @binding(2) var<storage, read> rows: array<Row>;
@group(0) @binding(3) var<storage, read> pass_: Pass;
@group(0) @binding(4) var<uniform> layer: vec4u;

@compute @workgroup_size(4, 4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= HEADS || id.y >= pass_.rows) { return; }
  let row = rows[id.y];
  let visible = views[layer_record(row.view, layer.x)] + row.tail + 1u;
  let count = (visible + CHUNK - 1u) / CHUNK;
  let base = (id.y * HEADS + id.x) * (pass_.entries / CHUNK);
  var most = chunks[base].x;
  for (var i = 1u; i < count; i++) { most = max(most, chunks[base + i].x); }
  var sum = 0f;
  for (var i = 0u; i < count; i++) { sum = fma(chunks[base + i].y, exp(chunks[base + i].x - most), sum); }
  for (var i = 0u; i < count; i++) { chunks[base + i].x = exp(chunks[base + i].x - most) / sum; }
}
