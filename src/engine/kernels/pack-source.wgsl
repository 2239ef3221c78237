// What both packing kernels read: rows of full KV at the positions that stay, turned if the target is rotated.

struct Job {
  // View of the full KV, and view whose packed part is built.
  from_view: u32,
  to_view: u32,
  // Where the layer's kept positions begin in `kept`: [kv_head][entry].
  kept: u32,
  layer: u32,
}

@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<storage, read> views: array<u32>;
@group(0) @binding(2) var<storage, read> kept: array<u32>;
@group(0) @binding(3) var<uniform> job: Job;

fn source_row(side: u32, head: u32, entry: u32) -> u32 {
  let count = views[layer_record(job.to_view, job.layer)];
  return tail_row(job.from_view, job.layer, side, head, kept[job.kept + head * count + entry]);
}

fn source(side: u32, head: u32, entry: u32, channel: u32) -> f32 {
  let row = source_row(side, head, entry);
  if (views[job.to_view * view_words() + 6u] != 0u) { return rotated_element(row, channel); }
  return plain_element(row + channel);
}
