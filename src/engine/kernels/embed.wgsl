// x[row] = embedding of the row's token. The table is stored like the output head, [hidden][vocab].

override HIDDEN: u32;
// Tokens whose columns are in this buffer, and the first of them; the rows of others are left to others.
override TOKENS: u32;
override FIRST: u32;
override MAX_TOKENS: u32;

@group(0) @binding(1) var<storage, read> tokens: array<u32>;
@group(0) @binding(2) var<storage, read> rows: array<Row>;
@group(0) @binding(3) var<storage, read> pass_: Pass;
@group(0) @binding(4) var<storage, read_write> x: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let channel = id.x;
  let row = id.y;
  if (channel >= HIDDEN || row >= pass_.rows) { return; }
  let token = tokens[slot_of(rows[row]) * MAX_TOKENS + rows[row].position];
  let column = token - FIRST;
  if (token < FIRST || column >= TOKENS) { return; }
  x[row * HIDDEN + channel] = weight(channel * (TOKENS / 4u) + column / 4u)[column % 4u];
}
