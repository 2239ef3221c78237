/** Every field of a scenario file in words, read off its JSON Schema: what a person looks up. */

export interface FieldHelp {
  /** As `engine.block_size`; `methods[]` stands for each of a list. */
  readonly field: string
  readonly required: boolean
  /** What it takes: a type, or the values. */
  readonly takes: string
  readonly description: string
}

interface Node {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly description?: string
  readonly properties?: Readonly<Record<string, Node>>
  readonly required?: readonly string[]
  readonly items?: Node
  readonly anyOf?: readonly Node[]
  readonly allOf?: readonly Node[]
}

/** More values than this are the catalog's: it lists them better. */
const MAX_VALUES = 8

const takesOf = (node: Node): string => {
  if (node.enum !== undefined)
    return node.enum.length > MAX_VALUES
      ? "a catalog name"
      : node.enum.map((value) => String(value)).join(" | ")
  if (node.const !== undefined) return JSON.stringify(node.const)
  const forms = [...new Set((node.anyOf ?? []).map(takesOf))]
  if (forms.length > 0) return forms.join(" | ")
  switch (node.type) {
    case "object":
      return "fields"
    case "array":
      return "list"
    case "string":
      return "text"
    default:
      return node.type ?? "any"
  }
}

const describe = (node: Node): string =>
  node.description ??
  [...(node.allOf ?? []), ...(node.anyOf ?? [])].map(describe).find((text) => text !== "") ??
  ""

/** The fields below a node, depth first, each once. */
export const fieldHelp = (schema: unknown): readonly FieldHelp[] => {
  const rows = new Map<string, FieldHelp>()
  const walk = (node: Node, path: string, choice: boolean): void => {
    for (const [key, field] of Object.entries(node.properties ?? {})) {
      const name = path === "" ? key : `${path}.${key}`
      const row = {
        field: name,
        required: !choice && (node.required?.includes(key) ?? false),
        takes: takesOf(field),
        description: describe(field)
      }
      if (!rows.has(name)) rows.set(name, row)
      walk(field, name, choice)
    }
    if (node.items !== undefined) walk(node.items, `${path}[]`, choice)
    for (const form of node.allOf ?? []) walk(form, path, choice)
    // What one of several forms needs, the others may not know.
    for (const form of node.anyOf ?? []) walk(form, path, true)
  }
  walk(schema as Node, "", false)
  return [...rows.values()]
}
