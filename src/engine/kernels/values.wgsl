// parts[row][span][head] = Σ over the entries of a span of weight · value, entries in order. A thread takes four channels of
// two query heads of one KV head, so that values are read once for both, and walks entries in runs of one chunk and one
// page, so that factors and pages are looked up once a run.

@group(0) @binding(0) var<storage, read> scores: array<f32>;
@group(0) @binding(1) var<storage, read> chunks: array<vec2f>;
@group(0) @binding(2) var<storage, read> arena: array<u32>;
@group(0) @binding(3) var<storage, read> views: array<u32>;
@group(0) @binding(4) var<storage, read> rows: array<Row>;
@group(0) @binding(5) var<storage, read> pass_: Pass;
@group(0) @binding(6) var<uniform> layer: vec4u;
@group(0) @binding(7) var<storage, read_write> parts: array<vec4f>;

fn chunk_end(entry: u32) -> u32 { return (entry / CHUNK + 1u) * CHUNK; }

struct Sums {
  first: vec4f,
  second: vec4f,
}

// Adds `count` entries' values, plain elements that lie side by side from `element` on. `entry0`, `entry1`: the first entry
// among the scores of each head.
fn add_plain(before: Sums, entry0: u32, entry1: u32, count: u32, element: u32) -> Sums {
  let factor0 = chunks[entry0 / CHUNK].x;
  let factor1 = chunks[entry1 / CHUNK].x;
  var sums = before;
  for (var i = 0u; i < count; i++) {
    let value = plain_quad(element + i * HEAD_DIM);
    sums.first = fma(vec4f(scores[entry0 + i] * factor0), value, sums.first);
    sums.second = fma(vec4f(scores[entry1 + i] * factor1), value, sums.second);
  }
  return sums;
}

fn add_quantised(before: Sums, entry0: u32, entry1: u32, part: Packed, row: PackedRow, channel: u32) -> Sums {
  let value = packed_quad(part, row, channel);
  return Sums(
    fma(vec4f(scores[entry0] * chunks[entry0 / CHUNK].x), value, before.first),
    fma(vec4f(scores[entry1] * chunks[entry1 / CHUNK].x), value, before.second)
  );
}

@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let quads = HEAD_DIM / 4u;
  if (id.x >= HEAD_PAIRS * quads) { return; }
  let pair = head_pair(id.x / quads);
  let quad = id.x % quads;
  let channel = quad * 4u;
  let row = rows[id.z];
  let packed = views[layer_record(row.view, layer.x)];
  let visible = packed + row.tail + 1u;
  let start = id.y * SPAN;
  if (start >= visible) { return; }
  let to = min(visible, start + SPAN);
  let packed_to = min(to, packed);
  let base0 = (id.z * HEADS + pair.first) * pass_.entries;
  let base1 = (id.z * HEADS + pair.second) * pass_.entries;
  var sums: Sums;
  var entry = start;
  if (entry < packed_to) {
    let part = packed_part(row.view, layer.x, 1u);
    if (is_plain(part)) {
      while (entry < packed_to) {
        let run = plain_run(part, pair.kv_head, entry);
        let end = min(min(packed_to, chunk_end(entry)), entry + run.rows);
        sums = add_plain(sums, base0 + entry, base1 + entry, end - entry, run.element + channel);
        entry = end;
      }
    } else {
      for (; entry < packed_to; entry++) {
        sums = add_quantised(sums, base0 + entry, base1 + entry, part, packed_row(part, pair.kv_head, entry), channel);
      }
    }
  }
  while (entry < to) {
    let index = entry - packed;
    let end = min(min(to, chunk_end(entry)), packed + (index / PAGE_TOKENS + 1u) * PAGE_TOKENS);
    let element = tail_row(row.view, layer.x, 1u, pair.kv_head, index) + channel;
    sums = add_plain(sums, base0 + entry, base1 + entry, end - entry, element);
    entry = end;
  }
  let out = (id.z * ((pass_.entries + SPAN - 1u) / SPAN) + id.y) * HEADS;
  parts[(out + pair.first) * quads + quad] = sums.first;
  if (pair.second != pair.first) { parts[(out + pair.second) * quads + quad] = sums.second; }
}
