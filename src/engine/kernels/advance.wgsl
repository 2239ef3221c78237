// The next step of a run of single-token rows: every row moves on by one position.

@group(0) @binding(0) var<storage, read_write> rows: array<Row>;
@group(0) @binding(1) var<storage, read_write> pass_: Pass;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x == 0u) { pass_.step += 1u; }
  if (id.x >= pass_.rows) { return; }
  rows[id.x].position += 1u;
  rows[id.x].tail += 1u;
}
