/** A scenario's text with fields set in it: comments and order stay, and it means what the page shows. */
import { type Document, isMap, isScalar, parseDocument } from "yaml"
import { parsePath } from "../../planning/override.ts"
import type { Change } from "../shell/page-state.ts"

/** Why acceptance that was set by hand says so. */
const BY_HAND = { basis: "assumed", source: "set by hand" }

/**
 * `inherited`: the fields with those of the files it extends under them; what a change leads into is written out from there.
 * A text that is no YAML comes back as it is: its faults are told when it is read.
 */
export const changedText = (
  text: string,
  changes: readonly Change[],
  inherited: Readonly<Record<string, unknown>>
): string => {
  const document = parseDocument(text)
  if (changes.length === 0 || document.errors.length > 0 || !isMap(document.contents)) return text
  for (const { field, value } of changes) {
    const path = (parsePath(field) ?? []).map(({ kind, key }) => (kind === "item" ? Number(key) : key))
    if (path.length > 0) set(document, path, value, inherited)
  }
  return document.toString({ lineWidth: 0 })
}

const set = (
  document: Document,
  path: readonly (string | number)[],
  value: Change["value"],
  inherited: Readonly<Record<string, unknown>>
): void => {
  const section = path[0]!
  if (!document.has(section) && path.length > 1 && Array.isArray(inherited[section]))
    document.set(section, document.createNode(inherited[section]))
  const entry = document.get(section, true)
  if (path.length > 1 && section === "hardware" && !isMap(entry)) {
    const name = isScalar(entry) ? entry.value : inherited[section]
    document.set(section, document.createNode({ extends: name }))
  }
  if (path.at(-1) === "alpha") {
    document.setIn(path.slice(0, -1), document.createNode({ alpha: value, ...BY_HAND }))
    return
  }
  const above = path.slice(0, -1)
  if (above.length > 0 && !isMap(document.getIn(above, true)) && !(document.getIn(above, true) === undefined))
    document.setIn(above, document.createNode({}))
  document.setIn(path, value)
}
