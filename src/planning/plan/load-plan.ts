/** From a plan file to the candidates it leaves to choose from, or to everything that is wrong with it. */
import { Result } from "effect"
import { type Catalog, isRecord } from "../../scenario/catalog.ts"
import { closest, nearest } from "../../scenario/closest.ts"
import { type Path, ScenarioInvalid, SourceDocument } from "../../scenario/document.ts"
import { type Fault, withoutRepeats } from "../../scenario/fault.ts"
import { type ReadFile, readText } from "../../scenario/files.ts"
import { readFields, resolveFields, type ScenarioFields } from "../../scenario/load.ts"
import type { NamedMethod, Scenario } from "../../scenario/resolved.ts"
import { ScenarioFile } from "../../scenario/schema/scenario.ts"
import { methodName, parsePath, withOverrides } from "../override.ts"
import { type BaseScenario, readBase } from "../points.ts"
import { methodChoices, type MethodChoice } from "./methods.ts"
import { type CandidatesFile, PLAN_KEYS, PlanPart } from "./plan-file.ts"
import { type Prices, type PricesRead, readPrices } from "./prices.ts"

/** One way to serve: hardware, size of a group, batch limit, method. */
export interface Candidate {
  /** Its place among all. */
  readonly id: number
  /** As a scenario gives it. */
  readonly hardware: unknown
  readonly family: string
  /** One group of this hardware and size, at the plan's whole workload. */
  readonly scenario: Scenario
  readonly method: NamedMethod
}

export interface Plan {
  readonly name: string
  /** What its points change; names all methods. */
  readonly base: BaseScenario
  readonly candidates: readonly Candidate[]
  readonly minimise: "gpus" | "cost"
  readonly maxGpus: number
  readonly prices: Prices | undefined
  /** The scenario with the first choice of everything. */
  readonly scenario: Scenario
  /** How many times as fast as recorded a trace's requests arrive. */
  readonly rateScale: number
}

const TENSOR_PARALLEL: readonly number[] = [1, 2, 4, 8]
const BATCH_LIMITS: readonly number[] = [16, 64, 256]
const MAX_GPUS = 1024

export const loadPlan = (
  path: string,
  read: ReadFile,
  catalog: Catalog
): Result.Result<Plan, ScenarioInvalid> => {
  const text = readText(path, read)
  if (typeof text !== "string") return failed([text])
  const fields = readFields(path, read)
  if (Result.isFailure(fields)) return Result.fail(fields.failure)
  const own = new SourceDocument(path, text).value
  return new Loading(fields.success, isRecord(own) ? own : {}, read, catalog).plan()
}

