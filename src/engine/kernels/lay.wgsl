// Lays rows of a stored matrix, [out][in], as columns of the device's layout, [in][out]. Bits are moved, never numbers.

// Elements of two bytes; of four otherwise.
override HALVES: bool;

// Rows here, elements of a row, column of the first row, columns of the target, four words unused; then the rows.
@group(0) @binding(0) var<storage, read> landing: array<u32>;
@group(0) @binding(1) var<storage, read_write> matrix: array<u32>;

const HEADER = 8u;

fn half_of(row: u32, element: u32) -> u32 {
  let at = row * landing[1] + element;
  return (landing[HEADER + at / 2u] >> (16u * (at % 2u))) & 0xffffu;
}

// A word of the target has one owner: its other half may hold a column that came before, or comes later.
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let rows = landing[0];
  let depth = landing[1];
  let first = landing[2];
  let width = landing[3];
  if (id.x >= depth) { return; }
  if (!HALVES) {
    if (id.y < rows) { matrix[id.x * width + first + id.y] = landing[HEADER + id.y * depth + id.x]; }
    return;
  }
  let low = 2u * (first / 2u + id.y);
  if (low >= first + rows) { return; }
  let at = (id.x * width + low) / 2u;
  var word = matrix[at];
  if (low >= first) { word = (word & 0xffff0000u) | half_of(low - first, id.x); }
  if (low + 1u < first + rows) { word = (word & 0xffffu) | (half_of(low + 1u - first, id.x) << 16u); }
  matrix[at] = word;
}
