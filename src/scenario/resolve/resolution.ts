/** What resolving works on: the file as written, where its names lead, and the faults found on the way. */
import type { Catalog } from "../catalog.ts"
import type { Path, SourceDocument } from "../document.ts"
import type { Fault } from "../fault.ts"
import { type ReadFile, readText, relativeTo } from "../files.ts"
import type { MethodFile } from "../schema/method.ts"
import type { ScenarioFile } from "../schema/scenario.ts"

/** A scenario file without the sections, and the methods, that are not well formed. */
export type SoundFile = {
  readonly [Section in Exclude<keyof ScenarioFile, "methods">]?: ScenarioFile[Section] | undefined
} & { readonly methods?: readonly (MethodFile | undefined)[] }

export interface Source {
  readonly document: SourceDocument
  readonly file: SoundFile
  /** Sections that the file has, well formed or not. */
  readonly written: ReadonlySet<string>
  readonly catalog: Catalog
  readonly read: ReadFile
}

export class Resolution {
  readonly faults: Fault[] = []
  readonly document: SourceDocument
  readonly file: SoundFile
  readonly catalog: Catalog
  readonly #read: ReadFile
  readonly #written: ReadonlySet<string>

  constructor({ document, file, written, catalog, read }: Source) {
    this.document = document
    this.file = file
    this.catalog = catalog
    this.#read = read
    this.#written = written
  }

  /** Whether a section says something that is not understood: its defaults do not hold then. */
  isMalformed(section: keyof ScenarioFile): boolean {
    return this.#written.has(section) && this.file[section] === undefined
  }

  /** The text of a file that a field names, as seen from the file the field is written in; undefined, with a fault, if there is none. */
  textOf(path: Path, name: string): { readonly file: string; readonly text: string } | undefined {
    const file = relativeTo(this.document.fileOf(path), name)
    const text = readText(file, this.#read)
    if (typeof text === "string") return { file, text }
    if (this.#read(file) === undefined) return this.fault(path, `${file} ${text.message}`)
    this.faults.push(text)
    return undefined
  }

  /** Notes a fault; what was to be resolved is then undefined. */
  fault(path: Path, message: string, suggestion?: string): undefined {
    this.faults.push(this.document.fault(path, message, suggestion))
  }
}
