import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Folder, memoryFiles, utf8 } from "../weights/files.fixture.ts"
import { openTokenizer, type Tokenizer } from "./tokenizer.ts"

type Json = Readonly<Record<string, unknown>>

const nothing = JSON.parse("null") as unknown

const special = (id: number, content: string) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true
})

const startOfText = (id: number, content: string) => ({
  type: "TemplateProcessing",
  single: [{ SpecialToken: { id: content, type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
  pair: [{ Sequence: { id: "A", type_id: 0 } }, { Sequence: { id: "B", type_id: 1 } }],
  special_tokens: { [content]: { id: content, ids: [id], tokens: [content] } }
})

const vocabOf = (tokens: readonly string[]): Json =>
  Object.fromEntries(tokens.map((token, id) => [token, id]))

/** GPT-2's way to show every byte as a printable character. */
const byteNames = (): readonly string[] => {
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173)
    return String.fromCodePoint(printable ? byte : next++)
  })
}

/** Like Llama 3, Qwen and SmolLM2: tokens are bytes, merged. */
const byteLevel = (): Json => {
  const merges = ["h e", "l l", "he ll", "hell o", "Ġ hello"]
  const tokens = ["<|end|>", ...byteNames(), ...merges.map((pair) => pair.replace(" ", ""))]
  const byLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true }
  return {
    version: "1.0",
    truncation: nothing,
    padding: nothing,
    added_tokens: [special(0, "<|end|>")],
    normalizer: nothing,
    pre_tokenizer: byLevel,
    post_processor: startOfText(0, "<|end|>"),
    decoder: byLevel,
    model: { type: "BPE", unk_token: nothing, byte_fallback: false, vocab: vocabOf(tokens), merges }
  }
}

/** Like Llama 2 and Mistral: words begin with ▁, and what has no token is spelt in bytes. */
const sentencePiece = (): Json => {
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`
  )
  const merges = ["▁ a", "a b", "▁ ab"]
  const tokens = ["<unk>", "<s>", ...bytes, "▁", "a", "b", ".", "▁a", "ab", "▁ab"]
  return {
    version: "1.0",
    truncation: nothing,
    padding: nothing,
    added_tokens: [special(0, "<unk>"), special(1, "<s>")],
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "Prepend", prepend: "▁" },
        { type: "Replace", pattern: { String: " " }, content: "▁" }
      ]
    },
    pre_tokenizer: nothing,
    post_processor: startOfText(1, "<s>"),
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "▁" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        { type: "Strip", content: " ", start: 1, stop: 0 }
      ]
    },
    model: {
      type: "BPE",
      unk_token: "<unk>",
      fuse_unk: true,
      byte_fallback: true,
      vocab: vocabOf(tokens),
      merges
    }
  }
}

const folder = (tokenizer: unknown): Folder => ({ "tokenizer.json": utf8(JSON.stringify(tokenizer)) })
const open = (tokenizer: unknown, vocab = 300): Tokenizer =>
  Effect.runSync(openTokenizer(memoryFiles(folder(tokenizer)), vocab))
const refusal = (files: Folder, vocab = 300): string =>
  Effect.runSync(Effect.flip(openTokenizer(memoryFiles(files), vocab))).message

const streamed = (tokenizer: Tokenizer, ids: readonly number[]): readonly string[] => {
  const stream = tokenizer.stream()
  return [...ids.map((id) => stream.push(id)), stream.end()]
}

const KINDS: readonly (readonly [string, () => Json])[] = [
  ["bytes", byteLevel],
  ["pieces with byte fallback", sentencePiece]
]

describe.each(KINDS)("a tokenizer of %s", (_, make) => {
  const tokenizer = open(make())

  it("gives back every text it takes", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 30 })
    fc.assert(
      fc.property(text, (given) => {
        // The decoder drops invisible marks of byte order, as the format's own decoders do.
        fc.pre(!given.includes("\uFEFF"))
        expect(tokenizer.decode(tokenizer.encode(given))).toBe(given)
      })
    )
  })

  it("streams any tokens at all to the text of all of them", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(299), { maxLength: 40 }), (ids) => {
        expect(streamed(tokenizer, ids).join("")).toBe(tokenizer.decode(ids))
      }),
      { numRuns: 500 }
    )
  })

  it("never streams half a character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }), (text) => {
        fc.pre(!text.includes("\uFEFF") && !text.includes("\uFFFD"))
        const parts = streamed(tokenizer, tokenizer.encode(text))
        expect(parts.join("")).not.toContain("\uFFFD")
        expect(parts.every((part) => part.isWellFormed())).toBe(true)
        expect(parts.at(-1)).toBe("")
      })
    )
  })

  it("decodes no tokens, special tokens and unknown ids to nothing", () => {
    expect(tokenizer.decode([])).toBe("")
    expect(tokenizer.decode([0, 299, 100_000])).toBe("")
    expect(streamed(tokenizer, [0, 299])).toEqual(["", "", ""])
  })
})

describe("a tokenizer", () => {
  it("puts the start of text in front and uses its merges", () => {
    const tokenizer = open(byteLevel())
    const ids = tokenizer.encode("hello hello")
    expect(ids[0]).toBe(0)
    expect(streamed(tokenizer, ids)).toEqual(["", "hello", " hello", ""])
  })

  it("streams words with their spaces and characters when they are whole", () => {
    const tokenizer = open(sentencePiece())
    expect(streamed(tokenizer, tokenizer.encode("ab a é .b"))).toEqual("|a|b| a| ||é| |.|b|".split("|"))
  })

  it("tells broken bytes at the end only", () => {
    const tokenizer = open(byteLevel())
    const euro = tokenizer.encode("€").slice(1)
    expect(euro).toHaveLength(3)
    expect(streamed(tokenizer, euro.slice(0, 2))).toEqual(["", "", "\uFFFD"])
  })

  it("does not edit what the model said, whatever its config wishes", () => {
    const files = {
      ...folder(byteLevel()),
      "tokenizer_config.json": utf8('{"clean_up_tokenization_spaces":true}')
    }
    const tokenizer = Effect.runSync(openTokenizer(memoryFiles(files), 300))
    expect(tokenizer.decode(tokenizer.encode("so . do n't"))).toBe("so . do n't")
  })
})

describe("a tokenizer is refused", () => {
  it("that is missing or no tokenizer", () => {
    expect(refusal({})).toContain("model/tokenizer.json: is not there")
    expect(refusal({ "tokenizer.json": utf8("{") })).toContain("no JSON")
    expect(refusal(folder([]))).toContain("has no model")
    expect(refusal(folder({ model: {}, decoder: { type: "Fuse" } }))).toMatch(/^model\/tokenizer.json: ./)
    expect(refusal({ ...folder(byteLevel()), "tokenizer_config.json": utf8("?") })).toContain(
      "tokenizer_config.json: no JSON"
    )
  })

  it("of a kind whose text cannot be streamed", () => {
    expect(refusal(folder({ ...byteLevel(), model: { type: "WordPiece" } }))).toContain("the engine has BPE")
    expect(refusal(folder({ ...byteLevel(), decoder: nothing }))).toContain("its decoder is")
    const strip = { type: "Strip", content: " ", start: 0, stop: 1 }
    const decoder = { type: "Sequence", decoders: [{ type: "Fuse" }, strip] }
    expect(refusal(folder({ ...sentencePiece(), decoder }))).toContain("strips")
  })

  it("that knows more tokens than the model", () => {
    expect(refusal(folder(byteLevel()), 200)).toContain("ids up to 261, the model has 200")
  })
})
