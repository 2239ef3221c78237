// Copies tokens' rows (keys and values of some layers) from one view's tail to another's, or side by side into a linear
// buffer on their way home, where a row has all its layers. A rotated target gets rotated rows.

override LINEAR: bool;

struct Move {
  from_view: u32,
  start: u32,
  to_view: u32,
  to: u32,
}

@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<storage, read> views: array<u32>;
@group(0) @binding(2) var<storage, read> moves: array<Move>;
@group(0) @binding(3) var<storage, read_write> linear: array<u32>;
// First layer, and how many.
@group(0) @binding(4) var<uniform> layers: vec4u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let per_word = select(1u, 2u, HALF);
  let layer_words = 2u * KV_HEADS * HEAD_DIM / per_word;
  if (id.x >= layers.y * layer_words) { return; }
  let one = moves[id.y];
  let at = layers.x * layer_words + id.x;
  let element = at * per_word;
  let channel = element % HEAD_DIM;
  let head = (element / HEAD_DIM) % KV_HEADS;
  let side = (element / HEAD_DIM / KV_HEADS) % 2u;
  let layer = element / HEAD_DIM / KV_HEADS / 2u;
  let start = tail_row(one.from_view, layer, side, head, one.start);
  var word = arena[(start + channel) / per_word];
  if (LINEAR) {
    linear[one.to * LAYERS * layer_words + at] = word;
    return;
  }
  if (views[one.to_view * view_words() + 6u] != 0u) {
    if (HALF) {
      word = pack2x16float(vec2f(rotated_element(start, channel), rotated_element(start, channel + 1u)));
    } else {
      word = bitcast<u32>(rotated_element(start, channel));
    }
  }
  arena[(tail_row(one.to_view, layer, side, head, one.to) + channel) / per_word] = word;
}
