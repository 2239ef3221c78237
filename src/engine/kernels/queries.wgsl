// Keeps the queries of the rows a compression method asked for: [slot][layer][position % QUERY_ROWS][head][channel].

override QUERY_ROWS: u32;

@group(0) @binding(0) var<storage, read> projected: array<vec4f>;
@group(0) @binding(1) var<storage, read> rows: array<Row>;
@group(0) @binding(2) var<uniform> layer: vec4u;
@group(0) @binding(3) var<storage, read_write> queries: array<vec4f>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let quads = HEADS * HEAD_DIM / 4u;
  let row = rows[id.y];
  let slot = row.flags >> 8u;
  if (id.x >= quads || (row.flags & 16u) == 0u) { return; }
  let to = (((slot - 1u) * LAYERS + layer.x) * QUERY_ROWS + row.position % QUERY_ROWS) * quads;
  queries[to + id.x] = projected[id.y * (HEADS + 2u * KV_HEADS) * (HEAD_DIM / 4u) + id.x];
}
