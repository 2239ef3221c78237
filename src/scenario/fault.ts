/** What is wrong with a file and where, and how a person is told. */

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

/** Longest excerpt shown; a file may be one line of megabytes. */
const EXCERPT = 110
/** Longest value or name shown within a message. */
const WORD = 80

export const shorten = (text: string): string => (text.length > WORD ? `${text.slice(0, WORD)}…` : text)

/** What a terminal would obey instead of showing: control characters, and those that turn the direction of text. */
const INVISIBLE = /[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu

const printable = (text: string): string => text.replaceAll("\t", " ").replaceAll(INVISIBLE, "\uFFFD")

/** Place, field, what is wrong; then the line, with a caret under the column. */
export const renderFault = ({ file, line, column, field, message, suggestion, excerpt }: Fault): string => {
  const what = [
    field === "" ? "" : `${shorten(field)}: `,
    message,
    suggestion === undefined ? "" : `; ${suggestion}`
  ]
  const head = printable(`${file}:${line}:${column}: ${what.join("")}`)
  if (excerpt === undefined) return head
  const start = excerpt.length <= EXCERPT ? 0 : Math.max(0, column - 1 - EXCERPT / 2)
  const shown = printable(excerpt.slice(start, start + EXCERPT))
  const before = start > 0 ? "…" : ""
  const after = start + EXCERPT < excerpt.length ? "…" : ""
  const caret = " ".repeat(column - 1 - start + before.length)
  return `${head}\n${String(line).padStart(5)} | ${before}${shown}${after}\n${" ".repeat(5)} | ${caret}^`
}

/** Each fault once: what several files or entries inherit is wrong in one place. */
export const withoutRepeats = (faults: readonly Fault[]): readonly Fault[] => [
  ...new Map(
    faults.map((one) => [JSON.stringify([one.file, one.line, one.column, one.field, one.message]), one])
  ).values()
]
