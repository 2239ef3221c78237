// attended[row] = Σ of the row's spans, in order.

@group(0) @binding(0) var<storage, read> parts: array<vec4f>;
@group(0) @binding(1) var<storage, read> views: array<u32>;
@group(0) @binding(2) var<storage, read> rows: array<Row>;
@group(0) @binding(3) var<storage, read> pass_: Pass;
@group(0) @binding(4) var<uniform> layer: vec4u;
@group(0) @binding(5) var<storage, read_write> attended: array<vec4f>;

@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let quads = HEADS * HEAD_DIM / 4u;
  if (id.x >= quads) { return; }
  let row = rows[id.z];
  let visible = views[layer_record(row.view, layer.x)] + row.tail + 1u;
  let base = id.z * ((pass_.entries + SPAN - 1u) / SPAN);
  var sum = parts[base * quads + id.x];
  for (var span = 1u; span * SPAN < visible; span++) { sum += parts[(base + span) * quads + id.x]; }
  attended[id.z * quads + id.x] = sum;
}
