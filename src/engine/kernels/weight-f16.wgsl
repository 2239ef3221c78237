@group(0) @binding(0) var<storage, read> weights: array<vec2u>;
fn weight(quad: u32) -> vec4f {
  let pair = weights[quad];
  return vec4f(unpack2x16float(pair.x), unpack2x16float(pair.y));
}
