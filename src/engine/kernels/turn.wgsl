// The orthonormal Walsh–Hadamard transform of HEAD_DIM values from `from` on, in place. Its own inverse.
fn turn(start: u32) {
  for (var step = 1u; step < HEAD_DIM; step *= 2u) {
    for (var i = 0u; i < HEAD_DIM; i++) {
      if ((i & step) != 0u) { continue; }
      let a = values[start + i];
      let b = values[start + i + step];
      values[start + i] = a + b;
      values[start + i + step] = a - b;
    }
  }
  let scale = inverseSqrt(f32(HEAD_DIM));
  for (var i = 0u; i < HEAD_DIM; i++) { values[start + i] *= scale; }
}
