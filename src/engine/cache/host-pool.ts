/**
 * Full KV in host memory, page by page as it lies on the device. Requests whose prompts begin alike share the pages of
 * their common beginning; a page is written once, when its tokens are known, and never changed after it is full.
 */
import { type EngineShape, pageWords, rowBytes, tokenWords } from "../kernels/shape.ts"

interface Page {
  readonly id: number
  readonly bytes: Uint8Array
  /** Where it stands in the tree of prefixes, once it is full. */
  key: string | undefined
  references: number
}

/** The full KV one request has in host memory. */
export interface HostCopy {
  /** Tokens whose rows are here, from the first on. */
  tokens: number
  readonly pages: Page[]
}

export class HostPool {
  readonly #shape: EngineShape
  /** Full pages by the page before them and their own tokens. */
  readonly #shared = new Map<string, Page>()
  #bytes = 0
  #nextId = 0

  constructor(shape: EngineShape) {
    this.#shape = shape
  }

  /** Bytes held, each shared page once. */
  get bytes(): number {
    return this.#bytes
  }

  /** A copy that begins with whatever pages of this prompt are here already; at least its last token is left to compute. */
  open(prompt: readonly number[]): HostCopy {
    const copy: HostCopy = { tokens: 0, pages: [] }
    const { pageTokens } = this.#shape
    while (copy.tokens + pageTokens < prompt.length) {
      const page = this.#shared.get(this.#key(copy, copy.pages.length, prompt))
      if (page === undefined) break
      page.references++
      copy.pages.push(page)
      copy.tokens += pageTokens
    }
    return copy
  }

  /** Bytes of page `index`, as the device wants it. */
  page(copy: HostCopy, index: number): Uint8Array {
    return copy.pages[index]!.bytes
  }

  /** Bytes of one row: a token's key (side 0) or value (1) of one KV head of one layer. */
  row(copy: HostCopy, token: number, layer: number, side: 0 | 1, head: number): Uint8Array {
    const { pageTokens, config } = this.#shape
    const bytes = rowBytes(this.#shape)
    const block = (layer * 2 + side) * config.kvHeads + head
    const from = (block * pageTokens + (token % pageTokens)) * bytes
    return copy.pages[Math.floor(token / pageTokens)]!.bytes.subarray(from, from + bytes)
  }

  /** Takes a page as it came from the device; tokens beyond `tokens` in it are not valid yet. */
  storePage(
    copy: HostCopy,
    index: number,
    data: Uint8Array,
    sequence: readonly number[],
    tokens: number
  ): void {
    this.#own(copy, index).bytes.set(data)
    this.#grown(copy, sequence, tokens)
  }

  /**
   * Appends rows, each [layer][key, value][kv head][channel], from token `from` on; those that are here already stay as they
   * are. `sequence` is the request's tokens.
   */
  append(copy: HostCopy, rows: Uint8Array, sequence: readonly number[], from = copy.tokens): void {
    const { pageTokens } = this.#shape
    const tokenBytes = tokenWords(this.#shape) * 4
    const headBytes = rowBytes(this.#shape)
    const end = from + rows.length / tokenBytes
    if (from > copy.tokens) throw new Error("rows come home before those in front of them")
    for (let token = copy.tokens; token < end; token++) {
      const { bytes } = this.#own(copy, Math.floor(token / pageTokens))
      for (let head = 0; head < tokenBytes / headBytes; head++) {
        const at = (token - from) * tokenBytes + head * headBytes
        bytes.set(rows.subarray(at, at + headBytes), (head * pageTokens + (token % pageTokens)) * headBytes)
      }
    }
    this.#grown(copy, sequence, end)
  }

  close(copy: HostCopy): void {
    for (const page of copy.pages) this.#release(page)
    copy.pages.length = 0
    copy.tokens = 0
  }

  /** A page of the copy that nobody else reads. */
  #own(copy: HostCopy, index: number): Page {
    const known = copy.pages[index]
    if (known !== undefined && known.key === undefined) return known
    const page: Page = {
      id: this.#nextId++,
      bytes: new Uint8Array(pageWords(this.#shape) * 4),
      key: undefined,
      references: 1
    }
    this.#bytes += page.bytes.length
    if (known !== undefined) {
      page.bytes.set(known.bytes)
      this.#release(known)
    }
    copy.pages[index] = page
    return page
  }

  /** The copy now holds `tokens` tokens: pages that became full may be shared. */
  #grown(copy: HostCopy, sequence: readonly number[], tokens: number): void {
    const { pageTokens } = this.#shape
    const from = Math.floor(copy.tokens / pageTokens)
    copy.tokens = Math.max(copy.tokens, tokens)
    for (let index = from; (index + 1) * pageTokens <= copy.tokens; index++) {
      const page = copy.pages[index]!
      if (page.key !== undefined) continue
      const key = this.#key(copy, index, sequence)
      const other = this.#shared.get(key)
      if (other === undefined) {
        page.key = key
        this.#shared.set(key, page)
      } else {
        // The same tokens give the same bytes, so one page is enough.
        other.references++
        copy.pages[index] = other
        this.#release(page)
      }
    }
  }

  #release(page: Page): void {
    if (--page.references > 0) return
    this.#bytes -= page.bytes.length
    if (page.key !== undefined) this.#shared.delete(page.key)
  }

  /** Two pages are the same only if all tokens up to their ends are. */
  #key(copy: HostCopy, index: number, sequence: readonly number[]): string {
    const { pageTokens } = this.#shape
    const before = copy.pages[index - 1]?.id ?? -1
    return `${before}:${sequence.slice(index * pageTokens, (index + 1) * pageTokens).join()}`
  }
}
