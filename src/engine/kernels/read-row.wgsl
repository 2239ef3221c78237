// Reading rows of a view four channels at a time, whatever they are stored as.

fn plain_quad(element: u32) -> vec4f {
  if (HALF) {
    let word = element / 2u;
    return vec4f(unpack2x16float(arena[word]), unpack2x16float(arena[word + 1u]));
  }
  return vec4f(bitcast<f32>(arena[element]), bitcast<f32>(arena[element + 1u]), bitcast<f32>(arena[element + 2u]), bitcast<f32>(arena[element + 3u]));
}

// The keys or the values of a layer's packed part: what all its rows have in common. Looked up once, ahead of the rows.
struct Packed {
  view: u32,
  // Entries of each KV head.
  count: u32,
  bits: u32,
  group_tokens: u32,
  group_channels: u32,
  // Words of the packed part.
  codes: u32,
  scales: u32,
  // NONE where codes are evenly spaced. Levels may cross into another page.
  levels: u32,
}
const NONE = 0xffffffffu;

fn packed_part(view: u32, layer: u32, side: u32) -> Packed {
  let header = view * view_words() + side * 3u;
  let record = layer_record(view, layer);
  var part: Packed;
  part.view = view;
  part.count = views[record];
  part.bits = views[header];
  part.group_tokens = views[header + 1u];
  part.group_channels = views[header + 2u];
  part.codes = views[record + 1u + side * 2u];
  part.scales = views[record + 2u + side * 2u];
  part.levels = views[record + 5u + side];
  return part;
}

fn is_plain(part: Packed) -> bool { return part.bits >= 16u; }

// Rows of plain elements from an entry on that lie side by side in one page: the first element, and how many rows.
struct Run {
  element: u32,
  rows: u32,
}
fn plain_run(part: Packed, head: u32, entry: u32) -> Run {
  let row_words = select(HEAD_DIM, HEAD_DIM / 2u, HALF);
  let word = part.codes + (head * part.count + entry) * row_words;
  let left = page_words() - word % page_words();
  return Run(packed_word(part.view, word) * select(1u, 2u, HALF), left / row_words);
}

// A quantised row: the words of the arena with its codes and its scales.
struct PackedRow {
  codes: u32,
  scales: u32,
}
fn packed_row(part: Packed, head: u32, entry: u32) -> PackedRow {
  let row = head * part.count + entry;
  let group = head * (part.count / part.group_tokens) + entry / part.group_tokens;
  return PackedRow(
    packed_word(part.view, part.codes + row * (HEAD_DIM * part.bits / 32u)),
    packed_word(part.view, part.scales + group * (HEAD_DIM / part.group_channels))
  );
}

fn level(part: Packed, code: u32) -> f32 {
  return bitcast<f32>(arena[packed_word(part.view, part.levels + code)]);
}

fn packed_quad(part: Packed, row: PackedRow, channel: u32) -> vec4f {
  let at = channel * part.bits;
  let word = arena[row.codes + at / 32u] >> (at % 32u);
  let mask = (1u << part.bits) - 1u;
  let codes = (vec4u(word) >> (vec4u(0u, 1u, 2u, 3u) * part.bits)) & vec4u(mask);
  var values = vec4f(codes);
  if (part.levels != NONE) {
    values = vec4f(level(part, codes.x), level(part, codes.y), level(part, codes.z), level(part, codes.w));
  }
  if (part.group_channels >= 4u) {
    let affine = unpack2x16float(arena[row.scales + channel / part.group_channels]);
    return fma(values, vec4f(affine.x), vec4f(affine.y));
  }
  let first = row.scales + channel / part.group_channels;
  let step = 4u / part.group_channels;
  var result: vec4f;
  for (var i = 0u; i < 4u; i++) {
    let affine = unpack2x16float(arena[first + i * step / 4u]);
    result[i] = fma(values[i], affine.x, affine.y);
  }
  return result;
}
