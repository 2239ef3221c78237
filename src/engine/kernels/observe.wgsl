// Adds the attention a position received, over the rows that count and the query heads of its KV head, to the request's
// observations. One thread owns a position of a KV head and takes the rows in order, so nothing is added at once.

override MAX_TOKENS: u32;

@group(0) @binding(0) var<storage, read> scores: array<f32>;
@group(0) @binding(1) var<storage, read> chunks: array<vec2f>;
@group(0) @binding(2) var<storage, read> rows: array<Row>;
@group(0) @binding(3) var<storage, read> pass_: Pass;
@group(0) @binding(4) var<uniform> layer: vec4u;
@group(0) @binding(5) var<storage, read_write> observed: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let entry = id.x;
  let kv_head = id.y;
  let group = HEADS / KV_HEADS;
  for (var index = 0u; index < pass_.rows; index++) {
    let row = rows[index];
    let slot = row.flags >> 8u;
    if ((row.flags & 32u) == 0u || entry > row.tail) { continue; }
    let at = (((slot - 1u) * LAYERS + layer.x) * KV_HEADS + kv_head) * MAX_TOKENS + entry;
    var sum = 0f;
    for (var h = 0u; h < group; h++) {
      let start = (index * HEADS + kv_head * group + h) * pass_.entries + entry;
      sum = fma(scores[start], chunks[start / CHUNK].x, sum);
    }
    // Bit 3: the largest counts instead of the sum.
    observed[at] = select(observed[at] + sum, max(observed[at], sum), (row.flags & 8u) != 0u);
  }
}
