// One thread a word of codes (or of plain elements) of one KV head. What is neither turned nor stored in fewer bits keeps its bits.

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let side = id.z;
  let head = id.y;
  let header = job.to_view * view_words() + side * 3u;
  let record = layer_record(job.to_view, job.layer);
  let count = views[record];
  let bits = views[header];
  let row_words = HEAD_DIM * bits / 32u;
  if (id.x >= count * row_words) { return; }
  let entry = id.x / row_words;
  let first = id.x % row_words * (32u / bits);
  let to = packed_word(job.to_view, views[record + 1u + side * 2u] + head * count * row_words + id.x);
  if (bits >= 16u && views[job.to_view * view_words() + 6u] == 0u) {
    arena[to] = arena[source_row(side, head, entry) / select(1u, 2u, HALF) + id.x % row_words];
    return;
  }
  if (bits == 32u) {
    arena[to] = bitcast<u32>(source(side, head, entry, first));
    return;
  }
  if (bits == 16u) {
    arena[to] = pack2x16float(vec2f(source(side, head, entry, first), source(side, head, entry, first + 1u)));
    return;
  }
  let group_tokens = views[header + 1u];
  let group_channels = views[header + 2u];
  let across = HEAD_DIM / group_channels;
  let levels = views[record + 5u + side];
  let most = (1u << bits) - 1u;
  var word = 0u;
  for (var i = 0u; i < 32u / bits; i++) {
    let channel = first + i;
    let group = (head * (count / group_tokens) + entry / group_tokens) * across + channel / group_channels;
    let affine = unpack2x16float(arena[packed_word(job.to_view, views[record + 2u + side * 2u] + group)]);
    var value = 0f;
    if (affine.x != 0f) { value = (source(side, head, entry, channel) - affine.y) / affine.x; }
    var code = 0u;
    if (affine.x == 0f) {
      code = 0u;
    } else if (levels == 0xffffffffu) {
      code = u32(clamp(floor(value + 0.5), 0f, f32(most)));
    } else {
      var nearest = 3.4e38f;
      for (var l = 0u; l <= most; l++) {
        let gap = abs(value - bitcast<f32>(arena[packed_word(job.to_view, levels + l)]));
        if (gap < nearest) {
          nearest = gap;
          code = l;
        }
      }
    }
    word |= code << (i * bits);
  }
  arena[to] = word;
}
