// parts[row][span][head] = Σ over the entries of a span of weight · value, four channels a thread, entries in order.

@group(0) @binding(0) var<storage, read> scores: array<f32>;
@group(0) @binding(1) var<storage, read> chunks: array<vec2f>;
@group(0) @binding(2) var<storage, read> arena: array<u32>;
@group(0) @binding(3) var<storage, read> views: array<u32>;
@group(0) @binding(4) var<storage, read> rows: array<Row>;
@group(0) @binding(5) var<storage, read> pass_: Pass;
@group(0) @binding(6) var<uniform> layer: vec4u;
@group(0) @binding(7) var<storage, read_write> parts: array<vec4f>;

@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let quads = HEAD_DIM / 4u;
  if (id.x >= HEADS * quads) { return; }
  let head = id.x / quads;
  let channel = (id.x % quads) * 4u;
  let row = rows[id.z];
  let packed = views[layer_record(row.view, layer.x)];
  let visible = packed + row.tail + 1u;
  let start = id.y * SPAN;
  if (start >= visible) { return; }
  let to = min(visible, start + SPAN);
  let kv_head = head / (HEADS / KV_HEADS);
  let base = (id.z * HEADS + head) * pass_.entries;
  var sum = vec4f(0);
  var entry = start;
  for (; entry < min(to, packed); entry++) {
    let weight = scores[base + entry] * chunks[(base + entry) / CHUNK].x;
    sum = fma(vec4f(weight), packed_quad(packed_row(row.view, layer.x, 1u, kv_head, entry), channel), sum);
  }
  for (; entry < to; entry++) {
    let weight = scores[base + entry] * chunks[(base + entry) / CHUNK].x;
    sum = fma(vec4f(weight), plain_quad(tail_row(row.view, layer.x, 1u, kv_head, entry - packed) + channel), sum);
  }
  parts[(id.z * ((pass_.entries + SPAN - 1u) / SPAN) + id.y) * HEADS * quads + id.x] = sum;
}
