// activated[row][i] = silu(gate) · up, from [gate | up] in one row.

override WIDTH: u32;

@group(0) @binding(0) var<storage, read> gate_up: array<vec4f>;
@group(0) @binding(1) var<storage, read> pass_: Pass;
@group(0) @binding(2) var<storage, read_write> activated: array<vec4f>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let quads = WIDTH / 4u;
  if (id.x >= quads || id.y >= pass_.rows) { return; }
  let gate = gate_up[id.y * 2u * quads + id.x];
  let up = gate_up[id.y * 2u * quads + quads + id.x];
  activated[id.y * quads + id.x] = gate / (1f + exp(-gate)) * up;
}
