// Reading rows of a view four channels at a time, whatever they are stored as.

fn plain_quad(element: u32) -> vec4f {
  if (HALF) {
    return vec4f(unpack2x16float(arena[element / 2u]), unpack2x16float(arena[element / 2u + 1u]));
  }
  return vec4f(bitcast<f32>(arena[element]), bitcast<f32>(arena[element + 1u]), bitcast<f32>(arena[element + 2u]), bitcast<f32>(arena[element + 3u]));
}

// A row of the packed part: where its codes and its scales are, or where its plain elements are.
struct PackedRow {
  bits: u32,
  codes: u32,
  scales: u32,
  group_channels: u32,
  // Word of the levels in the view's packed part, or NONE where codes are evenly spaced. They may cross into another page.
  levels: u32,
  view: u32,
}
const NONE = 0xffffffffu;

fn packed_row(view: u32, layer: u32, side: u32, head: u32, entry: u32) -> PackedRow {
  let header = view * view_words() + side * 3u;
  let record = layer_record(view, layer);
  let count = views[record];
  let bits = views[header];
  var row: PackedRow;
  row.bits = bits;
  let index = head * count + entry;
  row.codes = packed_word(view, views[record + 1u + side * 2u] + index * (HEAD_DIM * bits / 32u));
  row.group_channels = HEAD_DIM;
  row.levels = NONE;
  row.view = view;
  if (bits < 16u) {
    let group_tokens = views[header + 1u];
    row.group_channels = views[header + 2u];
    let group = (head * (count / group_tokens) + entry / group_tokens) * (HEAD_DIM / row.group_channels);
    row.scales = packed_word(view, views[record + 2u + side * 2u] + group);
    row.levels = views[record + 5u + side];
  }
  return row;
}

fn level(row: PackedRow, code: u32) -> f32 {
  if (row.levels == NONE) { return f32(code); }
  return bitcast<f32>(arena[packed_word(row.view, row.levels + code)]);
}

fn packed_quad(row: PackedRow, channel: u32) -> vec4f {
  if (row.bits >= 16u) {
    return plain_quad(select(row.codes, row.codes * 2u, HALF) + channel);
  }
  let at = channel * row.bits;
  let word = arena[row.codes + at / 32u] >> (at % 32u);
  let mask = (1u << row.bits) - 1u;
  let codes = vec4u(word & mask, (word >> row.bits) & mask, (word >> (2u * row.bits)) & mask, (word >> (3u * row.bits)) & mask);
  let values = vec4f(level(row, codes.x), level(row, codes.y), level(row, codes.z), level(row, codes.w));
  if (row.group_channels >= 4u) {
    let affine = unpack2x16float(arena[row.scales + channel / row.group_channels]);
    return fma(values, vec4f(affine.x), vec4f(affine.y));
  }
  let first = row.scales + channel / row.group_channels;
  let step = 4u / row.group_channels;
  var result: vec4f;
  for (var i = 0u; i < 4u; i++) {
    let affine = unpack2x16float(arena[first + i * step / 4u]);
    result[i] = fma(values[i], affine.x, affine.y);
  }
  return result;
}
