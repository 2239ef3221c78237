/** Where a field stands in a JSON text. A parsed value has no lines; the text is walked again when something is wrong with it. */

export interface Place {
  /** Both from 1. */
  readonly line: number
  readonly column: number
}

const SPACE = /\s*/y
const STRING = /"(?:[^"\\]|\\.)*"/y
const PLAIN = /[^\s,:[\]{}"]+/y

/** Names and indexes of a path such as `benchmarks[0].requests`. */
const stepsOf = (path: string): readonly string[] => path.split(/[.[\]]+/).filter((step) => step !== "")

/** Index behind what `pattern` matches at `index`. */
const behind = (pattern: RegExp, text: string, index: number): number => {
  pattern.lastIndex = index
  return pattern.test(text) ? pattern.lastIndex : index
}

/** Index behind the value that begins at `index`. */
const skip = (text: string, index: number): number => {
  let depth = 0
  let at = index
  do {
    at = behind(SPACE, text, at)
    const mark = text[at]
    if (mark === '"') at = behind(STRING, text, at)
    else if (mark === "{" || mark === "[") [depth, at] = [depth + 1, at + 1]
    else if (mark === "}" || mark === "]") [depth, at] = [depth - 1, at + 1]
    else if (mark === "," || mark === ":") at++
    else at = behind(PLAIN, text, at)
  } while (depth > 0 && at < text.length)
  return at
}

/** Index of the member `step` of the object or list at `index`; undefined if there is none. */
const member = (text: string, index: number, step: string): number | undefined => {
  const named = text[index] === "{"
  if (!named && text[index] !== "[") return undefined
  let at = behind(SPACE, text, index + 1)
  for (let i = 0; at < text.length && text[at] !== "}" && text[at] !== "]"; i++) {
    let name = String(i)
    if (named) {
      const end = behind(STRING, text, at)
      name = String(JSON.parse(text.slice(at, end)))
      at = behind(SPACE, text, behind(SPACE, text, end) + 1)
    }
    if (name === step) return at
    at = behind(SPACE, text, skip(text, at))
    if (text[at] === ",") at = behind(SPACE, text, at + 1)
  }
  return undefined
}

/** Place of the field at `path` in a text that is JSON; of what should hold it, if it is not there. */
export const placeOf = (text: string, path: string): Place => {
  let at = behind(SPACE, text, 0)
  for (const step of stepsOf(path)) {
    const next = member(text, at, step)
    if (next === undefined) break
    at = next
  }
  const before = text.slice(0, at)
  const start = before.lastIndexOf("\n") + 1
  return { line: before.split("\n").length, column: at - start + 1 }
}
