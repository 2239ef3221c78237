/** The house plan as a test: who may import whom (ARCHITECTURE.md). */
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { describe, expect, it } from "vitest"

const SOURCE = import.meta.dirname

interface Room {
  /** Rooms it may import, or single files of them. */
  readonly rooms: readonly string[]
  /** Packages it may import. */
  readonly packages: readonly string[]
}

/** The innermost folder that is listed counts. */
const ROOMS: Readonly<Record<string, Room>> = {
  protocol: { rooms: [], packages: ["xstate"] },
  trace: { rooms: [], packages: [] },
  scenario: { rooms: [], packages: ["effect", "yaml"] },
  runtime: { rooms: ["protocol", "trace", "scenario/resolved.ts"], packages: ["effect"] },
  "sim/kernel": { rooms: [], packages: [] },
  sim: { rooms: ["sim", "runtime", "trace", "scenario", "protocol"], packages: ["effect"] },
  engine: { rooms: ["runtime", "trace", "scenario/resolved.ts", "protocol"], packages: ["effect", "webgpu"] },
  twin: { rooms: ["scenario", "sim", "trace"], packages: ["effect"] },
  planning: { rooms: ["scenario", "sim", "trace"], packages: ["effect"] },
  ui: { rooms: ["trace", "planning", "scenario"], packages: ["effect", "d3"] },
  cli: {
    rooms: ["protocol", "trace", "scenario", "runtime", "sim", "engine", "twin", "planning"],
    packages: ["effect", "@effect/platform-node", "node:"]
  }
}

const sources = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter(
      (name) =>
        name.endsWith(".ts") &&
        !name.endsWith(".test.ts") &&
        !name.endsWith(".contract.ts") &&
        !name.endsWith(".fixture.ts")
    )
    .map((name) => join(folder, name))

const imports = (text: string): readonly string[] =>
  [...text.matchAll(/^(?:import|export)\b[^"']*?from\s+["']([^"']+)["']|^import\s+["']([^"']+)["']/gm)].map(
    (match) => match[1] ?? match[2]!
  )

const roomOf = (path: string): string | undefined =>
  Object.keys(ROOMS)
    .filter((room) => path.startsWith(`${room}/`))
    .toSorted((a, b) => b.length - a.length)[0]

/** What a file imports and may not. */
export const violations = (file: string, text: string): readonly string[] => {
  const own = relative(SOURCE, file)
  const room = roomOf(own)
  if (room === undefined) return [`${own} is in no room`]
  const allowed = ROOMS[room]!
  return imports(text).flatMap((name) => {
    if (!name.startsWith("."))
      return allowed.packages.some(
        (one) => name === one || name.startsWith(`${one}/`) || (one.endsWith(":") && name.startsWith(one))
      )
        ? []
        : [`${own} imports ${name}`]
    const target = relative(SOURCE, resolve(dirname(file), name))
    const fine =
      target.startsWith(`${room}/`) ||
      allowed.rooms.some((one) => target === one || target.startsWith(`${one}/`))
    return fine ? [] : [`${own} imports ${target}`]
  })
}

describe("rooms", () => {
  it("import only what the house plan allows", () => {
    expect(sources(SOURCE).flatMap((file) => violations(file, readFileSync(file, "utf8")))).toEqual([])
  })

  it("would be told apart", () => {
    expect(violations(join(SOURCE, "sim/kernel/x.ts"), 'import { Effect } from "effect"')).toEqual([
      "sim/kernel/x.ts imports effect"
    ])
    expect(violations(join(SOURCE, "runtime/x.ts"), 'import { a } from "../sim/setup.ts"')).toEqual([
      "runtime/x.ts imports sim/setup.ts"
    ])
    expect(violations(join(SOURCE, "trace/x.ts"), 'import type { a } from "../protocol/table.ts"')).toEqual([
      "trace/x.ts imports protocol/table.ts"
    ])
  })
})
