@group(0) @binding(0) var<storage, read> weights: array<vec4f>;
fn weight(quad: u32) -> vec4f { return weights[quad]; }
