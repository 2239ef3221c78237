// One thread a group of elements that share a scale: its range, or its middle and reach where levels are uneven.

@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let side = id.z;
  let head = id.y;
  let header = job.to_view * view_words() + side * 3u;
  let record = layer_record(job.to_view, job.layer);
  let count = views[record];
  let bits = views[header];
  let group_tokens = views[header + 1u];
  let group_channels = views[header + 2u];
  if (bits >= 16u) { return; }
  let across = HEAD_DIM / group_channels;
  if (id.x >= count / group_tokens * across) { return; }
  let first_entry = id.x / across * group_tokens;
  let first_channel = id.x % across * group_channels;
  var low = 3.4e38f;
  var high = -3.4e38f;
  for (var e = 0u; e < group_tokens; e++) {
    for (var c = 0u; c < group_channels; c++) {
      let value = source(side, head, first_entry + e, first_channel + c);
      low = min(low, value);
      high = max(high, value);
    }
  }
  var affine = vec2f((high - low) / f32((1u << bits) - 1u), low);
  if (views[record + 5u + side] != 0xffffffffu) { affine = vec2f((high - low) * 0.5, (high + low) * 0.5); }
  let at = packed_word(job.to_view, views[record + 2u + side * 2u] + head * (count / group_tokens) * across + id.x);
  arena[at] = pack2x16float(affine);
}
