// scores[row][head][entry] = query · key / √head_dim, one thread an entry.

override SCALE: f32;
// Sliding window in tokens, 0 for none; it masks what full KV has beyond it.
override WINDOW: u32;

@group(0) @binding(0) var<storage, read> projected: array<vec4f>;
@group(0) @binding(1) var<storage, read> arena: array<u32>;
@group(0) @binding(2) var<storage, read> views: array<u32>;
@group(0) @binding(3) var<storage, read> rows: array<Row>;
@group(0) @binding(4) var<storage, read> pass_: Pass;
@group(0) @binding(5) var<uniform> layer: vec4u;
@group(0) @binding(6) var<storage, read_write> scores: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let entry = id.x;
  let head = id.y;
  let row = rows[id.z];
  let packed = views[layer_record(row.view, layer.x)];
  if (entry > packed + row.tail) { return; }
  let out = (id.z * HEADS + head) * pass_.entries + entry;
  if (WINDOW > 0u && packed == 0u && entry + WINDOW <= row.tail) {
    scores[out] = -3e38;
    return;
  }
  let kv_head = head / (HEADS / KV_HEADS);
  let query = (id.z * (HEADS + 2u * KV_HEADS) + head) * (HEAD_DIM / 4u);
  var sum = vec4f(0);
  if (entry < packed) {
    let key = packed_row(row.view, layer.x, 0u, kv_head, entry);
    for (var i = 0u; i < HEAD_DIM / 4u; i++) { sum = fma(projected[query + i], packed_quad(key, 4u * i), sum); }
  } else {
    let key = tail_row(row.view, layer.x, 0u, kv_head, entry - packed);
    for (var i = 0u; i < HEAD_DIM / 4u; i++) { sum = fma(projected[query + i], plain_quad(key + 4u * i), sum); }
  }
  scores[out] = ((sum.x + sum.y) + (sum.z + sum.w)) * SCALE;
}
