// A sum that is not cut into shares: nothing to join, and no barrier, which software adapters pay dearly for.

const SPLITS = 1u;

fn joined(local: vec3u, sums: Sums) -> Sums { return sums; }
