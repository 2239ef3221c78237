/** What a scenario file means: names looked up, defaults filled in, units gone, contradictions found. */
import type { Schema } from "effect"
import { type Catalog, isRecord, mergeFields } from "./catalog.ts"
import { closest } from "./closest.ts"
import { type Fault, type Path, SourceDocument } from "./document.ts"
import { acceptanceOf, amount, compressorOf, drafterOf, hardwareOf, lengthsOf, modelOf } from "./entries.ts"
import { fromHuggingFace, UnsupportedConfig } from "./huggingface.ts"
import { type ReadFile, readText, relativeTo } from "./files.ts"
import type {
  Acceptance,
  Compressor,
  Deployment,
  Drafter,
  Engine,
  Hardware,
  Method,
  Model,
  NamedMethod,
  Objective,
  Scenario,
  WindowPolicy,
  Workload
} from "./resolved.ts"
import {
  type AcceptanceFile,
  type DrafterFile,
  HardwareFile,
  type MethodFile,
  ModelFile,
  type ScenarioFile
} from "./schema.ts"
import { MOONCAKE_BLOCK, parseAzureCsv, parseMooncakeJsonl } from "./workload-trace.ts"

/** Defaults of the engine: vLLM V1's, but for `reserved` and `horizon`, which are ours. */
export const ENGINE_DEFAULTS: Engine = {
  tensorParallelSize: 1,
  dataParallelSize: 1,
  maxNumSeqs: 256,
  maxNumBatchedTokens: 8192,
  blockSize: 16,
  gpuMemoryUtilization: 0.9,
  reservedBytes: 2 * 1024 ** 3,
  enablePrefixCaching: true,
  horizon: 128
}

interface CompressorUse {
  readonly compressor: string
  readonly keep: number
  readonly acceptance?: AcceptanceFile
}

export class Resolver {
  readonly faults: Fault[] = []
  readonly #document: SourceDocument
  readonly #file: ScenarioFile
  readonly #catalog: Catalog
  readonly #read: ReadFile

  constructor(document: SourceDocument, file: ScenarioFile, catalog: Catalog, read: ReadFile) {
    this.#document = document
    this.#file = file
    this.#catalog = catalog
    this.#read = read
  }

  /** The scenario; undefined, with `faults`, if the file does not make sense. */
  scenario(): Scenario | undefined {
    const file = this.#file
    const model = this.#model()
    const hardware = this.#hardware()
    const engine = this.#engine()
    const workload = this.#workload()
    const methods = [
      ...file.methods.map((method, i) => this.#method(method, ["methods", i], model?.name ?? "")),
      ...this.#vllmDrafter()
    ]
    const named = methods.filter((method) => method !== undefined)
    const names = named.map(({ name }) => name)
    names.forEach((name, i) => {
      if (names.indexOf(name) < i)
        this.#fault(["methods", i], `two methods are called ${name}`, "give one a name: of its own")
    })
    const baseline = file.baseline ?? names[0] ?? ""
    if (named.length === methods.length && !names.includes(baseline))
      this.#fault(["baseline"], `no method is called ${baseline}`, closest(baseline, names))
    if (model !== undefined && workload !== undefined) this.#checkFit(model, engine, workload)
    if (this.faults.length > 0 || model === undefined || hardware === undefined || workload === undefined)
      return undefined
    return {
      name: file.name,
      description: file.description ?? "",
      seed: file.seed ?? 1,
      model,
      hardware,
      engine,
      deployment: this.#deployment(),
      workload,
      methods: named,
      baseline,
      faults: { reloadFailure: file.faults?.reload_failure ?? 0, cancel: file.faults?.cancel ?? 0 },
      objectives: this.#objectives(),
      assumptions: file.assumptions ?? []
    }
  }

  #fault(path: Path, message: string, suggestion?: string): undefined {
    this.faults.push(this.#document.fault(path, message, suggestion))
  }

  /** An entry by catalog name, a changed entry, or a whole inline one. */
  #entry<A>(
    field: "model" | "hardware",
    known: ReadonlyMap<string, A>,
    schema: Schema.Decoder<A>
  ): A | undefined {
    const given = this.#file[field]
    const name = typeof given === "string" ? given : given["extends"]
    const nameText = typeof name === "string" ? name : JSON.stringify(name)
    if (name !== undefined && (typeof name !== "string" || !known.has(name))) {
      return this.#fault(
        typeof given === "string" ? [field] : [field, "extends"],
        `no ${nameText} in the catalog`,
        closest(nameText, [...known.keys()])
      )
    }
    const base = name === undefined ? undefined : known.get(name)
    if (typeof given === "string") return base
    const value = base === undefined ? given : mergeFields(base, given)
    const decoded = this.#document.decode(schema, value)
    if ("value" in decoded) return decoded.value
    for (const fault of decoded.faults)
      this.faults.push(this.#document.fault([field, ...pathOf(fault.field)], fault.message, fault.suggestion))
    return undefined
  }

