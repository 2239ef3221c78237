/** What the engine's tests share: a software device, tiny models, and full-KV decoding to compare with. */
import { Effect, Exit, Scope } from "effect"
import { nodeGpu } from "../cli/gpu.ts"
import type { Ngram } from "../protocol/ngram.ts"
import { servingPlan } from "../runtime/serving.ts"
import type { Compressor as PricedCompressor, Drafter, Method } from "../scenario/resolved.ts"
import type { Recorder } from "../trace/recorder.ts"
import type { Compressor } from "./compressors/compressor.ts"
import { identity } from "./compressors/drop.ts"
import { Engine, servingOf } from "./engine.ts"
import { GREEDY, type Sampling, speculates } from "./kernels/choose.ts"
import type { ModelConfig } from "./model/config.ts"
import type { RunMetrics } from "../trace/metrics.ts"
import { enginePhysics, type Faults } from "./physics.ts"
import { mortalDevice } from "./mortal.fixture.ts"
import { arriving, runRequests } from "./run.ts"
import type { Committed } from "./session.ts"
import { engineSetup, fixedWindow, SLACK_PAGES } from "./setup.ts"
import { type Device, openDevice } from "./webgpu/device.ts"
import type { Checkpoint } from "./weights/checkpoint.ts"
import { randomCheckpoint } from "./weights/random.ts"

/** A model small enough for thousands of passes: two layers, four query heads on two KV heads. */
export const tinyConfig = (fields: Partial<ModelConfig> = {}): ModelConfig => ({
  modelType: "llama",
  hidden: 32,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  intermediate: 48,
  vocab: 61,
  maxPositions: 512,
  normEps: 1e-5,
  ropeTheta: 10_000,
  ropeScaling: { kind: "none" },
  tied: true,
  qkvBias: false,
  outputBias: false,
  qkNorm: false,
  eosTokens: [],
  ...fields
})

export interface Asked {
  readonly prompt: readonly number[]
  readonly output: number
  readonly sampling?: Sampling
  readonly cancelAfter?: number
}

export interface Trial {
  readonly checkpoint: Checkpoint
  readonly kind: "full" | "offloaded" | "vericache" | "lossy" | "sparse" | "drafter"
  /** Proposes tokens to draft steps, or to decode steps where nothing drafts. */
  readonly ngram?: Ngram
  readonly compressor?: Compressor
  readonly keep?: number
  readonly window?: number
  readonly reload?: "full" | "missing"
  readonly granularity?: "whole" | "streaming"
  readonly schedule?: "staggered" | "lock-step"
  /** Requests at once that keep their full KV on the device. */
  readonly fullKvRequests?: number
  readonly kvBits?: 16 | 32
  readonly maxRows?: number
  readonly maxTokens?: number
  readonly slots?: number
  /** Pages for all requests together; enough for all at once if not given. */
  readonly pages?: number
  readonly maxNumBatchedTokens?: number
  /** Device memory the run may have beyond its weights, bytes; as much as its pages take if not given. */
  readonly kvBytes?: number
  /** Bytes/s the scheduler takes the link to carry: how far ahead reloads begin. */
  readonly linkBandwidth?: number
  readonly faults?: Faults
  /** Devices that are lost for the engine alone: it opens others without compiling anything anew. */
  readonly mortal?: boolean
  /** Room for distributions of drafts; as the requests want it if not given. */
  readonly speculative?: boolean
  /** Hears the run, with device timestamps. */
  readonly recorder?: Recorder
  /** Requests in flight: the next comes when one ends. All at once if not given. */
  readonly concurrency?: number
  /** Looks into the engine whenever tokens become final. */
  readonly onCommit?: (engine: Engine, committed: Committed) => void
  readonly asked: readonly Asked[]
}

