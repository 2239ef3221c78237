/** What `run` does once WebGPU is loaded: a scenario's methods on the engine, one after the other, as `simulate` runs them. */
import { Clock, Effect } from "effect"
import type { Compressor } from "../../engine/compressors/compressor.ts"
import { identity } from "../../engine/compressors/drop.ts"
import { Engine, servingOf } from "../../engine/engine.ts"
import { GREEDY } from "../../engine/kernels/choose.ts"
import { openTokenizer } from "../../engine/model/tokenizer.ts"
import { type EnginePhysics, enginePhysics, type Faults } from "../../engine/physics.ts"
import { measureBandwidth } from "../../engine/probe/bandwidth.ts"
import { runRequests, type RunOptions } from "../../engine/run.ts"
import { type AdapterCard, openDevice } from "../../engine/webgpu/device.ts"
import {
  type Alignment,
  checkTimestamps,
  describePassTimes,
  passTimesOf
} from "../../engine/webgpu/timestamps.ts"
import { openCheckpoint } from "../../engine/weights/open.ts"
import type { Clients } from "../../runtime/serve.ts"
import { weightBytes } from "../../scenario/model-shape.ts"
import type { NamedMethod, Scenario } from "../../scenario/resolved.ts"
import { clientsOf } from "../../sim/clients.ts"
import { Infeasible, servingSetup } from "../../sim/setup.ts"
import type { RunMetrics } from "../../trace/metrics.ts"
import type { Recorder } from "../../trace/recorder.ts"
import { TraceStore } from "../../trace/store.ts"
import { Usage } from "../exit.ts"
import { type AdapterChoice, nodeGpu } from "../gpu.ts"
import { folderFiles } from "../model-files.ts"
import { bytes } from "../output/number.ts"
import type { Progress } from "../progress.ts"
import { fitScenario, ngramOf, otherModel, runnable, sameKvBytes, unsupported } from "./fit-scenario.ts"
import { warnUnlessInvariant } from "./generate.ts"
import { type Prompts, promptsOf } from "./prompts.ts"

export interface RunSettings {
  readonly scenario: Scenario
  readonly methods: readonly NamedMethod[]
  readonly model: string
  readonly adapter: AdapterChoice
  readonly note: (text: string) => void
  readonly progress: Progress
  /** Requests served before the clock starts, of no account in any figure: the first passes of a process are slow. */
  readonly numWarmups?: number
  /** What goes wrong on the way: for tests. */
  readonly faults?: Faults
  /** A recorder that hears the run beside its trace. */
  readonly hearing?: (method: NamedMethod, scenario: Scenario, trace: Recorder) => Recorder
}

/** One method as it ran. */
export interface MethodRun {
  readonly named: NamedMethod
  /** The scenario within the bounds of the adapter: what a simulation of this run simulates. */
  readonly scenario: Scenario
  readonly metrics: RunMetrics
  readonly trace: TraceStore
  /** Tokens each request produced. */
  readonly outputs: ReadonlyMap<number, readonly number[]>
}

export interface ScenarioRun {
  readonly card: AdapterCard
  readonly promptSource: string
  readonly runs: readonly MethodRun[]
}

interface Opened {
  readonly gpu: GPU
  readonly device: Parameters<typeof measureBandwidth>[0]
  readonly checkpoint: Effect.Success<ReturnType<typeof openCheckpoint>>
  readonly prompts: Prompts
  readonly timing: Alignment
}

/** What went wrong in a run and was got over, each as a sentence. */
const mishaps = (losses: number, { events }: RunMetrics): readonly string[] => {
  const often = (count: number): string => (count === 1 ? "once" : `${count} times`)
  return [
    ...(losses > 0
      ? [`the device was lost ${often(losses)}; requests went on on a new one, and times around it count`]
      : []),
    ...(events.transferFailures > 0 ? [`transfers failed ${often(events.transferFailures)}`] : []),
    ...(events.fallbacks > 0 ? [`requests fell back to full KV ${often(events.fallbacks)}`] : [])
  ]
}

/** The first `count` requests of some clients, as soon as there is room for them, to their ends. */
const warmUps = (clients: Clients, count: number): Clients => {
  let sent = 0
  return {
    concurrency: clients.concurrency,
    total: Math.min(count, clients.total),
    timeout: undefined,
    next: () => {
      const request = sent++ < count ? clients.next() : undefined
      if (request === undefined) return undefined
      const { cancelAfter: _whole, ...spec } = request.spec
      return { arrival: 0, spec }
    }
  }
}

