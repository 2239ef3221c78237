// Where the keys and values of a row's context lie in the paged arena. A view is a packed part, the same number of entries
// for every KV head of a layer, and a tail of plain entries in token order. Full KV is a view with nothing packed.

const VIEW_HEADER = 8u;
const LAYER_RECORD = 8u;

struct Format {
  bits: u32,
  group_tokens: u32,
  group_channels: u32,
}

fn view_words() -> u32 { return VIEW_HEADER + LAYERS * LAYER_RECORD + 2u * PAGES_PER_VIEW; }
fn tail_table(view: u32) -> u32 { return view * view_words() + VIEW_HEADER + LAYERS * LAYER_RECORD; }
fn packed_table(view: u32) -> u32 { return tail_table(view) + PAGES_PER_VIEW; }
fn layer_record(view: u32, layer: u32) -> u32 { return view * view_words() + VIEW_HEADER + layer * LAYER_RECORD; }

fn layer_elements() -> u32 { return PAGE_TOKENS * 2u * KV_HEADS * HEAD_DIM; }
fn page_elements() -> u32 { return LAYERS * layer_elements(); }
fn page_words() -> u32 { return select(page_elements(), page_elements() / 2u, HALF); }

// First element of a tail row: side 0 holds keys, 1 values. The table counts layers of pages, not pages, so that a view can
// also be one of which only a few layers are here at a time (DeviceCache.setLayer).
fn tail_row(view: u32, layer: u32, side: u32, head: u32, index: u32) -> u32 {
  let block = views[tail_table(view) + index / PAGE_TOKENS] + layer;
  return block * layer_elements() + ((side * KV_HEADS + head) * PAGE_TOKENS + index % PAGE_TOKENS) * HEAD_DIM;
}

// Word of the arena that holds a word of the packed part.
fn packed_word(view: u32, word: u32) -> u32 {
  return views[packed_table(view) + word / page_words()] * page_words() + word % page_words();
}
