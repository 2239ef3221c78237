// scores[row][head][entry] = query · key / √head_dim. A thread takes four entries side by side, of the packed part or of one
// page of the tail, and two query heads of their KV head: so page and format are looked up once, and keys read once, for eight.

override SCALE: f32;
// Sliding window in tokens, 0 for none; it masks what full KV has beyond it.
override WINDOW: u32;

@group(0) @binding(0) var<storage, read> projected: array<vec4f>;
@group(0) @binding(1) var<storage, read> arena: array<u32>;
@group(0) @binding(2) var<storage, read> views: array<u32>;
@group(0) @binding(3) var<storage, read> rows: array<Row>;
@group(0) @binding(4) var<storage, read> pass_: Pass;
@group(0) @binding(5) var<uniform> layer: vec4u;
@group(0) @binding(6) var<storage, read_write> scores: array<f32>;

override QUADS: u32 = HEAD_DIM / 4u;

// Scores of two queries with four entries each.
alias Scores = array<vec4f, 2>;

fn added(sum: vec4f) -> f32 { return (sum.x + sum.y) + (sum.z + sum.w); }

fn plain_scores(query0: u32, query1: u32, keys: vec4u) -> Scores {
  var a0 = vec4f(0);
  var a1 = vec4f(0);
  var a2 = vec4f(0);
  var a3 = vec4f(0);
  var b0 = vec4f(0);
  var b1 = vec4f(0);
  var b2 = vec4f(0);
  var b3 = vec4f(0);
  for (var i = 0u; i < QUADS; i++) {
    let k0 = plain_quad(keys.x + 4u * i);
    let k1 = plain_quad(keys.y + 4u * i);
    let k2 = plain_quad(keys.z + 4u * i);
    let k3 = plain_quad(keys.w + 4u * i);
    let a = projected[query0 + i];
    a0 = fma(a, k0, a0);
    a1 = fma(a, k1, a1);
    a2 = fma(a, k2, a2);
    a3 = fma(a, k3, a3);
    let b = projected[query1 + i];
    b0 = fma(b, k0, b0);
    b1 = fma(b, k1, b1);
    b2 = fma(b, k2, b2);
    b3 = fma(b, k3, b3);
  }
  return Scores(vec4f(added(a0), added(a1), added(a2), added(a3)), vec4f(added(b0), added(b1), added(b2), added(b3)));
}

fn quantised_scores(query0: u32, query1: u32, part: Packed, row: PackedRow) -> vec2f {
  var a = vec4f(0);
  var b = vec4f(0);
  for (var i = 0u; i < QUADS; i++) {
    let key = packed_quad(part, row, 4u * i);
    a = fma(projected[query0 + i], key, a);
    b = fma(projected[query1 + i], key, b);
  }
  return vec2f(added(a), added(b));
}

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let pair = head_pair(id.y);
  let row = rows[id.z];
  let packed = views[layer_record(row.view, layer.x)];
  let packed_fours = (packed + 3u) / 4u;
  let query = id.z * (HEADS + 2u * KV_HEADS) * QUADS;
  let query0 = query + pair.first * QUADS;
  let query1 = query + pair.second * QUADS;
  var first = id.x * 4u;
  var end = packed;
  var dots: Scores;
  if (id.x < packed_fours) {
    let part = packed_part(row.view, layer.x, 0u);
    if (is_plain(part)) {
      var keys: vec4u;
      for (var i = 0u; i < 4u; i++) { keys[i] = plain_run(part, pair.kv_head, min(first + i, packed - 1u)).element; }
      dots = plain_scores(query0, query1, keys);
    } else {
      for (var i = 0u; i < 4u; i++) {
        let both = quantised_scores(query0, query1, part, packed_row(part, pair.kv_head, min(first + i, packed - 1u)));
        dots[0][i] = both.x;
        dots[1][i] = both.y;
      }
    }
  } else {
    let index = (id.x - packed_fours) * 4u;
    if (index > row.tail) { return; }
    first = packed + index;
    end = packed + row.tail + 1u;
    let key = tail_row(row.view, layer.x, 0u, pair.kv_head, index);
    dots = plain_scores(query0, query1, vec4u(key, key + HEAD_DIM, key + 2u * HEAD_DIM, key + 3u * HEAD_DIM));
  }
  let out0 = (id.z * HEADS + pair.first) * pass_.entries;
  let out1 = (id.z * HEADS + pair.second) * pass_.entries;
  for (var i = 0u; i < min(4u, end - first); i++) {
    let entry = first + i;
    let beyond = WINDOW > 0u && packed == 0u && entry + WINDOW <= row.tail;
    scores[out0 + entry] = select(dots[0][i] * SCALE, -3e38, beyond);
    if (pair.second != pair.first) { scores[out1 + entry] = select(dots[1][i] * SCALE, -3e38, beyond); }
  }
}
