/** What resolving works on: the file as written, where its names lead, and the faults found on the way. */
import type { Catalog } from "../catalog.ts"
import type { Fault, Path, SourceDocument } from "../document.ts"
import type { ReadFile } from "../files.ts"
import type { ScenarioFile } from "../schema/scenario.ts"

export interface Source {
  readonly document: SourceDocument
  readonly file: ScenarioFile
  readonly catalog: Catalog
  readonly read: ReadFile
}

export class Resolution {
  readonly faults: Fault[] = []
  readonly document: SourceDocument
  readonly file: ScenarioFile
  readonly catalog: Catalog
  readonly read: ReadFile

  constructor({ document, file, catalog, read }: Source) {
    this.document = document
    this.file = file
    this.catalog = catalog
    this.read = read
  }

  /** Notes a fault; what was to be resolved is then undefined. */
  fault(path: Path, message: string, suggestion?: string): undefined {
    this.faults.push(this.document.fault(path, message, suggestion))
  }
}
