// Sizes of the model and of the pages of its KV cache.

override LAYERS: u32;
override HEADS: u32;
override KV_HEADS: u32;
override HEAD_DIM: u32;
// Elements are f16 pairs in a word, or f32.
override HALF: bool;
override PAGE_TOKENS: u32;
override PAGES_PER_VIEW: u32;
