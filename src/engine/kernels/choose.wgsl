// Draws the next token of a row from its logits: repetition penalty, temperature, top-k, top-p, as Hugging Face orders
// them; greedy at temperature 0, the lowest index on a tie. Random numbers are a pure function of (seed, position, token),
// so a row draws the same token wherever and whenever it is computed.

override VOCAB: u32;
override VOCAB_STRIDE: u32;
override MAX_TOKENS: u32;
// Rows of draft distributions kept per request for speculative sampling.
override KEPT: u32;

struct Sampler {
  temperature: f32,
  top_k: u32,
  top_p: f32,
  penalty: f32,
  seed: u32,
  speculative: u32,
  unused0: u32,
  unused1: u32,
}

@group(0) @binding(0) var<storage, read_write> logits: array<f32>;
@group(0) @binding(1) var<storage, read> rows: array<Row>;
@group(0) @binding(2) var<storage, read> chosen: array<u32>;
@group(0) @binding(3) var<storage, read> pass_: Pass;
@group(0) @binding(4) var<storage, read_write> tokens: array<u32>;
@group(0) @binding(5) var<storage, read> samplers: array<Sampler>;
// One bit a token, per choice.
@group(0) @binding(6) var<storage, read_write> seen: array<u32>;
// Distributions drafts were drawn from: [slot][position % KEPT][token].
@group(0) @binding(7) var<storage, read_write> drafted: array<f32>;
@group(0) @binding(8) var<storage, read_write> out: array<u32>;

fn mix(value: u32) -> u32 {
  var h = value;
  h = (h ^ (h >> 16u)) * 0x7feb352du;
  h = (h ^ (h >> 15u)) * 0x846ca68bu;
  return h ^ (h >> 16u);
}
fn uniform01(seed: u32, position: u32, salt: u32) -> f32 {
  let h = mix(mix(mix(seed ^ 0x9e3779b9u) ^ position) ^ salt);
  // 23 bits and a half: a 24th would not fit, and rounding to 1 would make a token win whatever its logit.
  return (f32(h >> 9u) + 0.5) / 8388608.0;
}
// Large values come from small numbers, near which log(1 - u) loses its digits and its series does not.
fn gumbel(seed: u32, position: u32, token: u32) -> f32 {
  let u = uniform01(seed, position, token);
  return -log(select(-log(1f - u), u + u * u * (0.5 + u / 3f), u < 0.01));
}

