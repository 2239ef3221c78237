// Rows that attended to a rotated view got their result in its basis: turns it back.

// Elements between rows of the buffer.
override STRIDE: u32;

@group(0) @binding(0) var<storage, read_write> values: array<f32>;
@group(0) @binding(1) var<storage, read> views: array<u32>;
@group(0) @binding(2) var<storage, read> rows: array<Row>;
@group(0) @binding(3) var<storage, read> pass_: Pass;

@compute @workgroup_size(4, 4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= HEADS || id.y >= pass_.rows) { return; }
  if (views[rows[id.y].view * view_words() + 6u] == 0u) { return; }
  turn(id.y * STRIDE + id.x * HEAD_DIM);
}