export interface TrialResult {
  /** Tokens each request produced. */
  readonly produced: readonly (readonly number[])[]
  readonly commits: readonly Committed[]
  readonly rebuilds: number
  /** Most pages taken at once. */
  readonly mostPages: number
  /** Pages still taken when all was over. */
  readonly leaked: number
  readonly hostBytesLeft: number
  /** GPU buffers left after the engine was closed. */
  readonly buffersLeft: number
  readonly rounds: number
  readonly drafted: number
  readonly accepted: number
  /** Bytes over the link to the device. */
  readonly bytesIn: number
  /** What transfers told of that they moved. */
  readonly told: RunMetrics["bytes"]
  /** What an n-gram drafter proposed, and what the passes that checked it agreed with. */
  readonly proposals: RunMetrics["proposals"]
}

const priced = (keep: number, { mode }: Compressor): PricedCompressor => ({
  name: "test",
  origin: { basis: "assumed", source: "test" },
  kind: "drop",
  mode,
  keep,
  acceptance: { kind: "iid", alpha: 0.9, origin: { basis: "assumed", source: "test" } },
  attentionEfficiency: 1
})

const ngramDrafter = ({ numSpeculativeTokens }: Ngram): Drafter => ({
  name: "ngram",
  origin: { basis: "assumed", source: "test" },
  kind: "ngram",
  numSpeculativeTokens,
  weightBytes: 0,
  kvBytesPerToken: 0,
  acceptance: { kind: "iid", alpha: 0.5, origin: { basis: "assumed", source: "test" } }
})

const methodOf = (trial: Trial): Method => {
  const { kind, compressor = identity, keep = 0.5, window = 4, fullKvRequests = 0, ngram } = trial
  const { reload = "full", granularity = "whole", schedule = "staggered" } = trial
  switch (kind) {
    case "drafter":
      return { kind, drafter: ngramDrafter(ngram!) }
    case "full":
      return { kind: "full-kv" }
    case "offloaded":
      return { kind: "offloaded" }
    case "lossy":
      return { kind: "lossy", compressor: priced(keep, compressor) }
    case "sparse":
      return { kind: "sparse", compressor: priced(keep, compressor), window: fixedWindow(window) }
    case "vericache":
      return {
        kind: "vericache",
        compressor: priced(keep, compressor),
        window: fixedWindow(window),
        schedule,
        reload,
        granularity,
        fullKvRequests,
        ...(ngram === undefined ? {} : { drafter: ngramDrafter(ngram) })
      }
  }
}

let shared: { readonly gpu: GPU; readonly device: Device } | undefined

/** The software adapter, opened once: compiling kernels anew for every trial would be most of its time. */
export const softwareDevice = async (): Promise<{ readonly gpu: GPU; readonly device: Device }> => {
  if (shared !== undefined && shared.device.lost === undefined) return shared
  const gpu = shared?.gpu ?? (await Effect.runPromise(nodeGpu("software")))
  shared = { gpu, device: await Effect.runPromise(openDevice(gpu)) }
  return shared
}

