/** The journal of a sweep on disk: grows by a line for each point, and outlives whatever ends the process. */
import {
  closeSync,
  existsSync,
  fdatasync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync
} from "node:fs"
import { dirname } from "node:path"
import type { Row } from "../../planning/files/table.ts"
import {
  headerLine,
  type JournalHeader,
  mismatch,
  readJournal,
  rowAt,
  rowLine
} from "../../planning/sweep/journal.ts"
import { Usage } from "../exit.ts"
import { syncToDisk } from "./disk.ts"

export class JournalFile {
  /** Points that are in it. */
  readonly done: Set<number>
  /** What was mended when it was opened, in words. */
  readonly mended: string | undefined
  readonly #path: string
  readonly #fd: number
  #syncing = false
  #dirty = false

  /** Opens the journal of `path`, or begins one. Throws `Usage` if it is there and of something else. */
  constructor(path: string, header: JournalHeader) {
    this.#path = path
    mkdirSync(dirname(path), { recursive: true })
    const bytes = existsSync(path) ? readFileSync(path) : new Uint8Array()
    const kept = readJournal(bytes)
    if (kept.header === undefined && kept.lines.size > 0)
      throw new Usage({ problem: `${path} is damaged where it says whose it is; --restart begins anew` })
    const because = kept.header === undefined ? undefined : mismatch(kept.header, header)
    if (because !== undefined)
      throw new Usage({ problem: `${path} cannot be gone on with: ${because}; --restart begins anew` })
    this.done = new Set(kept.lines.keys())
    const torn = bytes.length - kept.soundBytes
    this.mended =
      torn > 0 || kept.damaged > 0
        ? `${path}: ${torn > 0 ? `cut off ${torn} bytes of a row that was not written to its end` : ""}${torn > 0 && kept.damaged > 0 ? "; " : ""}${kept.damaged > 0 ? `passed over ${kept.damaged} damaged rows` : ""}`
        : undefined
    this.#fd = openSync(path, "a+")
    if (torn > 0) ftruncateSync(this.#fd, kept.soundBytes)
    if (kept.header === undefined) writeSync(this.#fd, headerLine(header))
    syncToDisk(path)
  }

  /** Adds the row of a point. It is on its way to the disk when this returns, together with others that come meanwhile. */
  add(point: number, row: Row): void {
    this.done.add(point)
    writeSync(this.#fd, rowLine(row))
    this.#dirty = true
    this.#sync()
  }

  /** All rows by number of the point, as they are in the file: what was not kept is not made up. */
  rows(): { readonly size: number; readonly rows: Iterable<Row> } {
    // Through what is open: another process may have taken the name away.
    const bytes = new Uint8Array(fstatSync(this.#fd).size)
    for (let at = 0, read = -1; at < bytes.length && read !== 0; at += read)
      read = readSync(this.#fd, bytes, at, bytes.length - at, at)
    const { lines } = readJournal(bytes)
    function* rows(): Generator<Row> {
      for (const [, line] of [...lines].toSorted(([a], [b]) => a - b)) yield rowAt(bytes, line)
    }
    return { size: lines.size, rows: rows() }
  }

  close(): void {
    fsyncSync(this.#fd)
    closeSync(this.#fd)
  }

  /** For when the results are safe elsewhere. */
  remove(): void {
    rmSync(this.#path, { force: true })
  }

  /** One at a time: the disk takes what came while it was busy in one go. */
  #sync(): void {
    if (this.#syncing || !this.#dirty) return
    this.#syncing = true
    this.#dirty = false
    fdatasync(this.#fd, () => {
      this.#syncing = false
      this.#sync()
    })
  }
}