  #model(): Model | undefined {
    const given = this.#file.model
    if (typeof given === "object" && given["config"] !== undefined) return this.#configModel(given)
    const entry = this.#entry("model", this.#catalog.models, ModelFile)
    return entry === undefined ? undefined : modelOf(entry)
  }

  #configModel(given: Readonly<Record<string, unknown>>): Model | undefined {
    const path = ["model", "config"]
    if (typeof given["config"] !== "string") return this.#fault(path, "expected the path of a config.json")
    for (const key of Object.keys(given))
      if (key !== "config" && key !== "name")
        this.#fault(["model", key], "unknown field beside config", closest(key, ["config", "name"]))
    const file = relativeTo(this.#document.file, given["config"])
    const text = readText(file, this.#read)
    if (typeof text !== "string") return this.#fault(path, `${file} ${text.message}`)
    const config = new SourceDocument(file, text)
    this.faults.push(...config.faults)
    if (!isRecord(config.value)) return undefined
    try {
      return fromHuggingFace(typeof given["name"] === "string" ? given["name"] : file, config.value, file)
    } catch (error) {
      if (!(error instanceof UnsupportedConfig)) throw error
      this.faults.push(config.fault([error.field], error.message))
      return undefined
    }
  }

  #hardware(): Hardware | undefined {
    const entry = this.#entry("hardware", this.#catalog.hardware, HardwareFile)
    if (entry === undefined) return undefined
    const positive: readonly [string, number | string][] = [
      ["hbm.capacity", entry.hbm.capacity],
      ["hbm.bandwidth", entry.hbm.bandwidth],
      ["flops.bf16", entry.flops.bf16],
      ["link.host_to_device", entry.link.host_to_device],
      ["link.device_to_host", entry.link.device_to_host],
      ["interconnect.bandwidth", entry.interconnect.bandwidth],
      ["host.bandwidth", entry.host.bandwidth]
    ]
    for (const [field, value] of positive) {
      if (Number.parseFloat(String(value)) === 0)
        this.#fault(["hardware", ...field.split(".")], "expected more than 0")
    }
    return this.faults.length > 0 ? undefined : hardwareOf(entry)
  }

  #engine(): Engine {
    const file = this.#file.engine ?? {}
    return {
      tensorParallelSize: file.tensor_parallel_size ?? ENGINE_DEFAULTS.tensorParallelSize,
      dataParallelSize: file.data_parallel_size ?? ENGINE_DEFAULTS.dataParallelSize,
      maxNumSeqs: file.max_num_seqs ?? ENGINE_DEFAULTS.maxNumSeqs,
      maxNumBatchedTokens: file.max_num_batched_tokens ?? ENGINE_DEFAULTS.maxNumBatchedTokens,
      blockSize: file.block_size ?? ENGINE_DEFAULTS.blockSize,
      gpuMemoryUtilization: file.gpu_memory_utilization ?? ENGINE_DEFAULTS.gpuMemoryUtilization,
      reservedBytes:
        file.reserved === undefined ? ENGINE_DEFAULTS.reservedBytes : amount(file.reserved, "bytes"),
      enablePrefixCaching: file.enable_prefix_caching ?? ENGINE_DEFAULTS.enablePrefixCaching,
      horizon: file.horizon ?? ENGINE_DEFAULTS.horizon,
      ...(file.num_gpu_blocks_override === undefined ? {} : { numGpuBlocks: file.num_gpu_blocks_override })
    }
  }

  #deployment(): Deployment {
    const file = this.#file.remote_prefix
    if (file === undefined) return { kind: "long-context" }
    return {
      kind: "remote-prefix",
      local: file.local,
      remote: file.remote,
      localBandwidth: amount(file.local_bandwidth, "bytes/s"),
      remoteBandwidth: amount(file.remote_bandwidth, "bytes/s"),
      roundTrip: amount(file.round_trip, "seconds")
    }
  }

  #workload(): Workload | undefined {
    const file = this.#file.workload
    const connector = this.#file.kv_transfer_config?.kv_connector
    if (connector !== undefined && !/offload|lmcache/i.test(connector)) {
      this.#fault(
        ["kv_transfer_config", "kv_connector"],
        `${connector} has no meaning here`,
        "known: OffloadingConnector, LMCacheConnectorV1"
      )
    }
    const common = {
      context: connector === undefined ? file.context : "host",
      ...(file.timeout === undefined ? {} : { timeout: amount(file.timeout, "seconds") })
    } as const
    if (file.trace !== undefined) {
      for (const key of ["arrivals", "input", "output"] as const)
        if (file[key] !== undefined) this.#fault(["workload", key], "has no meaning beside a trace")
      return this.#trace(file.trace, common, file.requests)
    }
    const missing = (["requests", "arrivals", "input", "output"] as const).filter(
      (key) => file[key] === undefined
    )
    for (const key of missing)
      this.#fault(
        ["workload", key],
        "is missing",
        "a workload has either a trace, or requests, arrivals, input and output"
      )
    if (
      file.requests === undefined ||
      file.arrivals === undefined ||
      file.input === undefined ||
      file.output === undefined
    )
      return undefined
    const input = this.#lengths("input")
    const output = this.#lengths("output")
    if (input === undefined || output === undefined) return undefined
    const { arrivals } = file
    return {
      ...common,
      kind: "synthetic",
      requests: file.requests,
      input,
      output,
      arrivals:
        "concurrency" in arrivals
          ? { kind: "closed", concurrency: arrivals.concurrency }
          : "burstiness" in arrivals
            ? { kind: "gamma", rate: arrivals.rate, burstiness: arrivals.burstiness }
            : { kind: "poisson", rate: arrivals.rate }
    }
  }

  #lengths(key: "input" | "output") {
    const lengths = lengthsOf(this.#file.workload[key]!)
    const [least, most] =
      lengths.kind === "fixed"
        ? [lengths.tokens, lengths.tokens]
        : lengths.kind === "empirical"
          ? [Math.min(...lengths.values), Math.max(...lengths.values)]
          : [lengths.min, lengths.max]
    if (least < 1) return this.#fault(["workload", key], `expected at least 1 token, found ${least}`)
    if (most > 1e8) return this.#fault(["workload", key], `expected at most 100M tokens, found ${most}`)
    if (least > most) return this.#fault(["workload", key], `min ${least} is above max ${most}`)
    return lengths
  }

  #trace(
    trace: NonNullable<ScenarioFile["workload"]["trace"]>,
    common: Pick<Workload, "context">,
    limit: number | undefined
  ): Workload | undefined {
    const file = relativeTo(this.#document.file, trace.file)
    const text = readText(file, this.#read)
    if (typeof text !== "string") return this.#fault(["workload", "trace", "file"], `${file} ${text.message}`)
    const parsed = trace.format === "azure-csv" ? parseAzureCsv(file, text) : parseMooncakeJsonl(file, text)
    this.faults.push(...parsed.faults)
    const scale = trace.rate_scale ?? 1
    const requests = parsed.requests
      .slice(0, limit)
      .map((request) => ({ ...request, arrival: request.arrival / scale }))
    return {
      ...common,
      kind: "trace",
      requests,
      blockTokens: MOONCAKE_BLOCK,
      origin: { basis: "measured", source: trace.source }
    }
  }

  #method(file: MethodFile, path: Path, model: string): NamedMethod | undefined {
    if (typeof file === "string") return { name: file, method: { kind: file } }
    const method = this.#methodKind(file, path, model)
    return method === undefined ? undefined : { name: file.name ?? method.kind, method }
  }

  #methodKind(file: Exclude<MethodFile, string>, path: Path, model: string): Method | undefined {
    if (file.full_kv !== undefined) return { kind: "full-kv" }
    if (file.offloaded !== undefined) return { kind: "offloaded" }
    if (file.drafter !== undefined) {
      const drafter = this.#drafter(file.drafter, [...path, "drafter"])
      return drafter === undefined ? undefined : { kind: "drafter", drafter }
    }
    if (file.lossy !== undefined) {
      const compressor = this.#compressor(file.lossy, [...path, "lossy"], model)
      return compressor === undefined ? undefined : { kind: "lossy", compressor }
    }
    if (file.sparse !== undefined) {
      const compressor = this.#compressor(file.sparse, [...path, "sparse"], model)
      const window = this.#window(file.sparse.window, [...path, "sparse", "window"])
      return compressor === undefined ? undefined : { kind: "sparse", compressor, window }
    }
    const { vericache } = file
    if (vericache === undefined) return undefined
    const compressor = this.#compressor(vericache, [...path, "vericache"], model)
    const drafter =
      vericache.drafter === undefined
        ? undefined
        : this.#drafter(vericache.drafter, [...path, "vericache", "drafter"])
    if (compressor === undefined || (vericache.drafter !== undefined && drafter === undefined))
      return undefined
    return {
      kind: "vericache",
      compressor,
      window: this.#window(vericache.window, [...path, "vericache", "window"]),
      schedule: vericache.schedule ?? "staggered",
      reload: vericache.reload ?? "full",
      granularity: vericache.granularity ?? "whole",
      ...(drafter === undefined ? {} : { drafter })
    }
  }

  #window(
    file: NonNullable<NonNullable<Exclude<MethodFile, string>["vericache"]>["window"]> | undefined,
    path: Path
  ): WindowPolicy {
    if (file === undefined || file === "optimal") return { kind: "optimal" }
    const { horizon } = this.#engine()
    const longest = typeof file === "number" ? file : file.adaptive.max
    if (longest >= horizon)
      this.#fault(path, `a window of ${longest} is beyond engine.horizon ${horizon}`, "raise engine.horizon")
    if (typeof file === "number") return { kind: "fixed", tokens: file }
    const { min, max } = file.adaptive
    if (min > max) this.#fault(path, `min ${min} is above max ${max}`)
    return { kind: "adaptive", min, max }
  }

  #compressor(use: CompressorUse, path: Path, model: string): Compressor | undefined {
    const entry = this.#catalog.compressors.get(use.compressor)
    if (entry === undefined)
      return this.#fault(
        [...path, "compressor"],
        `no ${use.compressor} in the catalog`,
        closest(use.compressor, [...this.#catalog.compressors.keys()])
      )
    const acceptance = this.#acceptance(use, entry.acceptance, path, model)
    return acceptance === undefined ? undefined : compressorOf(entry, use.keep, acceptance)
  }

  /** Acceptance as given, or of the catalog's row for this model and keep ratio. Nothing stands in for a missing one. */
  #acceptance(
    use: CompressorUse,
    rows: readonly (AcceptanceFile & { readonly models: readonly string[]; readonly keep: number })[],
    path: Path,
    model: string
  ): Acceptance | undefined {
    if (use.acceptance !== undefined) return acceptanceOf(use.acceptance)
    const row =
      rows.find((one) => one.keep === use.keep && one.models.includes(model)) ??
      rows.find((one) => one.keep === use.keep && one.models.includes("any"))
    if (row !== undefined) return acceptanceOf(row)
    const known = rows.map((one) => `keep ${one.keep} on ${one.models.join("/")}`).join(", ")
    return this.#fault(
      [...path, "acceptance"],
      `is missing, and the catalog has no acceptance of ${use.compressor} at keep ${use.keep} on ${model}`,
      known === ""
        ? "give acceptance: with its source"
        : `give acceptance: with its source; the catalog has ${known}`
    )
  }

  #drafter(file: string | DrafterFile, path: Path): Drafter | undefined {
    if (typeof file !== "string") return drafterOf(file)
    const entry = this.#catalog.drafters.get(file)
    if (entry === undefined)
      return this.#fault(path, `no ${file} in the catalog`, closest(file, [...this.#catalog.drafters.keys()]))
    return drafterOf(entry)
  }

  /** vLLM's speculative_config as one more method. */
  #vllmDrafter(): readonly (NamedMethod | undefined)[] {
    const config = this.#file.speculative_config
    if (config === undefined) return []
    const drafter = this.#drafter(config.model ?? config.method ?? "", [
      "speculative_config",
      config.model === undefined ? "method" : "model"
    ])
    if (drafter === undefined) return [undefined]
    const tokens = config.num_speculative_tokens ?? drafter.numSpeculativeTokens
    return [
      {
        name: "speculative_config",
        method: { kind: "drafter", drafter: { ...drafter, numSpeculativeTokens: tokens } }
      }
    ]
  }

  #objectives(): readonly Objective[] {
    const goodput = this.#file.goodput ?? {}
    return (["ttft", "tpot", "itl", "e2el"] as const).flatMap((metric) => {
      const objective = goodput[metric]
      return objective === undefined
        ? []
        : [{ metric, percentile: objective.percentile, atMost: amount(objective.at_most, "seconds") }]
    })
  }

  #checkFit(model: Model, engine: Engine, workload: Workload): void {
    const kvHeads = model.layers.flatMap(({ attention }) =>
      attention.kind === "gqa" ? [attention.heads] : []
    )
    for (const heads of new Set(kvHeads)) {
      if (heads % engine.tensorParallelSize !== 0)
        this.#fault(
          ["engine", "tensor_parallel_size"],
          `${heads} attention heads do not divide by ${engine.tensorParallelSize}`
        )
    }
    if (workload.kind !== "synthetic") return
    const most = (lengths: typeof workload.input): number =>
      lengths.kind === "fixed"
        ? lengths.tokens
        : lengths.kind === "empirical"
          ? Math.max(...lengths.values)
          : lengths.max
    const longest = most(workload.input) + most(workload.output)
    if (longest > model.maxPositions)
      this.#fault(
        ["workload", "input"],
        `prompt and output of up to ${longest} tokens are beyond ${model.name}'s ${model.maxPositions} positions`
      )
  }
}

/** The path a field name such as `layers[0].count` stands for. */
const pathOf = (field: string): Path =>
  (field.match(/[^.[\]]+/g) ?? []).map((part) => (/^\d+$/.test(part) ? Number(part) : part))