/** Faults in reading order, file by file. */
const failed = (faults: readonly Fault[]): Result.Result<never, ScenarioInvalid> => {
  const files = [...new Set(faults.map(({ file }) => file))]
  return Result.fail(
    new ScenarioInvalid({
      faults: withoutRepeats(faults).toSorted(
        (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column
      )
    })
  )
}

/** A plan while it is read: its file, and the faults found so far. */
class Loading {
  readonly #document: SourceDocument
  /** With what the files it extends bring. */
  readonly #value: Readonly<Record<string, unknown>>
  readonly #own: Readonly<Record<string, unknown>>
  readonly #read: ReadFile
  readonly #catalog: Catalog
  readonly #faults: Fault[] = []

  constructor(
    { document, value }: ScenarioFields,
    own: Readonly<Record<string, unknown>>,
    read: ReadFile,
    catalog: Catalog
  ) {
    this.#document = document
    this.#value = isRecord(value) ? value : {}
    this.#own = own
    this.#read = read
    this.#catalog = catalog
  }

  plan(): Result.Result<Plan, ScenarioInvalid> {
    this.#checkKeys()
    const { part, formed } = this.#part()
    const { candidates = {}, minimise = "gpus", max_gpus: maxGpus = MAX_GPUS } = part
    const prices = this.#prices(part)
    if (minimise === "cost" && this.#value["prices"] === undefined)
      this.#fault(
        ["minimise"],
        "cost needs prices",
        "give prices: with their source and date; none are assumed"
      )
    this.#checkNames(candidates)
    this.#checkObjectives()
    const hardware = this.#hardware(candidates)
    const first = this.#resolve(hardware[0], ["full-kv"], [])
    if (first !== undefined) this.#checkTrace(first)
    const methods =
      first === undefined
        ? []
        : methodChoices(candidates, this.#list("methods"), first.model.name, this.#catalog)
    if (first !== undefined && formed && methods.length === 0)
      this.#fault(
        ["candidates"],
        `no method can be made: the catalog has no acceptance of these compressors at these keep ratios on ${first.model.name}`,
        "give methods: with their acceptance, or another keep"
      )
    this.#checkMethodNames(methods)
    const scenario = methods.length > 0 ? this.#resolve(hardware[0], files(methods), methods) : undefined
    const base = this.#base(hardware[0], files(methods))
    const all = scenario === undefined ? [] : this.#candidates(candidates, base, hardware, methods)
    this.#checkPrices(prices, minimise, hardware, all)
    if (scenario === undefined) return failed(this.#faults)
    if (this.#faults.length > 0) return failed(this.#faults)
    return Result.succeed({
      name: scenario.name,
      base,
      candidates: all,
      minimise,
      maxGpus,
      prices: prices?.prices,
      scenario,
      rateScale: this.#rateScale()
    })
  }

  #rateScale(): number {
    const { workload } = this.#value
    const trace = isRecord(workload) ? workload["trace"] : undefined
    return isRecord(trace) && typeof trace["rate_scale"] === "number" ? trace["rate_scale"] : 1
  }

  #fault(path: Path, message: string, suggestion?: string): void {
    this.#faults.push(this.#document.fault(path, message, suggestion))
  }

  /** A list of the scenario itself, if it has one. */
  #list(key: string): readonly unknown[] | undefined {
    const value = this.#value[key]
    return Array.isArray(value) ? value : undefined
  }

  #checkKeys(): void {
    const known = [...Object.keys(ScenarioFile.fields), ...PLAN_KEYS]
    for (const key of Object.keys(this.#value))
      if (!known.includes(key)) this.#fault([key], "unknown field", closest(key, known))
    if (this.#value["remote_prefix"] !== undefined)
      this.#fault(["remote_prefix"], "plans are for deployments whose groups are all alike")
  }

  /** What only plans have, each by itself, so that one that is malformed hides no fault of the others. */
  #part(): { readonly part: PlanPart; readonly formed: boolean } {
    let part: PlanPart = {}
    let formed = true
    for (const key of PLAN_KEYS) {
      if (!(key in this.#value)) continue
      const decoded = this.#document.decode(PlanPart, { [key]: this.#value[key] })
      if ("value" in decoded) part = { ...part, ...decoded.value }
      else {
        this.#faults.push(...decoded.faults)
        if (key === "candidates") {
          part = { ...part, candidates: this.#named(this.#value[key]) }
          formed = false
        }
      }
    }
    return { part, formed }
  }

  /** Of malformed candidates the names that are well-formed, so that what is wrong with those is told at once too. */
  #named(candidates: unknown): CandidatesFile {
    if (!isRecord(candidates)) return {}
    const texts = (key: string): readonly string[] | undefined => {
      const list = candidates[key]
      return Array.isArray(list) && list.length > 0 && list.every((one) => typeof one === "string")
        ? list
        : undefined
    }
    const [hardware, compressors, drafters] = ["hardware", "compressors", "drafters"].map(texts)
    return {
      ...(hardware === undefined ? {} : { hardware }),
      ...(compressors === undefined ? {} : { compressors }),
      ...(drafters === undefined ? {} : { drafters })
    }
  }

  #prices({ prices }: PlanPart): PricesRead | undefined {
    if (prices === undefined) return undefined
    const known = readPrices(prices, this.#document, this.#read)
    if ("prices" in known) return known
    this.#faults.push(...known.faults)
    return undefined
  }

  #checkNames({ hardware = [], compressors = [], drafters = [] }: CandidatesFile): void {
    const check = (key: string, names: readonly unknown[], known: ReadonlyMap<string, unknown>): void =>
      names.forEach((name, i) => {
        if (typeof name === "string" && !known.has(name))
          this.#fault(["candidates", key, i], `no ${name} in the catalog`, closest(name, [...known.keys()]))
      })
    check("hardware", hardware, this.#catalog.hardware)
    check("compressors", compressors, this.#catalog.compressors)
    check("drafters", drafters, this.#catalog.drafters)
  }

  #checkObjectives(): void {
    const { goodput } = this.#value
    if (goodput === undefined || (isRecord(goodput) && Object.keys(goodput).length === 0))
      this.#fault(
        ["goodput"],
        "is missing: a plan needs an objective to meet",
        "give goodput: { ttft: { percentile: 95, at_most: 2 s } }"
      )
  }

  #checkTrace({ workload }: Scenario): void {
    if (workload.kind === "trace" && workload.requests.length < 2)
      this.#fault(["workload", "trace"], "expected two requests or more")
  }

  #checkMethodNames(methods: readonly MethodChoice[]): void {
    methods.forEach(({ name, place }, i) => {
      if (methods.findIndex((one) => one.name === name) < i)
        this.#fault(
          place === undefined ? ["candidates"] : ["candidates", "methods", place],
          `two methods are called ${name}`,
          "give one a name: of its own"
        )
    })
  }

  /** Hardware to choose from; names that are not there have been told. */
  #hardware({ hardware }: CandidatesFile): readonly unknown[] {
    const own = this.#value["hardware"]
    const listed = hardware ?? (own === undefined ? [...this.#catalog.hardware.keys()] : [own])
    const known = listed.filter((one) => typeof one !== "string" || this.#catalog.hardware.has(one))
    // Something must stand there, or nothing else could be checked.
    return known.length > 0 ? known : [...this.#catalog.hardware.keys()].slice(0, 1)
  }

  /** The scenario that points change: this file without what only plans have. */
  #base(hardware: unknown, methods: readonly unknown[]): BaseScenario {
    const fields = Object.entries(this.#own).filter(
      ([key]) => key in ScenarioFile.fields && key !== "baseline" && key !== "speculative_config"
    )
    const value = { ...Object.fromEntries(fields), hardware, methods, baseline: methodName(methods[0]) }
    return { file: this.#document.file, text: JSON.stringify(value) }
  }

  /** With these methods; undefined, with faults where they stand in the plan, if that makes no sense. */
  #resolve(
    hardware: unknown,
    methods: readonly unknown[],
    choices: readonly MethodChoice[]
  ): Scenario | undefined {
    const fields = readBase(this.#base(hardware, methods), this.#read)
    const scenario = Result.flatMap(fields, (one) => resolveFields(one, this.#read, this.#catalog))
    if (Result.isSuccess(scenario)) return scenario.success
    for (const fault of scenario.failure.faults)
      this.#faults.push(fault.file === this.#document.file ? this.#moved(fault, choices) : fault)
    return undefined
  }

  /** A fault of the scenario that was made, told where its cause stands in the plan. */
  #moved({ field, message, suggestion }: Fault, choices: readonly MethodChoice[]): Fault {
    const keys = (parsePath(field) ?? []).map(({ kind, key }) => (kind === "item" ? Number(key) : key))
    return this.#document.fault(this.#place(keys, choices), message, suggestion)
  }

  #place(keys: readonly (string | number)[], choices: readonly MethodChoice[]): Path {
    const [head, index, ...rest] = keys
    if (head === "hardware" && this.#own["hardware"] === undefined)
      return ["candidates", "hardware", 0, ...keys.slice(1)]
    if (head !== "methods" || typeof index !== "number") return keys
    const place = choices[index]?.place
    return place === undefined ? keys : ["candidates", "methods", place, ...rest]
  }

  /** Every combination that makes sense for the model. */
  #candidates(
    { tensor_parallel_size: sizes, max_num_seqs: limits }: CandidatesFile,
    base: BaseScenario,
    hardware: readonly unknown[],
    methods: readonly MethodChoice[]
  ): readonly Candidate[] {
    const fields = Result.getOrThrow(readBase(base, this.#read))
    const engine = isRecord(this.#value["engine"]) ? this.#value["engine"] : {}
    const given = (key: string): readonly number[] | undefined =>
      typeof engine[key] === "number" ? [engine[key]] : undefined
    const groups = sizes ?? given("tensor_parallel_size") ?? TENSOR_PARALLEL
    const batches = limits ?? given("max_num_seqs") ?? BATCH_LIMITS
    const all: Candidate[] = []
    const names = new Set<string>()
    for (const one of hardware) {
      let name: string | undefined
      groups.forEach((size, i) => {
        const resolved = withOverrides(
          fields,
          [
            { field: "hardware", value: one },
            { field: "engine.tensor_parallel_size", value: size },
            { field: "engine.data_parallel_size", value: 1 }
          ],
          this.#read,
          this.#catalog
        )
        if (Result.isFailure(resolved)) {
          // A size that the plan names and the model does not allow is a mistake; one of the usual ones is left out.
          const told = resolved.failure.faults.filter(({ field }) => !field.startsWith("engine"))
          if (told.length > 0) this.#faults.push(...told.map((fault) => this.#moved(fault, methods)))
          else if (sizes !== undefined)
            for (const { message } of resolved.failure.faults)
              this.#fault(["candidates", "tensor_parallel_size", i], message)
          return
        }
        const scenario = resolved.success
        name ??= unused(scenario.hardware.name, names)
        const named = { ...scenario, hardware: { ...scenario.hardware, name } }
        for (const maxNumSeqs of batches)
          for (const { family, name: of } of methods) {
            const method = scenario.methods.find((known) => known.name === of)!
            const engine = { ...named.engine, maxNumSeqs }
            all.push({ id: all.length, hardware: one, family, method, scenario: { ...named, engine } })
          }
      })
    }
    if (all.length === 0 && this.#faults.length === 0)
      this.#fault(
        ["engine", "tensor_parallel_size"],
        `the model divides among none of ${groups.join(", ")} GPUs`
      )
    return all
  }

  /** A price of hardware that nobody knows is somebody's longer list, or a slip that would leave its hardware out. */
  #checkPrices(
    read: PricesRead | undefined,
    minimise: NonNullable<PlanPart["minimise"]>,
    hardware: readonly unknown[],
    all: readonly Candidate[]
  ): void {
    // Changed hardware has names that only its resolution tells.
    if (read === undefined || (all.length === 0 && hardware.some((one) => typeof one !== "string"))) return
    const candidates =
      all.length === 0
        ? hardware.map(String)
        : [...new Set(all.map(({ scenario }) => scenario.hardware.name))]
    const known = [...candidates, ...this.#catalog.hardware.keys()]
    const { perGpuHour } = read.prices
    const slips = [...perGpuHour.keys()].flatMap((name) => {
      const meant = known.includes(name) ? undefined : nearest(name, known)
      return meant === undefined
        ? []
        : [read.fault(name, `no ${name} in the catalog`, `did you mean ${meant}?`)]
    })
    this.#faults.push(...slips)
    if (slips.length === 0 && minimise === "cost" && !candidates.some((name) => perGpuHour.has(name)))
      this.#fault(["prices"], `has none of the candidates: ${candidates.join(", ")}`)
  }
}

const files = (methods: readonly MethodChoice[]): readonly unknown[] => methods.map(({ file }) => file)

/** A name of its own: two changed entries may carry the name of the one they change. */
const unused = (name: string, taken: Set<string>): string => {
  let free = name
  for (let i = 2; taken.has(free); i++) free = `${name} (${i})`
  taken.add(free)
  return free
}
