/** A YAML or JSON file with the positions of everything in it, and the faults found there. */
import { Exit, Schema, SchemaIssue } from "effect"
import { isCollection, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from "yaml"
import type { Document as YamlDocument, Node, Pair, YAMLError, YAMLMap } from "yaml"
import { closest } from "./closest.ts"
import { type Fault, renderFault, shorten } from "./fault.ts"

export type Path = readonly PropertyKey[]

/** All faults of a file and of the files it names. */
export class ScenarioInvalid extends Schema.TaggedError<ScenarioInvalid>()("ScenarioInvalid", {
  faults: Schema.Array(Schema.Any)
}) {
  declare readonly faults: readonly Fault[]
  override get message(): string {
    return this.faults.map(renderFault).join("\n")
  }
}

export const fieldName = (path: Path): string =>
  path.reduce<string>(
    (name, key) =>
      typeof key === "number" ? `${name}[${key}]` : name === "" ? String(key) : `${name}.${String(key)}`,
    ""
  )

/** More aliases than this is no scenario but a bomb. */
const MAX_ALIASES = 100

/** After so many errors of syntax the rest follows from them. */
const MAX_ERRORS = 10

export class SourceDocument {
  readonly file: string
  readonly value: unknown
  readonly faults: readonly Fault[]
  readonly #text: string
  readonly #rows: readonly string[]
  readonly #lines = new LineCounter()
  readonly #yaml: YamlDocument | undefined
  readonly #pairs = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>()
  #base: SourceDocument | undefined

  constructor(file: string, text: string) {
    this.file = file
    this.#text = text
    this.#rows = text.split("\n")
    const { yaml, value, errors } = parse(text, this.#lines)
    const faults = errors.map(({ offset, message }) => this.#fault(offset, "", message))
    if (faults.length === 0 && (typeof value !== "object" || value === null || Array.isArray(value)))
      faults.push(
        this.#fault(0, "", `expected fields, found ${value === null ? "an empty file" : show(value)}`)
      )
    this.#yaml = yaml
    this.value = value
    this.faults = faults
  }

  /** The same document with another under it: faults of fields it inherits are told where they stand. */
  over(base: SourceDocument): SourceDocument {
    const layered = new SourceDocument(this.file, this.#text)
    layered.#base = base
    return layered
  }

  /** The file a field is written in: this one, or the one it is inherited from. */
  fileOf(path: Path): string {
    return this.#owner(path).file
  }

  /** A fault at a field; at its nearest ancestor where the field itself is missing. */
  fault(path: Path, message: string, suggestion?: string): Fault {
    const owner = this.#owner(path)
    const fault = owner.#fault(owner.#locate(path).offset, fieldName(path), message)
    return suggestion === undefined ? fault : { ...fault, suggestion }
  }

  /** Decodes the document, or a value that stands at a path of it; every fault, or the value. */
  decode<A>(
    schema: Schema.Decoder<A>,
    value: unknown = this.value,
    at: Path = []
  ): { readonly value: A } | { readonly faults: readonly Fault[] } {
    const exit = Schema.decodeUnknownExit(schema)(value, { errors: "all", onExcessProperty: "error" })
    if (Exit.isSuccess(exit)) return { value: exit.value }
    const reason = exit.cause.reasons.find((one) => one._tag === "Fail")
    if (reason === undefined) throw new Error("decoding died")
    const known = knownKeys(schema)
    return {
      faults: firstOfEach(complaints(reason.error.issue)).map(({ path, kind, message }) => {
        const full = [...at, ...path]
        switch (kind) {
          case "missing":
            return this.fault(full, "is missing")
          case "unknown":
            return this.fault(full, "unknown field", closest(String(path.at(-1)), known(path.slice(0, -1))))
          case "wrong": {
            const found = valueAt(value, path)
            return this.fault(full, withFound(message, found), percentAsShare(found, message))
          }
        }
      })
    }
  }

  /** The document that says most about a path; what a file gives as a list or a plain value is all its own. */
  #owner(path: Path): SourceDocument {
    const own = this.#locate(path)
    if (this.#base === undefined || !own.open) return this
    const base = this.#base.#owner(path)
    return base.#locate(path).depth > own.depth ? base : this
  }

  /** How far a path leads into this document, where that is, and whether fields of a base may stand beside it. */
  #locate(path: Path): { readonly offset: number; readonly depth: number; readonly open: boolean } {
    let node: unknown = this.#yaml?.contents
    let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0
    let depth = 0
    for (const key of path) {
      if (isMap(node)) {
        const pair = this.#pairsOf(node).get(String(key))
        if (pair === undefined) break
        offset = (pair.key as Node).range?.[0] ?? offset
        node = pair.value
      } else if (isSeq(node)) {
        const item = node.items[Number(key)]
        if (!isNode(item)) break
        node = item
        offset = item.range?.[0] ?? offset
      } else break
      depth++
    }
    return { offset, depth, open: depth < path.length && isMap(node) }
  }

  #pairsOf(map: YAMLMap): ReadonlyMap<string, Pair> {
    const known = this.#pairs.get(map)
    if (known !== undefined) return known
    const pairs = new Map(map.items.map((pair) => [keyText(pair.key), pair]))
    this.#pairs.set(map, pairs)
    return pairs
  }

  #fault(offset: number, field: string, message: string): Fault {
    const { line, col } = this.#lines.linePos(offset)
    const excerpt = this.#rows[line - 1]?.trimEnd()
    const place = { file: this.file, line: Math.max(1, line), column: Math.max(1, col), field, message }
    return excerpt === undefined || excerpt === "" ? place : { ...place, excerpt }
  }
}

/** A plain key as `toJS` names it; that of an alias is not looked for. */
const keyText = (key: unknown): string => {
  const value = isScalar(key) ? key.value : undefined
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : ""
}

interface Parsed {
  readonly yaml?: YamlDocument
  readonly value?: unknown
  readonly errors: readonly { readonly offset: number; readonly message: string }[]
}

/** Never throws: nesting too deep for the stack and aliases without end are errors like others. */
const parse = (text: string, lineCounter: LineCounter): Parsed => {
  let yaml: YamlDocument | undefined
  try {
    yaml = parseDocument(text, { lineCounter, prettyErrors: false, logLevel: "error" })
    const errors = yaml.errors
      .map((error) => ({ offset: error.pos[0], message: syntaxError(error, text) }))
      .concat(yaml.errors.length > 0 ? [] : oddKeys(yaml))
      .slice(0, MAX_ERRORS)
    return errors.length > 0
      ? { yaml, errors }
      : { yaml, value: yaml.toJS({ maxAliasCount: MAX_ALIASES }), errors }
  } catch (error) {
    const message = error instanceof Error ? inWords(error.message) : String(error)
    return { errors: [{ offset: /alias/i.test(message) ? firstAlias(yaml) : 0, message }] }
  }
}

const inWords = (message: string): string => {
  if (/call stack/.test(message)) return "nested too deeply"
  if (/alias count/.test(message)) return "its aliases grow without end"
  return message
}

const syntaxError = ({ code, message, pos }: YAMLError, text: string): string => {
  switch (code) {
    case "DUPLICATE_KEY":
      return `${/^[^\s:]*/.exec(text.slice(pos[0], pos[0] + 80))![0]} is given twice`
    case "MULTIPLE_DOCS":
      return "expected one document, found another"
    default:
      return inWords(message)
  }
}

/** Keys that are lists or fields themselves. */
const oddKeys = (yaml: YamlDocument): { readonly offset: number; readonly message: string }[] => {
  const found: { readonly offset: number; readonly message: string }[] = []
  visit(yaml, {
    Pair: (_, { key }) => {
      if (isCollection(key))
        found.push({ offset: key.range?.[0] ?? 0, message: "expected a name, found a list or fields as one" })
    }
  })
  return found
}

/** Where the first alias stands that leads nowhere; if all lead somewhere, the first. */
const firstAlias = (yaml: YamlDocument | undefined): number => {
  const all: { readonly offset: number; readonly resolved: boolean }[] = []
  if (yaml !== undefined)
    visit(yaml, {
      Alias: (_, alias) => {
        all.push({ offset: alias.range?.[0] ?? 0, resolved: alias.resolve(yaml) !== undefined })
        return all.at(-1)!.resolved ? undefined : visit.BREAK
      }
    })
  return (all.find(({ resolved }) => !resolved) ?? all[0])?.offset ?? 0
}

const lowerFirst = (message: string): string => message.charAt(0).toLowerCase() + message.slice(1)

const show = (value: unknown): string =>
  value === null ? "nothing" : typeof value === "number" ? String(value) : shorten(JSON.stringify(value))

const withFound = (message: string, value: unknown): string =>
  message.includes("found") || (typeof value === "object" && value !== null)
    ? message
    : `${message}, found ${show(value)}`

/** Shares are numbers from 0 to 1: 90 % is 0.9. */
const percentAsShare = (value: unknown, message: string): string | undefined => {
  const percent = typeof value === "string" ? /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(value)?.[1] : undefined
  return percent === undefined || message !== "expected number" ? undefined : `write ${Number(percent) / 100}`
}

const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined,
    value
  )

