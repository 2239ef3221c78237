/** Reads files of results off the page's thread. */
import { tableFormat } from "../../planning/files/formats.ts"
import type { Table } from "../../planning/files/table.ts"
import { fixedType } from "../../planning/sweep/row.ts"
import { contentOf, type OpenedFile } from "../shell/opened-file.ts"

/** What the worker answers. */
export type Reading = { readonly table: Table; readonly note?: string } | { readonly problem: string }

addEventListener(
  "message",
  ({ data }: MessageEvent<OpenedFile>) => void read(data).then((found) => postMessage(found))
)

const read = async (file: OpenedFile): Promise<Reading> => {
  const format = tableFormat(file.name.toLowerCase())
  if (format === undefined)
    return { problem: `${file.name}: expected results of a sweep that end in .parquet, .csv or .jsonl` }
  let bytes: Uint8Array
  try {
    bytes = new Uint8Array(await (await contentOf(file)).arrayBuffer())
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
  try {
    return { table: await format.decode(bytes, fixedType) }
  } catch (error) {
    const why = `${file.name} ${error instanceof Error ? error.message : String(error)}`
    // A file that broke off has a last row without an end.
    const whole = /\.(csv|jsonl)$/i.test(file.name) ? bytes.lastIndexOf(10, bytes.length - 1) + 1 : 0
    if (whole === 0) return { problem: why }
    try {
      const table = await format.decode(bytes.subarray(0, whole), fixedType)
      return { table, note: `${why}; the last row is left out` }
    } catch {
      return { problem: why }
    }
  }
}
