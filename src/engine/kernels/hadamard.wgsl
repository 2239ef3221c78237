// The orthonormal Walsh–Hadamard transform of a head's row; its own inverse.

fn rotated_element(start: u32, channel: u32) -> f32 {
  var sum = 0f;
  for (var i = 0u; i < HEAD_DIM; i++) {
    let sign = select(1f, -1f, (countOneBits(channel & i) & 1u) == 1u);
    sum = fma(sign, plain_element(start + i), sum);
  }
  return sum * inverseSqrt(f32(HEAD_DIM));
}

fn plain_element(element: u32) -> f32 {
  if (HALF) { return unpack2x16float(arena[element / 2u])[element % 2u]; }
  return bitcast<f32>(arena[element]);
}