// Larger floats have larger keys.
fn key(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  return select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let choice = group.x;
  let lane = local.x;
  if (choice >= pass_.choices) { return; }
  let row = rows[chosen[choice]];
  let sampler = samplers[slot_of(row)];
  let base = choice * VOCAB_STRIDE;
  let history = slot_of(row) * MAX_TOKENS;
  let near = meet(lane);

  if (sampler.penalty != 1f) {
    let bits = choice * ((VOCAB + 31u) / 32u);
    for (var i = lane; i < (VOCAB + 31u) / 32u; i += LANES) { seen[bits + i] = 0u; }
    settle();
    if (lane == 0u) {
      for (var i = 0u; i <= row.position; i++) {
        let token = tokens[history + i];
        let word = bits + token / 32u;
        let bit = 1u << (token % 32u);
        if ((seen[word] & bit) != 0u) { continue; }
        seen[word] |= bit;
        let value = logits[base + token];
        logits[base + token] = select(value * sampler.penalty, value / sampler.penalty, value > 0f);
      }
    }
    settle();
  }

  var top = -3.4e38f;
  var index = VOCAB;
  for (var i = lane; i < VOCAB; i += LANES) {
    if (logits[base + i] > top || index == VOCAB) {
      top = logits[base + i];
      index = i;
    }
  }
  let greedy = best(lane, near, select(top, -3.4e38f, index == VOCAB), index);
  var token = greedy;

  if (sampler.temperature > 0f) {
    let most = logits[base + greedy];
    // The k-th largest value and the least value of the smallest set with mass top_p, found bit by bit.
    var floor_key = 0u;
    if (sampler.top_k > 0u && sampler.top_k < VOCAB) {
      for (var bit = 31u; bit < 32u; bit--) {
        let trial = floor_key | (1u << bit);
        var count = 0f;
        for (var i = lane; i < VOCAB; i += LANES) { count += select(0f, 1f, key(logits[base + i]) >= trial); }
        if (add_up(lane, near, count) >= f32(sampler.top_k)) { floor_key = trial; }
      }
    }
    var mass = 0f;
    for (var i = lane; i < VOCAB; i += LANES) {
      let value = logits[base + i];
      if (key(value) >= floor_key) { mass += exp((value - most) / sampler.temperature); }
    }
    var total = add_up(lane, near, mass);
    if (sampler.top_p < 1f) {
      let enough = sampler.top_p * total;
      var least = 0u;
      for (var bit = 31u; bit < 32u; bit--) {
        let trial = least | (1u << bit);
        var part = 0f;
        for (var i = lane; i < VOCAB; i += LANES) {
          let value = logits[base + i];
          if (key(value) >= max(trial, floor_key)) { part += exp((value - most) / sampler.temperature); }
        }
        let sum = add_up(lane, near, part);
        if (sum >= enough) {
          least = trial;
          if (trial >= floor_key) { total = sum; }
        }
      }
      floor_key = max(floor_key, least);
    }

    // Speculative sampling (Leviathan et al. 2023): keep the drafted token with probability min(1, p/q), else draw from
    // the positive part of p − q. Bit 1: a verify row; bit 2: it has a drafted token behind it.
    var residual = false;
    var decided = false;
    let q = (slot_of(row) * KEPT + row.position % KEPT) * VOCAB;
    if (sampler.speculative != 0u && (row.flags & 4u) != 0u) {
      let draft = tokens[history + row.position + 1u];
      let value = logits[base + draft];
      let p = select(0f, exp((value - most) / sampler.temperature) / total, key(value) >= floor_key);
      let lucky = uniform01(sampler.seed, row.position, 0xacce97u) * drafted[q + draft] < p;
      decided = agree(lane, lucky);
      residual = !decided;
      if (decided) { token = draft; }
    }
    if (!decided) {
      // Drafts and verifies share their noise when coupled; speculative ones must not.
      let salt = select(0u, select(0x10000000u, 0x20000000u, (row.flags & 2u) != 0u), sampler.speculative != 0u);
      var highest = -3.4e38f;
      var winner = VOCAB;
      for (var i = lane; i < VOCAB; i += LANES) {
        let value = logits[base + i];
        let allowed = key(value) >= floor_key;
        let scaled = (value - most) / sampler.temperature;
        var score = scaled;
        if (residual) {
          let p = select(0f, exp(scaled) / total, allowed);
          score = log(max(p - drafted[q + i], 0f));
          if (p <= drafted[q + i]) { continue; }
        } else if (!allowed) {
          continue;
        }
        score += gumbel(sampler.seed ^ salt, row.position, i);
        if (score > highest || winner == VOCAB) {
          highest = score;
          winner = i;
        }
      }
      let drawn = best(lane, near, select(highest, -3.4e38f, winner == VOCAB), winner);
      token = select(drawn, greedy, drawn == VOCAB);
    }
    if (sampler.speculative != 0u && (row.flags & 2u) == 0u) {
      for (var i = lane; i < VOCAB; i += LANES) {
        let value = logits[base + i];
        drafted[q + i] = select(0f, exp((value - most) / sampler.temperature) / total, key(value) >= floor_key);
      }
    }
  }

  if (lane == 0u) {
    out[pass_.step * pass_.choices + choice] = token;
    if ((row.flags & 1u) != 0u) { tokens[history + row.position + 1u] = token; }
  }
}
