// Sizes of the model and of the pages of its KV cache.

override LAYERS: u32;
override HEADS: u32;
override KV_HEADS: u32;
override HEAD_DIM: u32;
// Elements are f16 pairs in a word, or f32.
override HALF: bool;
override PAGE_TOKENS: u32;
override PAGES_PER_VIEW: u32;

// Query heads of a KV head are taken two at a time; where their number is odd, the last is alone.
override PAIRS_PER_KV_HEAD: u32 = (HEADS / KV_HEADS + 1u) / 2u;
override HEAD_PAIRS: u32 = KV_HEADS * PAIRS_PER_KV_HEAD;

struct HeadPair {
  kv_head: u32,
  first: u32,
  // The first again where there is no second.
  second: u32,
}

fn head_pair(index: u32) -> HeadPair {
  let group = HEADS / KV_HEADS;
  let kv_head = index / PAIRS_PER_KV_HEAD;
  let first = kv_head * group + index % PAIRS_PER_KV_HEAD * 2u;
  return HeadPair(kv_head, first, min(first + 1u, (kv_head + 1u) * group - 1u));
}
