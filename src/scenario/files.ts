/** Files a scenario names, read through a function so that the same code serves the command line, tests and browsers. */
import type { Fault } from "./fault.ts"

/** The bytes of a file, or undefined if it cannot be read. */
export type ReadFile = (path: string) => Uint8Array | undefined

/** `name` as seen from the folder of `from`; absolute paths stay. */
export const relativeTo = (from: string, name: string): string => {
  if (name.startsWith("/")) return name
  const parts = [...from.split("/").slice(0, -1), ...name.split("/")]
  const out: string[] = []
  for (const part of parts) {
    if (part === "." || (part === "" && out.length > 0)) continue
    if (part === ".." && out.length > 0 && out.at(-1) !== "..") out.pop()
    else out.push(part)
  }
  return out.join("/")
}

/** A file's text; a fault if it is not there or not UTF-8. */
export const readText = (path: string, read: ReadFile): string | Fault => {
  const at = (message: string): Fault => ({ file: path, line: 1, column: 1, field: "", message })
  const bytes = read(path)
  if (bytes === undefined) return at("cannot be read: no such file, or no permission")
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    const valid = firstInvalid(bytes)
    const before = new TextDecoder().decode(bytes.subarray(0, valid)).split("\n")
    return {
      ...at("expected UTF-8 text, found a byte that is none"),
      line: before.length,
      column: before.at(-1)!.length + 1
    }
  }
}

/** Bytes before the first that is not UTF-8. */
const firstInvalid = (bytes: Uint8Array): number => {
  let low = 0
  let high = bytes.length
  while (low < high) {
    const middle = (low + high + 1) >> 1
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, middle), { stream: true })
      low = middle
    } catch {
      high = middle - 1
    }
  }
  return low
}
