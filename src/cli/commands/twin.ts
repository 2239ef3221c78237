import { Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { ScenarioInvalid } from "../../scenario/document.ts"
import { readText } from "../../scenario/files.ts"
import type { NamedMethod, Scenario } from "../../scenario/resolved.ts"
import { PARTS, Follower, type PartShift } from "../../twin/follow.ts"
import { beyondTolerance, compareRun, type MeasuredRun, type Twin } from "../../twin/twin.ts"
import { ObjectiveMissed } from "../exit.ts"
import { readFile, readScenario } from "../files.ts"
import { softwareMark } from "../output/report.ts"
import { seconds, times } from "../output/number.ts"
import { renderTwin, twinJson } from "../output/twin.ts"
import { Progress } from "../progress.ts"
import { embeddedModel, engineFlags } from "./engine-flags.ts"
import { select } from "./simulate.ts"

/** A shift of a part of the machine, as a person is told of it while the run goes on. */
const shiftWords = ({ name }: NamedMethod, { part, at, since, from, to }: PartShift): string =>
  `${name}, ${seconds(at * 1e-9)}: ${part} left the model at ${seconds(since * 1e-9)}: ${times(to)} the predicted time, ${times(from)} before; predictions follow`

export const twinCommand = Command.make(
  "twin",
  {
    file: Argument.String("file").pipe(
      Argument.withDescription("Scenario file, as simulate and run take it")
    ),
    model: engineFlags.model,
    adapter: engineFlags.adapter,
    format: Flag.Literals("format", ["table", "json"]).pipe(
      Flag.withAlias("f"),
      Flag.withDescription("Format of the comparison on stdout"),
      Flag.withDefault("table" as const)
    ),
    method: Flag.String("method").pipe(
      Flag.withAlias("m"),
      Flag.withDescription("Only this method; may be given again"),
      Flag.atLeast(0)
    ),
    replay: Flag.String("replay").pipe(
      Flag.withDescription("Compare with a recorded run (.jsonl) in place of running; may be given again"),
      Flag.atLeast(0)
    ),
    online: Flag.Boolean("online").pipe(
      Flag.withDescription("Follow the machine while it runs: say when a part of it leaves its model"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function* ({ file, model, adapter, format, method, replay, online }) {
    const scenario = yield* readScenario(file)
    const methods = yield* select(scenario, method)
    const followers = new Map<string, Follower>()
    const runs: readonly MeasuredRun[] =
      replay.length > 0
        ? yield* recordedRuns(replay, scenario)
        : yield* measuredRuns(
            { scenario, methods, model: Option.getOrElse(model, embeddedModel), adapter },
            online ? followers : undefined
          )
    const twins: Twin[] = []
    for (const run of runs) {
      const twin = compareRun(run)
      if (twin === undefined)
        yield* Console.error(`${run.named.name}: ran, and does not fit in the simulator`)
      else twins.push(twin)
    }
    if (format === "json") yield* Console.log(JSON.stringify(twinJson(scenario, twins), undefined, 2))
    else
      yield* Console.log(
        [
          `${scenario.name}: predicted for ${scenario.hardware.name}${softwareMark(scenario.hardware)}`,
          `measured: ${[...new Set(runs.map(({ trace }) => trace.meta.name.split(" on ").at(-1)))].join(", ")}`,
          ...twins.flatMap((twin) => ["", renderTwin(twin)])
        ].join("\n")
      )
    for (const [name, follower] of followers)
      for (const part of PARTS)
        yield* Console.error(
          `${name}, ${part}: prediction ${follower.standing(part)}, ${times(follower.factors[part])} the profile's time of late`
        )
    const beyond = twins.flatMap((twin) => beyondTolerance(scenario, twin))
    if (beyond.length > 0) return yield* new ObjectiveMissed({ missed: beyond })
  })
).pipe(
  Command.withDescription(
    "Predict a scenario, run it, and show where prediction and measurement differ, and why"
  ),
  Command.withExamples([
    {
      command: "vericache twin scenarios/twin/embedded.yaml",
      description: "Predicted beside measured on the adapter at hand"
    },
    {
      command: "vericache twin scenarios/twin/embedded.yaml --replay run.jsonl",
      description: "The same for a run recorded before"
    }
  ])
)

const measuredRuns = Effect.fnUntraced(function* (
  what: {
    readonly scenario: Scenario
    readonly methods: readonly NamedMethod[]
    readonly model: string
    readonly adapter: "auto" | "software"
  },
  followers: Map<string, Follower> | undefined
) {
  // Loaded only here: every other command starts without WebGPU.
  const { runScenario } = yield* Effect.promise(() => import("../engine/run.ts"))
  const { runs } = yield* runScenario({
    ...what,
    note: (text) => process.stderr.write(text),
    progress: new Progress(process.stderr),
    ...(followers === undefined
      ? {}
      : {
          hearing: (named, scenario, trace) => {
            const follower = new Follower(scenario, named.method, (shift) =>
              process.stderr.write(`${shiftWords(named, shift)}\n`)
            )
            followers.set(named.name, follower)
            return follower.hearing(trace)
          }
        })
  })
  return runs
})

const recordedRuns = Effect.fnUntraced(function* (files: readonly string[], scenario: Scenario) {
  const { readRecorded } = yield* Effect.promise(() => import("../twin/recorded.ts"))
  const runs: MeasuredRun[] = []
  for (const file of files) {
    const text = readText(file, readFile)
    if (typeof text !== "string") return yield* new ScenarioInvalid({ faults: [text] })
    runs.push(yield* readRecorded(file, text, scenario))
  }
  return runs
})
