enable f16;
@group(0) @binding(0) var<storage, read> weights: array<vec4<f16>>;
fn weight(quad: u32) -> vec4f { return vec4f(weights[quad]); }
