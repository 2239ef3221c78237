/** What a report's results depend on, kept in the report: enough to make them again, and to say why not. */
import { Result, Schema } from "effect"
import * as Base64 from "effect/encoding/Base64"
import { relativeTo, type ReadFile } from "../../scenario/files.ts"
import { digestOf } from "../../trace/digest.ts"

/** A file that was read: what is in it, or only its fingerprint if it is large. */
const KeptFile = Schema.Struct({
  digest: Schema.String,
  text: Schema.optionalKey(Schema.String),
  base64: Schema.optionalKey(Schema.String)
})

const ManifestSchema = Schema.Struct({
  /** Layout of this record. */
  manifest: Schema.Literal(1),
  /** Version of vericache. */
  version: Schema.String,
  command: Schema.String,
  /** Of the command, without the report itself. Files are named from where the command was given. */
  arguments: Schema.Array(Schema.String),
  /** Fingerprint of the resolved scenario, as results on the screen have it. */
  scenario: Schema.String,
  seed: Schema.Finite,
  /** Fingerprint of the catalog; it has the version of vericache. */
  catalog: Schema.String,
  /** Fingerprint of the results. */
  results: Schema.String,
  files: Schema.Record(Schema.String, KeptFile)
})

/** Digests are 64-bit FNV-1a (`digestOf`), of scenarios SHA-256: they tell accidents apart, not attacks. */
export interface Manifest extends Schema.Schema.Type<typeof ManifestSchema> {}

/** Bytes of files kept in a report, all together, unless told otherwise; beyond, larger ones are only named. */
export const KEPT_BYTES = 1_000_000

/** Files as they are read, so that a manifest can keep them. */
export class ReadFiles {
  readonly #read: ReadFile
  readonly #seen = new Map<string, Uint8Array>()

  constructor(read: ReadFile) {
    this.#read = read
  }

  /** Reads a file and takes note of it. */
  readonly read: ReadFile = (path) => {
    const bytes = this.#read(path)
    if (bytes !== undefined) this.#seen.set(relativeTo("", path), bytes)
    return bytes
  }

  /** All files read, by name; the smallest are kept whole, as many as fit `room` bytes. */
  kept(room: number = KEPT_BYTES): Manifest["files"] {
    let left = room
    return Object.fromEntries(
      [...this.#seen]
        .toSorted(([a, x], [b, y]) => x.length - y.length || (a < b ? -1 : 1))
        .map(([path, bytes]) => {
          left -= bytes.length
          return [path, { digest: digestOf(bytes), ...(left >= 0 ? contentOf(bytes) : {}) }] as const
        })
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
    )
  }
}

/** As text where that loses nothing. */
const contentOf = (bytes: Uint8Array): { readonly text: string } | { readonly base64: string } => {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) }
  } catch {
    return { base64: Base64.encode(bytes) }
  }
}

/** The bytes of a kept file; undefined if only its fingerprint was kept. */
export const bytesOf = ({ text, base64 }: Manifest["files"][string]): Uint8Array | undefined => {
  if (text !== undefined) return new TextEncoder().encode(text)
  return base64 === undefined ? undefined : Result.getOrUndefined(Base64.decode(base64))
}

/** The manifest as it stands in reports, and as a file of its own. */
export const manifestText = (manifest: Manifest): string => JSON.stringify(manifest, undefined, 2)

/** Where an HTML report has its manifest. */
export const MANIFEST_ID = "vericache-manifest"

const HTML = new RegExp(`<pre id="${MANIFEST_ID}"[^>]*>([^<]*)</pre>`)
const MARKDOWN = new RegExp(`^(\`{3,})json ${MANIFEST_ID}\\r?\\n([^]*?)^\\1\\s*$`, "m")

const unescaped = (text: string): string =>
  text.replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => ENTITIES[name]!)
const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" }

/** The manifest of a report in either form, or of a file that is one; what is wrong, in words, if there is none. */
export const readManifest = (text: string): Result.Result<Manifest, string> => {
  const html = HTML.exec(text)?.[1]
  const json = html === undefined ? (MARKDOWN.exec(text)?.[2] ?? text) : unescaped(html)
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return Result.fail("expected a report with a manifest, or a manifest; found neither")
  }
  return Result.mapError(
    Schema.decodeUnknownResult(ManifestSchema)(value),
    (error) => `expected a manifest of vericache: ${error.message.split("\n")[0]!}`
  )
}