const runMethod = (
  {
    scenario,
    note,
    progress,
    numWarmups = 0,
    faults,
    hearing = (_method, _scenario, trace) => trace
  }: RunSettings,
  { gpu, device, checkpoint, prompts, timing }: Opened,
  named: NamedMethod,
  compressor: Compressor | undefined
) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { method, name } = named
      const fitted = fitScenario(
        scenario,
        checkpoint.config,
        compressor?.needs.queries ?? 1,
        weightBytes(scenario.model),
        device.card
      )
      if (!sameKvBytes(scenario, fitted.shape))
        return yield* new Usage({
          problem: `${scenario.name}: a token's KV has other bytes in the scenario than in the engine; leave kv_bytes_per_token and kv_cache_bits to the model's config`
        })
      for (const sentence of fitted.notes) note(`${name}: ${sentence}\n`)
      const setup = servingSetup(fitted.scenario, name, method)
      if (setup instanceof Infeasible) return yield* setup
      const outputs = new Map<number, readonly number[]>()
      const ngram = ngramOf(method)
      const engine = yield* Effect.acquireRelease(
        Engine.open({
          gpu,
          device,
          checkpoint,
          shape: fitted.shape,
          pages: fitted.arenaPages,
          needs: compressor?.needs ?? {},
          timestamps: timing.usable,
          onProgress: () => {},
          compressor: compressor ?? identity,
          budget: {
            keep: "compressor" in method ? method.compressor.keep : 1,
            elementBits: fitted.shape.kvBits,
            seed: scenario.seed
          },
          serving: servingOf(setup.plan),
          ...(ngram === undefined ? {} : { ngram }),
          onCommit: () => {}
        }),
        (one) => Effect.sync(() => one.close())
      )
      const bandwidth = yield* measureBandwidth(engine.state.device)
      const serve = (
        physics: EnginePhysics,
        options: Pick<RunOptions, "clients" | "recorder" | "onEnded"> & { readonly promptOf: Prompts["of"] }
      ) =>
        runRequests(engine, physics, {
          ...options,
          setup,
          hbmBytes: scenario.hardware.hbm.capacity,
          name: "replica 0",
          promptOf: ({ id, input, output }) => ({
            tokens: options.promptOf(id, input),
            maxTokens: output,
            sampling: GREEDY
          }),
          onProgress: (ended) => progress.at(ended)
        }).pipe(
          Effect.catchTag(
            "OutOfMemory",
            ({ asked, free }) =>
              new Usage({
                problem: `${scenario.name}: ${name}: ${setup.pages} pages of KV need ${bytes(asked)}; hbm.capacity of ${scenario.hardware.name} leaves ${bytes(free)} beside the weights. Lower engine.num_gpu_blocks_override, or leave it out`
              })
          ),
          Effect.onExit(() => Effect.sync(() => progress.clear()))
        )
      if (numWarmups > 0) {
        progress.begin(`${name}, warming up`, numWarmups)
        yield* serve(yield* enginePhysics(engine, bandwidth.copy), {
          clients: warmUps(clientsOf(fitted.scenario), numWarmups),
          // Prompts that no request of the run has: host memory keeps what it has seen.
          promptOf: (id, tokens) => prompts.of(-1 - id, tokens)
        })
      }
      const clock = yield* Clock.Clock
      const offset = Number(clock.currentTimeNanosUnsafe())
      const physics = yield* enginePhysics(engine, bandwidth.copy, faults)
      const trace = new TraceStore({
        name: `${scenario.name}: ${name} on ${device.card.name}${device.card.kind === "software" ? " (software adapter)" : ""}`,
        scenario: scenario.name,
        method: name,
        seed: scenario.seed,
        clock: "wall",
        basis: "measured",
        clockOffset: offset,
        peaks: {
          hbm: bandwidth.copy,
          hostToDevice: bandwidth.upload,
          basis: "measured"
        },
        passTimes: passTimesOf(timing)
      })
      const clients = clientsOf(fitted.scenario)
      progress.begin(name, clients.total)
      const metrics = yield* serve(physics, {
        clients,
        promptOf: prompts.of,
        recorder: hearing(named, fitted.scenario, trace),
        onEnded: ({ id, tokens, prompt }) => outputs.set(id, tokens.slice(prompt.tokens.length))
      })
      for (const sentence of mishaps(engine.rebuilds, metrics)) note(`${name}: ${sentence}\n`)
      return { named, scenario: fitted.scenario, metrics, trace, outputs } satisfies MethodRun
    })
  )

/** Runs all methods that the engine can run; says which it cannot. */
export const runScenario = (settings: RunSettings) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { scenario, methods, model, adapter, note } = settings
      const problems = unsupported(scenario)
      if (problems.length > 0)
        return yield* new Usage({ problem: problems.map((one) => `${scenario.name}: ${one}`).join("\n") })
      const { runs, skipped } = runnable(methods)
      for (const sentence of skipped) note(`not run: ${sentence}\n`)
      if (runs.length === 0)
        return yield* new Usage({ problem: `${scenario.name}: no method that the engine can run` })
      const files = folderFiles(model)
      const checkpoint = yield* openCheckpoint(files)
      const differs = otherModel(scenario, checkpoint.config)
      if (differs.length > 0)
        return yield* new Usage({
          problem: [`${model} is not the scenario's model:`, ...differs].join("\n  ")
        })
      const tokenizer = yield* openTokenizer(files, checkpoint.config.vocab)
      const gpu = yield* nodeGpu(adapter)
      const device = yield* Effect.acquireRelease(openDevice(gpu), (one) => Effect.sync(() => one.close()))
      const kvBits = scenario.model.kvBytesPerElement === 2 ? 16 : 32
      yield* warnUnlessInvariant(gpu, device, checkpoint, kvBits, note)
      const prompts = promptsOf(model, tokenizer, checkpoint.config.vocab, scenario.seed)
      const timing = yield* checkTimestamps(device)
      note(`passes timed by the ${describePassTimes(timing)}\n`)
      const done: MethodRun[] = []
      for (const { named, compressor } of runs)
        done.push(yield* runMethod(settings, { gpu, device, checkpoint, prompts, timing }, named, compressor))
      return { card: device.card, promptSource: prompts.source, runs: done } satisfies ScenarioRun
    })
  )

/** Whether each request's output is that of full-KV decoding; undefined where full KV did not run. */
export const identicalTo = (full: MethodRun | undefined, run: MethodRun): boolean | undefined => {
  if (full === undefined || full === run) return undefined
  return [...full.outputs].every(([id, tokens]) => {
    const ours = run.outputs.get(id)
    return ours !== undefined && ours.join() === tokens.join()
  })
}
