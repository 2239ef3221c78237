// Takes the projected row apart: queries are normalised (Qwen3) and rotated in place, keys likewise and then written to the
// row's own entry of its view with the values. Halves of a head are rotated against each other, as Hugging Face does.

override QK_NORM: bool;
override EPSILON: f32;

@group(0) @binding(0) var<storage, read_write> values: array<f32>;
@group(0) @binding(1) var<storage, read_write> arena: array<u32>;
@group(0) @binding(2) var<storage, read> views: array<u32>;
@group(0) @binding(3) var<storage, read> rows: array<Row>;
@group(0) @binding(4) var<storage, read> pass_: Pass;
// [position][head_dim / 2] of (cos, sin), times the attention factor of the RoPE scaling.
@group(0) @binding(5) var<storage, read> turns: array<vec2f>;
// Gains of the query norm, then of the key norm.
@group(0) @binding(6) var<storage, read> gains: array<f32>;
@group(0) @binding(7) var<uniform> layer: vec4u;

fn width() -> u32 { return (HEADS + 2u * KV_HEADS) * HEAD_DIM; }

fn store(element: u32, low: f32, high: f32) {
  if (HALF) {
    arena[element / 2u] = pack2x16float(vec2f(low, high));
  } else {
    arena[element] = bitcast<u32>(low);
    arena[element + 1u] = bitcast<u32>(high);
  }
}

@compute @workgroup_size(4, 4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let head = id.x;
  let index = id.y;
  if (head >= HEADS + 2u * KV_HEADS || index >= pass_.rows) { return; }
  let row = rows[index];
  let start = index * width() + head * HEAD_DIM;
  let half = HEAD_DIM / 2u;
  let is_query = head < HEADS;
  let is_value = head >= HEADS + KV_HEADS;
  if (!is_value) {
    var scale = 1f;
    if (QK_NORM) {
      var sum = 0f;
      for (var i = 0u; i < HEAD_DIM; i++) { sum = fma(values[start + i], values[start + i], sum); }
      scale = inverseSqrt(sum / f32(HEAD_DIM) + EPSILON);
    }
    let gain = select(HEAD_DIM, 0u, is_query);
    for (var i = 0u; i < half; i++) {
      var low = values[start + i];
      var high = values[start + half + i];
      if (QK_NORM) {
        low = low * scale * gains[gain + i];
        high = high * scale * gains[gain + half + i];
      }
      let turn = turns[row.position * half + i];
      values[start + i] = low * turn.x - high * turn.y;
      values[start + half + i] = high * turn.x + low * turn.y;
    }
  }
  // A rotated view holds rotated rows, and queries must match its keys.
  if (views[row.view * view_words() + 6u] != 0u) { turn(start); }
  if (is_query) { return; }
  let side = select(0u, 1u, is_value);
  let kv_head = head - HEADS - side * KV_HEADS;
  let to = tail_row(row.view, layer.x, side, kv_head, row.tail);
  for (var i = 0u; i < HEAD_DIM; i += 2u) { store(to + i, values[start + i], values[start + i + 1u]); }
}
