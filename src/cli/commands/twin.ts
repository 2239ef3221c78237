import { join } from "node:path"
import { Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { ScenarioInvalid } from "../../scenario/document.ts"
import { readText } from "../../scenario/files.ts"
import type { NamedMethod, Scenario } from "../../scenario/resolved.ts"
import { PARTS, Follower, type PartShift } from "../../twin/follow.ts"
import { samePath } from "../../twin/decisions.ts"
import { retell } from "../../twin/retell.ts"
import { askLive, parseQuestion, type Question } from "../../twin/what-if.ts"
import { writeTrace } from "../../trace/jsonl.ts"
import { TraceStore } from "../../trace/store.ts"
import { beyondTolerance, compareRuns, type MeasuredRun } from "../../twin/twin.ts"
import { ObjectiveMissed, Usage } from "../exit.ts"
import { readFile, readScenario, writeObstacle, writeWhole } from "../files.ts"
import { softwareMark } from "../output/report.ts"
import { seconds, times } from "../output/number.ts"
import { liveJson, renderAnswers, renderPaths, renderTogether, renderTwin, twinJson } from "../output/twin.ts"
import { Progress } from "../progress.ts"
import { checkWarmups, embeddedModel, engineFlags } from "./engine-flags.ts"
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
    numWarmups: engineFlags.numWarmups,
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
    repetitions: Flag.Int("repetitions").pipe(
      Flag.withAlias("n"),
      Flag.withDescription(
        "Run all methods so many times, one after the other and over again; also says how well a run predicts its repetition"
      ),
      Flag.withDefault(1)
    ),
    record: Flag.String("record").pipe(
      Flag.withDescription(
        "Folder to write the measured runs to, a .jsonl each, for calibrate, --replay and the timeline"
      ),
      Flag.optional
    ),
    online: Flag.Boolean("online").pipe(
      Flag.withDescription("Follow the machine while it runs: say when a part of it leaves its model"),
      Flag.withDefault(false)
    ),
    whatIf: Flag.String("what-if").pipe(
      Flag.withDescription(
        "Ask of the machine as --online left it: window=16, keep=0.5, batch=8, link=2 (times its rate); may be given again"
      ),
      Flag.atLeast(0)
    )
  },
  Effect.fnUntraced(function* ({
    file,
    model,
    adapter,
    numWarmups,
    format,
    method,
    replay,
    repetitions,
    record,
    online,
    whatIf
  }) {
    yield* checkWarmups(numWarmups)
    const questions = yield* readQuestions(whatIf, online)
    const most = replay.length > 0 ? undefined : repetitions
    if (repetitions < 1)
      return yield* new Usage({ problem: `--repetitions ${repetitions}: expected 1 or more` })
    if (repetitions > 1 && most === undefined)
      return yield* new Usage({
        problem: "--repetitions runs the machine; --replay takes runs it has made: give one trace for each"
      })
    const scenario = yield* readScenario(file)
    const methods = yield* select(scenario, method)
    const save = Option.isNone(record) ? undefined : yield* recorder(record.value)
    const followers = new Map<string, Follower>()
    const runs: readonly MeasuredRun[] =
      most === undefined
        ? yield* recordedRuns(replay, scenario, online ? followers : undefined)
        : yield* measuredRuns(
            { scenario, methods, model: Option.getOrElse(model, embeddedModel), adapter, numWarmups },
            most,
            online ? followers : undefined,
            save
          )
    const { twins, unfit, stepTime } = compareRuns(runs)
    for (const name of unfit) yield* Console.error(`${name}: ran, and does not fit in the simulator`)
    const paths = runs.map((run) => ({
      name: run.named.name,
      path: samePath(run.scenario, run.named, run.trace)
    }))
    const live = [...followers].map(([name, follower]) => ({
      name,
      follower,
      answers: questions.length === 0 ? undefined : askLive(follower, name, questions)
    }))
    if (format === "json")
      yield* Console.log(
        JSON.stringify({ ...twinJson(scenario, { twins, stepTime }, paths), ...liveJson(live) }, undefined, 2)
      )
    else
      yield* Console.log(
        [
          `${scenario.name}: predicted for ${scenario.hardware.name}${softwareMark(scenario.hardware)}`,
          `measured: ${[...new Set(runs.map(({ trace }) => trace.meta.name.split(" on ").at(-1)))].join(", ")}`,
          ...twins.flatMap((twin) => ["", renderTwin(twin)]),
          ...(twins.length < 2 ? [] : ["", renderTogether({ twins, stepTime }, scenario.baseline)]),
          "",
          renderPaths(paths),
          ...live.flatMap((one) =>
            one.answers === undefined ? [] : ["", renderAnswers(one.name, one.answers)]
          )
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
      command: "vericache twin scenarios/twin/embedded.yaml --repetitions 5 --record runs",
      description: "Five times over, with how well a run predicts its repetition; the runs are kept"
    },
    {
      command: "vericache twin scenarios/twin/embedded.yaml --replay run.jsonl",
      description: "The same for a run recorded before"
    },
    {
      command: "vericache twin scenarios/twin/embedded.yaml --online --what-if window=16 --what-if link=2",
      description: "Follow the machine, and ask what it would do with longer windows or twice the link"
    }
  ])
)

