// Puts whole rows, key and value, in their places in a view's tail: rows that came from host memory beside their list, or rows
// the packed part of another view holds as they were. Bits are moved, never numbers.

override FROM_PACKED: bool;

@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<storage, read> views: array<u32>;
// (view to take from, view to put into, layer, first of the packed entries), (rows, unused); then position × KV_HEADS + head of
// each row; then, of rows that came, [row][key, value][word].
@group(0) @binding(2) var<storage, read> landing: array<u32>;

const HEADER = 8u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let per_word = select(1u, 2u, HALF);
  let row_words = HEAD_DIM / per_word;
  let rows = landing[4];
  let index = id.y;
  if (id.x >= 2u * row_words || index >= rows) { return; }
  let side = id.x / row_words;
  let word = id.x % row_words;
  let layer = landing[2];
  let place = landing[HEADER + index];
  let to = tail_row(landing[1], layer, side, place % KV_HEADS, place / KV_HEADS) / per_word + word;
  if (FROM_PACKED) {
    // Entries of all heads follow one another, as they are listed.
    let codes = views[layer_record(landing[0], layer) + 1u + side * 2u];
    arena[to] = arena[packed_word(landing[0], codes + (landing[3] + index) * row_words + word)];
  } else {
    arena[to] = landing[HEADER + rows + (2u * index + side) * row_words + word];
  }
}
