/**
 * A report before it has a form: words, tables and figures, and the manifest it can be made again from. `html.ts` and
 * `markdown.ts` give it one. All texts are plain: whoever writes a form escapes them.
 */
import type { Basis } from "../../scenario/resolved.ts"
import type { Manifest } from "./manifest.ts"

/** Cells are texts for people, one row as long as `columns`. */
export interface ReportTable {
  readonly kind: "table"
  /** What the table shows. */
  readonly caption: string
  /** How its numbers came to be known. */
  readonly basis: Basis
  readonly columns: readonly { readonly title: string; readonly left?: boolean }[]
  readonly rows: readonly (readonly string[])[]
}

/** A drawing; Markdown leaves it out, so every number in it is also in a table. */
export interface ReportFigure {
  readonly kind: "figure"
  readonly title: string
  /** How to read it, and how its numbers came to be known. */
  readonly caption: string
  /** An `<svg>` element of this package's own making. */
  readonly svg: string
}

export type ReportBlock =
  | ReportTable
  | ReportFigure
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  /** Text kept letter by letter, folded away. */
  | {
      readonly kind: "source"
      readonly title: string
      readonly language: "yaml" | "json"
      readonly text: string
    }

export interface ReportSection {
  readonly heading: string
  readonly blocks: readonly ReportBlock[]
}

export interface ReportDocument {
  readonly title: string
  /** What was simulated on what, in a line. */
  readonly setting: string
  /** The answer in a few sentences. */
  readonly verdict: string
  readonly sections: readonly ReportSection[]
  readonly manifest: Manifest
}
