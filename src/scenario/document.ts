/** A YAML or JSON file with the positions of everything in it, and the faults found there. */
import { Exit, Schema, SchemaIssue } from "effect"
import { isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument } from "yaml"
import type { Document as YamlDocument, Node } from "yaml"
import { closest } from "./closest.ts"

export type Path = readonly PropertyKey[]

/** One thing that is wrong, and where: lines and columns from 1. */
export interface Fault {
  readonly file: string
  readonly line: number
  readonly column: number
  /** Field, as `engine.block_size`; empty for the file as a whole. */
  readonly field: string
  readonly message: string
  readonly suggestion?: string
  /** The line of the file. */
  readonly excerpt?: string
}

/** All faults of a file and of the files it names. */
export class ScenarioInvalid extends Schema.TaggedError<ScenarioInvalid>()("ScenarioInvalid", {
  faults: Schema.Array(Schema.Any)
}) {
  declare readonly faults: readonly Fault[]
  override get message(): string {
    return this.faults.map(renderFault).join("\n")
  }
}

export const renderFault = ({ file, line, column, field, message, suggestion, excerpt }: Fault): string => {
  const head = `${file}:${line}:${column}: ${field === "" ? "" : `${field}: `}${message}${suggestion === undefined ? "" : `; ${suggestion}`}`
  if (excerpt === undefined) return head
  const gutter = String(line).padStart(5)
  return `${head}\n${gutter} | ${excerpt}\n${" ".repeat(5)} | ${" ".repeat(column - 1)}^`
}

export const fieldName = (path: Path): string =>
  path.reduce<string>(
    (name, key) =>
      typeof key === "number" ? `${name}[${key}]` : name === "" ? String(key) : `${name}.${String(key)}`,
    ""
  )

/** More aliases than this is no scenario but a bomb. */
const MAX_ALIASES = 100

export class SourceDocument {
  readonly file: string
  readonly value: unknown
  readonly faults: readonly Fault[]
  readonly #text: string
  readonly #lines = new LineCounter()
  readonly #yaml: YamlDocument

  constructor(file: string, text: string) {
    this.file = file
    this.#text = text
    this.#yaml = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false })
    const faults = this.#yaml.errors.map((error) => this.#fault(error.pos[0], "", error.message))
    let value: unknown
    if (faults.length === 0) {
      try {
        value = this.#yaml.toJS({ maxAliasCount: MAX_ALIASES })
      } catch (error) {
        faults.push(this.#fault(0, "", error instanceof Error ? error.message : String(error)))
      }
      if (faults.length === 0 && (typeof value !== "object" || value === null || Array.isArray(value))) {
        faults.push(
          this.#fault(0, "", `expected fields, found ${value === null ? "an empty file" : "something else"}`)
        )
      }
    }
    this.value = value
    this.faults = faults
  }

  /** A fault at a field; at its nearest ancestor where the field itself is missing. */
  fault(path: Path, message: string, suggestion?: string): Fault {
    const fault = this.#fault(this.#offset(path), fieldName(path), message)
    return suggestion === undefined ? fault : { ...fault, suggestion }
  }

  /** Decodes the document; every fault of it, or the value. */
  decode<A>(
    schema: Schema.Decoder<A>,
    value: unknown = this.value
  ): { readonly value: A } | { readonly faults: readonly Fault[] } {
    const exit = Schema.decodeUnknownExit(schema)(value, { errors: "all", onExcessProperty: "error" })
    if (Exit.isSuccess(exit)) return { value: exit.value }
    const reason = exit.cause.reasons.find((one) => one._tag === "Fail")
    if (reason === undefined) throw new Error("decoding died")
    const { issues } = SchemaIssue.makeFormatterStandardSchemaV1()(reason.error.issue)
    const known = knownKeys(schema)
    return {
      faults: issues.map(({ path = [], message }) => {
        const keys = path.map((segment) => (typeof segment === "object" ? segment.key : segment))
        if (message !== "Expected no excess property")
          return this.fault(keys, this.#found(keys, lowerFirst(message)))
        return this.fault(keys, "unknown field", closest(String(keys.at(-1)), known(keys.slice(0, -1))))
      })
    }
  }

  #found(path: Path, message: string): string {
    const node = this.#yaml.getIn(path, true)
    if (message === "missing key") return "is missing"
    if (!isScalar(node) || message.includes("found")) return message
    return `${message}, found ${JSON.stringify(node.value)}`
  }

  #offset(path: Path): number {
    let node: unknown = this.#yaml.contents
    let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0
    for (const key of path) {
      if (isMap(node)) {
        const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key))
        if (!isPair(pair)) break
        offset = (pair.key as Node).range?.[0] ?? offset
        node = pair.value
      } else if (isSeq(node)) {
        node = node.items[Number(key)]
        if (isNode(node)) offset = node.range?.[0] ?? offset
      } else break
    }
    return offset
  }

  #fault(offset: number, field: string, message: string): Fault {
    const { line, col } = this.#lines.linePos(offset)
    const excerpt = this.#text.split("\n")[line - 1]?.trimEnd()
    const place = { file: this.file, line: Math.max(1, line), column: Math.max(1, col), field, message }
    return excerpt === undefined || excerpt === "" ? place : { ...place, excerpt }
  }
}

const lowerFirst = (message: string): string => message.charAt(0).toLowerCase() + message.slice(1)

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly allOf?: readonly JsonSchema[]
}

/** Keys a schema knows below a path, read off its JSON Schema. */
const knownKeys = (schema: Schema.Top): ((path: Path) => readonly string[]) => {
  const { schema: root } = Schema.toJsonSchemaDocument(schema) as { readonly schema: JsonSchema }
  const below = (nodes: readonly JsonSchema[], path: Path): readonly string[] => {
    const all = nodes.flatMap((node) => [node, ...(node.anyOf ?? []), ...(node.allOf ?? [])])
    if (path.length === 0) return all.flatMap((node) => Object.keys(node.properties ?? {}))
    const [key, ...rest] = path
    const next = all.flatMap((node) =>
      typeof key === "number" ? (node.items ?? []) : (node.properties?.[String(key)] ?? [])
    )
    return next.length === 0 ? [] : below(next, rest)
  }
  return (path) => below([root], path)
}
