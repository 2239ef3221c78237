@group(0) @binding(0) var<storage, read> weights: array<vec2u>;
fn weight(quad: u32) -> vec4f {
  let pair = weights[quad];
  return bitcast<vec4f>(vec4u(pair.x << 16u, pair.x & 0xffff0000u, pair.y << 16u, pair.y & 0xffff0000u));
}