interface Complaint {
  readonly path: Path
  readonly kind: "missing" | "unknown" | "wrong"
  readonly message: string
}

/** What is no integer is out of range too; one of them is enough. */
const firstOfEach = (all: readonly Complaint[]): readonly Complaint[] => {
  const fields = new Map(all.toReversed().map((one) => [fieldName(one.path), one]))
  return all.filter((one) => fields.get(fieldName(one.path)) === one)
}

const formatted = SchemaIssue.makeFormatterStandardSchemaV1()

/** What is wrong, leaf by leaf. Of a union, what keeps the value from the form it is nearest to. */
const complaints = (issue: SchemaIssue.Issue): readonly Complaint[] => {
  switch (issue._tag) {
    case "Composite":
      return issue.issues.flatMap(complaints)
    case "Pointer":
      return complaints(issue.issue).map((one) => ({ ...one, path: [...issue.path, ...one.path] }))
    case "Encoding":
      return complaints(issue.issue)
    case "AnyOf": {
      const forms = issue.issues.map(complaints).toSorted((a, b) => distance(a) - distance(b))
      if (forms[0] !== undefined) return forms[0]
    }
  }
  const kind = issue._tag === "MissingKey" ? "missing" : issue._tag === "UnexpectedKey" ? "unknown" : "wrong"
  return formatted(issue).issues.map(({ path = [], message }) => ({
    path: path.map((segment) => (typeof segment === "object" ? segment.key : segment)),
    kind,
    message: lowerFirst(message)
  }))
}

/** A wrong value in the right fields is nearer than other fields. */
const distance = (form: readonly Complaint[]): number =>
  form.reduce((sum, { kind, path }) => sum + (path.length === 0 ? 10 : kind === "wrong" ? 1 : 2), 0)

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
