/** Text to token ids and back, by a model's tokenizer.json; and back token by token, as they are generated. */
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers"
import { Effect } from "effect"
import { ModelRefused } from "../weights/checkpoint.ts"
import { type ModelFiles, readText } from "../weights/open.ts"

export interface Tokenizer {
  /** Token ids of a text, with the special tokens the model wants in front. */
  readonly encode: (text: string) => readonly number[]
  /** Text without special tokens; ids that stand for nothing (tables are often padded) add none. */
  readonly decode: (ids: readonly number[]) => string
  readonly stream: () => TextStream
}

const FILE = "tokenizer.json"
const CONFIG = "tokenizer_config.json"

/** Reads tokenizer.json and, where there is one, tokenizer_config.json. `vocab`: rows of the model's embedding table. */
export const openTokenizer = Effect.fnUntraced(function* (
  files: ModelFiles,
  vocab: number
): Effect.fn.Return<Tokenizer, ModelRefused> {
  const refuse = (reason: string) => new ModelRefused({ file: `${files.name}/${FILE}`, reason })
  const parse = (path: string, text: string) =>
    Effect.try({
      try: () => JSON.parse(text) as unknown,
      catch: (error) =>
        new ModelRefused({ file: `${files.name}/${path}`, reason: `no JSON: ${String(error)}` })
    })
  const text = yield* readText(files, FILE)
  if (text === undefined)
    return yield* refuse("is not there; tokenizer.model alone is not enough, save the fast tokenizer")
  const json = yield* parse(FILE, text)
  const fault = unsupported(json)
  if (fault !== undefined) return yield* refuse(fault)
  const configText = yield* readText(files, CONFIG)
  const config = configText === undefined ? {} : yield* parse(CONFIG, configText)
  const tokenizer = yield* Effect.try({
    try: () => new HuggingFaceTokenizer(json as object, config as object),
    catch: (error) => refuse(error instanceof Error ? error.message : String(error))
  })
  const last = Math.max(...tokenizerIds(tokenizer))
  if (last >= vocab)
    return yield* refuse(`has token ids up to ${last}, the model has ${vocab}: they do not belong together`)
  return wrap(tokenizer, vocab)
})

/** Base vocabulary only: added tokens beyond the table are padding marks that no prompt should hold. */
function* tokenizerIds(tokenizer: HuggingFaceTokenizer): Generator<number> {
  const added = tokenizer.get_added_tokens_decoder()
  for (const id of tokenizer.get_vocab(false).values()) if (!added.has(id)) yield id
}

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Decoders under which a text so far is the beginning of the text with one more token. */
const DECODERS = ["ByteLevel", "Metaspace", "Sequence", "Replace", "ByteFallback", "Fuse", "Strip"]

/** Why a tokenizer.json is none the engine can stream; undefined if it is. */
const unsupported = (json: unknown): string | undefined => {
  if (!isObject(json) || !isObject(json["model"]))
    return "has no model; a tokenizer.json of Hugging Face is expected"
  const { type } = json["model"]
  if (type !== undefined && type !== "BPE" && type !== "Unigram")
    return `its model is ${JSON.stringify(type)}; the engine has BPE and Unigram`
  return unsupportedDecoder(json["decoder"])
}

const unsupportedDecoder = (decoder: unknown): string | undefined => {
  const type = isObject(decoder) ? decoder["type"] : undefined
  if (!isObject(decoder) || !DECODERS.includes(String(type)))
    return `its decoder is ${type === undefined ? "missing" : JSON.stringify(type)}; the engine has ${DECODERS.join(", ")}`
  if (type === "Strip" && (Number(decoder["start"] ?? 0) > 1 || Number(decoder["stop"] ?? 0) > 0))
    return "its decoder strips more than one leading character, which no stream of text can follow"
  const parts = type === "Sequence" ? decoder["decoders"] : []
  if (!Array.isArray(parts)) return "its decoder is a sequence without decoders"
  return parts.map(unsupportedDecoder).find((fault) => fault !== undefined)
}

const wrap = (tokenizer: HuggingFaceTokenizer, vocab: number): Tokenizer => {
  const special = new Set<number>()
  for (const [id, token] of tokenizer.get_added_tokens_decoder()) if (token.special) special.add(id)
  const isText = (id: number): boolean => !special.has(id) && tokenizer.id_to_token(id) !== undefined
  const decode = (ids: readonly number[]): string => {
    const text = ids.filter(isText)
    // Spaces before punctuation stay: what the model said is not edited.
    return text.length === 0 ? "" : tokenizer.decode(text, { clean_up_tokenization_spaces: false })
  }
  return {
    encode: (text) => tokenizer.encode(text).ids.filter((id: number) => id < vocab),
    decode,
    stream: () => new TextStream(decode, isText)
  }
}

/** What a decoder shows for bytes that are no character, or not yet one. */
const REPLACEMENT = "\uFFFD"

/**
 * Decodes token by token. All that `push` and `end` return, joined, is the text of all tokens decoded at once: a token is held
 * back while its bytes are only the beginning of a character.
 */
export class TextStream {
  readonly #decode: (ids: readonly number[]) => string
  readonly #isText: (id: number) => boolean
  /** Tokens already told, decoded again before the new ones: the first token of a text may lose its space, later ones not. */
  #told: readonly number[] = []
  #held: number[] = []

  constructor(decode: (ids: readonly number[]) => string, isText: (id: number) => boolean) {
    this.#decode = decode
    this.#isText = isText
  }

  /** The text that one more token settles; often a word, sometimes nothing. */
  push(id: number): string {
    if (!this.#isText(id)) return ""
    this.#held.push(id)
    const text = this.#next()
    if (text === "" || text.endsWith(REPLACEMENT)) return ""
    this.#told = this.#held
    this.#held = []
    return text
  }

  /** What was held back, broken or not. */
  end(): string {
    const text = this.#next()
    this.#told = []
    this.#held = []
    return text
  }

  #next(): string {
    return this.#decode([...this.#told, ...this.#held]).slice(this.#decode(this.#told).length)
  }
}
