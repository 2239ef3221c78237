// What every kernel of a pass knows: the rows (one position of one request each) and how many there are.

struct Row {
  // Which cache view the row attends to, and which token buffer it reads.
  view: u32,
  // Position of the row's token in its request.
  position: u32,
  // Entry of the view's tail the row's own key and value go to; it sees the tail up to and including it.
  tail: u32,
  // Bit 0: the choice becomes the request's next token. 1: a row of a verify. 2: it has a drafted token behind it. 3: of its
  // attention the largest counts, not the sum. 4: its queries are kept. 5: its attention is observed. From 8 on: 1 + its slot.
  flags: u32,
}

struct Pass {
  rows: u32,
  // Rows whose next token is wanted.
  choices: u32,
  // Number of the step within the submission.
  step: u32,
  // Most entries any row sees, rounded up to whole chunks: the stride of the scores.
  entries: u32,
}

// A request's views: what its drafts attend to, its full KV, and what its drafts will attend to next.
const VIEWS_PER_SLOT = 3u;
fn slot_of(row: Row) -> u32 { return row.view / VIEWS_PER_SLOT; }

// Entries of one softmax chunk, and entries whose weighted values one thread adds up.
const CHUNK = 64u;
const SPAN = 512u;
