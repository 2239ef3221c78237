import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { ScenarioInvalid } from "../../scenario/document.ts"
import { readText } from "../../scenario/files.ts"
import { readTrace } from "../../trace/read-trace.ts"
import { TraceFormatError } from "../../trace/trace-line.ts"
import { isTrace } from "../calibrate/traces.ts"
import { Usage } from "../exit.ts"
import { packageRoot, readFile, readScenario } from "../files.ts"
import { serveApp } from "../ui/server.ts"

/** What opens an address in the browser, by platform. */
const OPENERS: Readonly<Record<string, readonly string[]>> = {
  darwin: ["open"],
  win32: ["cmd", "/c", "start", ""]
}

/** Asks the desktop to open a page; where there is none, nothing happens. */
const openPage = (address: string): Effect.Effect<void> =>
  Effect.sync(() => {
    const [command, ...args] = OPENERS[process.platform] ?? ["xdg-open"]
    const child = spawn(command!, [...args, address], { stdio: "ignore", detached: true })
    child.on("error", () => {})
    child.unref()
  })

/** What the page opens besides scenarios and traces in JSON lines: it tells what is wrong with those itself. */
const OPENED_THERE = /\.(parquet|csv|json|pftrace|perfetto-trace)$|\.gz$/i

/** Files that a scenario names. */
const namedBy = Effect.fnUntraced(function* (file: string) {
  const read = new Set<string>()
  yield* readScenario(file, (path) => {
    read.add(path)
    return readFile(path)
  })
  read.delete(file)
  return [...read]
})

/** Files to be served besides this one, which it names. What the page cannot show is told before anything is served. */
const checked = Effect.fnUntraced(function* (file: string) {
  if (/\.ya?ml$/i.test(file)) return yield* namedBy(file)
  if (OPENED_THERE.test(file)) {
    if (readFile(file) === undefined) return yield* new Usage({ problem: `${file} cannot be read` })
    return []
  }
  if (!/\.jsonl$/i.test(file))
    return yield* new Usage({
      problem: `${file}: expected a scenario (.yaml), a trace (.jsonl, .pftrace, .json) or results of a sweep (.parquet, .csv, .jsonl)`
    })
  const text = readText(file, readFile)
  if (typeof text !== "string") return yield* new ScenarioInvalid({ faults: [text] })
  if (text.startsWith('{"sweep"')) return []
  if (!isTrace(text))
    return yield* new Usage({
      problem: `${file}: expected a trace, as simulate and run write it, or results of a sweep`
    })
  const fault = yield* Effect.sync(() => {
    try {
      readTrace(text)
      return undefined
    } catch (error) {
      if (error instanceof TraceFormatError) return error
      throw error
    }
  })
  if (fault === undefined) return []
  const { line, column, expected, found } = fault
  const message = `expected ${expected}, found ${found}`
  return yield* new ScenarioInvalid({ faults: [{ file, line, column, field: "", message }] })
})

export const uiCommand = Command.make(
  "ui",
  {
    file: Argument.String("file").pipe(
      Argument.withDescription("Scenario, trace or results of a sweep to open"),
      Argument.optional
    ),
    port: Flag.Int("port").pipe(
      Flag.withDescription("Port on this machine; any free one by default"),
      Flag.withDefault(0)
    ),
    open: Flag.Boolean("open").pipe(
      Flag.withDescription("Open the page in the browser; --no-open only prints its address"),
      Flag.withDefault(true)
    )
  },
  Effect.fnUntraced(function* ({ file, port, open }) {
    const name = Option.getOrUndefined(file)
    const own = name === undefined ? [] : yield* checked(name)
    const folder = join(packageRoot(), "dist", "web")
    if (!existsSync(join(folder, "index.html")))
      return yield* new Usage({ problem: `${folder} is not there: npm run build makes it` })
    return yield* Effect.scoped(
      Effect.gen(function* () {
        const address = yield* serveApp(folder, port, name, own)
        yield* Console.log(address)
        yield* Console.error("Ctrl-C ends it")
        if (open) yield* openPage(address)
        return yield* Effect.never
      })
    )
  })
).pipe(
  Command.withDescription("Open the web app: what-if, timeline, hardware; on this machine alone"),
  Command.withExamples([
    {
      command: "vericache ui scenarios/llama-70b-2xh100-long-context.yaml",
      description: "The demo, to play with"
    },
    { command: "vericache ui run.jsonl", description: "A trace in the timeline" },
    { command: "vericache ui link.parquet", description: "Results of a sweep" }
  ])
)
