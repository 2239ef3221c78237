import { csvFormat } from "./csv.ts"
import { jsonlFormat } from "./jsonl.ts"
import { parquetFormat } from "./parquet.ts"
import type { TableFormat } from "./table.ts"

/** Formats by the end of a file's name. */
export const TABLE_FORMATS: Readonly<Record<string, TableFormat>> = {
  ".parquet": parquetFormat,
  ".csv": csvFormat,
  ".jsonl": jsonlFormat
}

/** The format a file's name asks for; undefined if it is none of these. */
export const tableFormat = (path: string): TableFormat | undefined =>
  TABLE_FORMATS[/\.[^./]*$/.exec(path)?.[0] ?? ""]