/** Runs requests through scheduler and engine on the software adapter. */
export const trial = async (options: Trial): Promise<TrialResult> => {
  const { gpu, device } = await (options.mortal === true ? mortalDevice() : softwareDevice())
  const { checkpoint, compressor = identity, asked } = options
  const { maxRows = 32, maxTokens = 256, slots = 4, kvBits = 16, keep = 0.5 } = options
  const pageTokens = 16
  const each = Math.ceil(maxTokens / pageTokens)
  const pages = options.pages ?? 3 * each * slots
  const commits: Committed[] = []
  const plan = servingPlan(methodOf(options), false)
  let opened: Engine | undefined
  const program = Effect.gen(function* () {
    const engine = yield* Engine.open({
      gpu,
      device,
      checkpoint,
      shape: { config: checkpoint.config, kvBits, pageTokens, maxTokens, slots, maxRows, queryRows: 64 },
      pages: pages + slots * (SLACK_PAGES + 2 * each),
      needs: compressor.needs,
      speculative:
        options.speculative ?? asked.some(({ sampling }) => sampling !== undefined && speculates(sampling)),
      timestamps: options.recorder !== undefined,
      onProgress: () => {},
      compressor,
      budget: { keep, elementBits: kvBits, seed: 1 },
      serving: servingOf(plan),
      ...(options.ngram === undefined ? {} : { ngram: options.ngram }),
      onCommit: (commit) => {
        commits.push(commit)
        options.onCommit?.(engine, commit)
      }
    })
    opened = engine
    scribble(engine)
    yield* Effect.addFinalizer(() => Effect.sync(() => engine.close()))
    const physics = yield* enginePhysics(engine, 1e9, options.faults)
    const setup = engineSetup({
      plan,
      shape: engine.shape,
      pages,
      weightBytes: engine.state.weightBytes,
      hostBytes: 1e9,
      linkBandwidth: options.linkBandwidth ?? 1e9,
      iterationSeconds: 0.005,
      window: options.window ?? 4,
      maxNumBatchedTokens: options.maxNumBatchedTokens ?? 64
    })
    let bytesIn = 0
    const { clients, promptOf } = arriving(
      asked.map(({ prompt, output, sampling = GREEDY, cancelAfter }) => ({
        prompt: { tokens: prompt, maxTokens: output, sampling },
        at: 0,
        ...(cancelAfter === undefined ? {} : { cancelAfter })
      }))
    )
    const {
      proposals,
      bytes: told,
      rounds
    } = yield* runRequests(engine, physics, {
      setup,
      ...(options.recorder === undefined ? {} : { recorder: options.recorder }),
      ...(options.kvBytes === undefined ? {} : { hbmBytes: setup.weightBytes + options.kvBytes }),
      clients: { ...clients, concurrency: options.concurrency },
      promptOf,
      onEnded: (session) => {
        bytesIn += session.bytesIn
      }
    })
    return {
      bytesIn,
      told,
      rounds: rounds.count,
      proposals,
      rebuilds: engine.rebuilds,
      mostPages: engine.state.cache.pages.peak,
      leaked: engine.state.cache.pages.used,
      hostBytesLeft: engine.pool.bytes
    }
  })
  const scope = Scope.makeUnsafe()
  const exit = await Effect.runPromiseExit(Effect.provideService(program, Scope.Scope, scope))
  await Effect.runPromise(Scope.close(scope, exit))
  if (options.mortal === true) device.close()
  if (Exit.isFailure(exit)) throw new Error(`the run failed: ${String(exit.cause)}`)
  const produced = asked.map((_, id) =>
    commits.filter(({ request }) => request === id).flatMap(({ tokens }) => tokens)
  )
  const rounds = commits.filter(({ accepted, rejected }) => accepted + rejected.length > 0)
  return {
    ...exit.value,
    produced,
    commits,
    buffersLeft: opened!.state.device.allocated.buffers,
    drafted: rounds.reduce((sum, { accepted, rejected }) => sum + accepted + rejected.length, 0),
    accepted: rounds.reduce((sum, { accepted }) => sum + accepted, 0)
  }
}

/** Writes over full KV as it is given up: nobody may find it again in pages that come back. */
const scribble = (engine: Engine): void => {
  const drop = engine.dropFull.bind(engine)
  const noise = new Uint32Array(engine.state.cache.pageBytes / 4).fill(0x4321_4321)
  engine.dropFull = (session) => {
    const { device, cache } = engine.state
    for (const page of session.full?.pages ?? []) device.write(cache.arena, page * cache.pageBytes, noise)
    drop(session)
  }
}

/** The same requests on full KV alone, one at a time. */
export const fullDecoding = async (options: Trial): Promise<readonly (readonly number[])[]> => {
  const { produced } = await trial({
    ...options,
    kind: "full",
    compressor: identity,
    faults: {},
    concurrency: 1
  })
  return produced
}

export const tinyCheckpoint = (seed: number, fields: Partial<ModelConfig> = {}): Checkpoint =>
  randomCheckpoint(tinyConfig(fields), seed, "F32")
