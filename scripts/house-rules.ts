/**
 * The house rules that no stock lint rule expresses, as a plugin of oxlint: who may import whom (ARCHITECTURE.md), and no
 * reading of the wall clock. Rules see one file at a time and only its syntax.
 */
import { dirname, posix, relative, resolve, sep } from "node:path"

interface Room {
  /** Rooms it may import, or single files of them. */
  readonly rooms: readonly string[]
  /** Packages it may import, with all that is under them; a name that ends in a colon is a scheme. */
  readonly packages: readonly string[]
}

/** Who may import whom. The innermost folder listed counts; everybody may import their own room. */
const ROOMS: Readonly<Record<string, Room>> = {
  protocol: { rooms: [], packages: ["xstate"] },
  trace: { rooms: [], packages: [] },
  scenario: { rooms: [], packages: ["effect", "yaml"] },
  runtime: { rooms: ["protocol", "trace", "scenario/resolved.ts"], packages: ["effect"] },
  "sim/kernel": { rooms: [], packages: [] },
  sim: { rooms: ["runtime", "trace", "scenario", "protocol"], packages: ["effect"] },
  engine: {
    rooms: ["runtime", "trace", "scenario/resolved.ts", "protocol"],
    packages: ["effect", "webgpu", "@huggingface/tokenizers"]
  },
  twin: { rooms: ["scenario", "sim", "trace", "runtime"], packages: ["effect"] },
  planning: {
    rooms: ["scenario", "sim", "trace"],
    packages: ["effect", "d3", "hyparquet", "hyparquet-compressors", "hyparquet-writer"]
  },
  ui: { rooms: ["trace", "planning", "scenario"], packages: ["effect", "d3", "vite"] },
  // What simulates and computes does so in workers, off the page's thread.
  "ui/workers": {
    rooms: ["ui", "trace", "planning", "scenario", "sim", "runtime", "protocol", "engine", "twin"],
    packages: ["effect", "yaml"]
  },
  cli: {
    rooms: ["protocol", "trace", "scenario", "runtime", "sim", "engine", "twin", "planning"],
    packages: ["effect", "@effect/platform-node", "node:"]
  }
}

/** Files of other rooms that a room's tests may use: engine tests need a WebGPU adapter and a model's files. */
const TEST_ROOMS: Readonly<Record<string, readonly string[]>> = {
  engine: ["cli/gpu.ts", "cli/model-files.ts"]
}

/** What tests and the files they share may import besides. */
const TEST = /\.(test|fixture|contract|bench)\.ts$/
const TEST_PACKAGES: readonly string[] = [
  "vitest",
  "fast-check",
  "node:",
  "vite",
  "playwright-core",
  "axe-core",
  "@sparticuz/chromium"
]

const within = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`)

const roomOf = (path: string): string | undefined =>
  Object.keys(ROOMS)
    .filter((room) => within(path, room))
    .toSorted((a, b) => b.length - a.length)[0]

/**
 * Why a file may not import something; undefined if it may.
 * @param file path below src, such as "sim/setup.ts"
 * @param specifier as it stands in the import
 */
export const trespass = (file: string, specifier: string): string | undefined => {
  const room = roomOf(file)
  if (room === undefined) return `${file} is in no room of the house plan`
  const packages = TEST.test(file) ? [...ROOMS[room]!.packages, ...TEST_PACKAGES] : ROOMS[room]!.packages
  if (!specifier.startsWith("."))
    return packages.some(
      (name) => within(specifier, name) || (name.endsWith(":") && specifier.startsWith(name))
    )
      ? undefined
      : `${room} may not import the package ${specifier}`
  const target = posix.join(posix.dirname(file), specifier)
  const rooms = [room, ...ROOMS[room]!.rooms, ...(TEST.test(file) ? (TEST_ROOMS[room] ?? []) : [])]
  return rooms.some((one) => within(target, one)) ? undefined : `${room} may not import ${target}`
}

/** What these rules use of a syntax tree. */
interface Node {
  readonly type: string
  readonly [field: string]: unknown
}
interface Context {
  readonly filename: string
  report(problem: { readonly node: Node; readonly message: string }): void
}

/** Path below src, with forward slashes; undefined outside of it. */
const belowSource = (filename: string): string | undefined => {
  const own = relative(resolve(dirname(import.meta.dirname), "src"), filename)
  return own.startsWith("..") ? undefined : own.replaceAll(sep, "/")
}

const rooms = {
  create(context: Context) {
    const file = belowSource(context.filename)
    const check = (node: Node): void => {
      const specifier = (node["source"] as Node | null)?.["value"]
      const message =
        file === undefined || typeof specifier !== "string" ? undefined : trespass(file, specifier)
      if (message !== undefined) context.report({ node, message })
    }
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check
    }
  }
}

const noClock = {
  create: (context: Context) => ({
    NewExpression(node: Node) {
      const { callee, arguments: given } = node as Node & {
        readonly callee: Node
        readonly arguments: readonly Node[]
      }
      if (callee.type === "Identifier" && callee["name"] === "Date" && given.length === 0)
        context.report({ node, message: "Time is a port: use Time, or the kernel." })
    }
  })
}

export default { meta: { name: "house" }, rules: { rooms, "no-clock": noClock } }