/** Writes a measured run into a folder, which is made if it is not there. */
const recorder = Effect.fnUntraced(function* (folder: string) {
  const obstacle = writeObstacle(join(folder, "run.jsonl"))
  if (obstacle !== undefined)
    return yield* new Usage({ problem: `--record ${folder} cannot be written: ${obstacle}` })
  return ({ named, trace }: MeasuredRun, repetition: number) =>
    writeWhole(
      join(folder, `${named.name.replaceAll(/[^\w.-]+/g, "-")}.${repetition}.jsonl`),
      writeTrace(trace)
    )
})

const measuredRuns = Effect.fnUntraced(function* (
  what: {
    readonly scenario: Scenario
    readonly methods: readonly NamedMethod[]
    readonly model: string
    readonly adapter: "auto" | "software"
    readonly numWarmups: number
  },
  repetitions: number,
  followers: Map<string, Follower> | undefined,
  save: Effect.Success<ReturnType<typeof recorder>> | undefined
) {
  // Loaded only here: every other command starts without WebGPU.
  const { runScenario } = yield* Effect.promise(() => import("../engine/run.ts"))
  const all: MeasuredRun[] = []
  for (let repetition = 1; repetition <= repetitions; repetition++) {
    const { runs } = yield* runScenario({
      ...what,
      note: (text) => process.stderr.write(repetition > 1 ? "" : text),
      progress: new Progress(process.stderr),
      ...(followers === undefined
        ? {}
        : {
            hearing: (named, scenario, trace) => {
              const follower = followers.get(named.name) ?? following(named, scenario)
              followers.set(named.name, follower)
              return follower.hearing(trace)
            }
          })
    })
    all.push(...runs)
    if (save !== undefined) for (const run of runs) yield* save(run, repetition)
  }
  return all
})

/** The questions of `--what-if`, or everything that is wrong with them. */
const readQuestions = (
  texts: readonly string[],
  online: boolean
): Effect.Effect<readonly Question[], Usage> => {
  const read = texts.map(parseQuestion)
  const problems = read.flatMap((one) => ("problem" in one ? [one.problem] : []))
  if (texts.length > 0 && !online) problems.push("there is no machine to ask about without --online")
  return problems.length > 0
    ? Effect.fail(new Usage({ problem: problems.map((one) => `--what-if ${one}`).join("\n") }))
    : Effect.succeed(read.filter((one): one is Question => !("problem" in one)))
}

const following = (named: NamedMethod, scenario: Scenario): Follower =>
  new Follower(scenario, named.method, (shift) => process.stderr.write(`${shiftWords(named, shift)}\n`))

const recordedRuns = Effect.fnUntraced(function* (
  files: readonly string[],
  scenario: Scenario,
  followers: Map<string, Follower> | undefined
) {
  const { readRecorded } = yield* Effect.promise(() => import("../twin/recorded.ts"))
  const runs: MeasuredRun[] = []
  for (const file of files) {
    const text = readText(file, readFile)
    if (typeof text !== "string") return yield* new ScenarioInvalid({ faults: [text] })
    const run = yield* readRecorded(file, text, scenario)
    runs.push(run)
    if (followers === undefined) continue
    const follower = followers.get(run.named.name) ?? following(run.named, run.scenario)
    followers.set(run.named.name, follower)
    retell(run.trace, follower.hearing(new TraceStore(run.trace.meta)))
  }
  return runs
})
