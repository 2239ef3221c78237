/** What `accept` has measured so far, beside the file it will write: a line for each cell, so that an interruption costs one. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import type { Measured, Trial } from "../../engine/accept.ts"
import { digestOf } from "../../trace/digest.ts"

/** Everything but the cell that decides what is measured. */
export type AcceptIdentity = Readonly<Record<string, string | number>>

type Figures = Omit<Measured, "compressor">

const keyOf = ({ compressor, keep, window, context }: Trial): string =>
  JSON.stringify([compressor.name, digestOf(String(compressor.compress)), keep, window, context])

/** What a line holds; undefined if it was not written to its end. */
const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

export class AcceptJournal {
  readonly path: string
  readonly #cells = new Map<string, Figures>()

  /** Goes on with the journal at `path` if it is of the same measurement; begins it anew otherwise. */
  constructor(path: string, identity: AcceptIdentity) {
    this.path = path
    const [head, ...lines] = existsSync(path) ? readFileSync(path, "utf8").split("\n") : []
    if (head === JSON.stringify(identity))
      for (const line of lines) {
        const cell = parsed(line) as readonly [string, Figures] | undefined
        if (cell !== undefined) this.#cells.set(...cell)
      }
    mkdirSync(dirname(path), { recursive: true })
    // Written again from what was sound: a line torn by a crash would swallow the next.
    const sound = [...this.#cells].map((cell) => JSON.stringify(cell))
    writeFileSync(path, [JSON.stringify(identity), ...sound, ""].join("\n"))
  }

  find(trial: Trial): Measured | undefined {
    const figures = this.#cells.get(keyOf(trial))
    return figures === undefined ? undefined : { ...figures, ...trial }
  }

  add({ compressor, ...figures }: Measured): void {
    appendFileSync(this.path, `${JSON.stringify([keyOf({ compressor, ...figures }), figures])}\n`)
  }

  /** For when the results are safe elsewhere. */
  remove(): void {
    rmSync(this.path, { force: true })
  }
}
