/** Serving methods of a scenario, their compressors and drafters looked up. */
import { closest } from "../closest.ts"
import { type Path, SourceDocument } from "../document.ts"
import { acceptanceOf, compressorOf, drafterOf, promptLookupOf } from "../entries.ts"
import type { Acceptance, Compressor, Drafter, Method, NamedMethod, WindowPolicy } from "../resolved.ts"
import { type AcceptanceFile, AcceptanceProfileFile, type DrafterFile } from "../schema/drafting.ts"
import type { MethodFile } from "../schema/method.ts"
import { resolveEngine } from "./engine.ts"
import type { Resolution } from "./resolution.ts"

interface CompressorUse {
  readonly compressor: string
  readonly keep: number
  readonly acceptance?: AcceptanceFile
  readonly acceptance_profile?: string
}

export const resolveMethod = (
  to: Resolution,
  file: MethodFile,
  path: Path,
  model: string | undefined
): NamedMethod | undefined => {
  if (typeof file === "string") return { name: file, method: { kind: file } }
  const method = resolveKind(to, file, path, model)
  return method === undefined ? undefined : { name: file.name ?? method.kind, method }
}

const resolveKind = (
  to: Resolution,
  file: Exclude<MethodFile, string>,
  path: Path,
  model: string | undefined
): Method | undefined => {
  if (file.full_kv !== undefined) return { kind: "full-kv" }
  if (file.offloaded !== undefined) return { kind: "offloaded" }
  if (file.drafter !== undefined) {
    const drafter = resolveDrafter(to, file.drafter, [...path, "drafter"])
    return drafter === undefined ? undefined : { kind: "drafter", drafter }
  }
  if (file.lossy !== undefined) {
    const compressor = resolveCompressor(to, file.lossy, [...path, "lossy"], model)
    return compressor === undefined ? undefined : { kind: "lossy", compressor }
  }
  if (file.sparse !== undefined) {
    const compressor = resolveCompressor(to, file.sparse, [...path, "sparse"], model)
    const window = resolveWindow(to, file.sparse.window, [...path, "sparse", "window"])
    return compressor === undefined ? undefined : { kind: "sparse", compressor, window }
  }
  const { vericache } = file
  if (vericache === undefined) return undefined
  const compressor = resolveCompressor(to, vericache, [...path, "vericache"], model)
  const drafter =
    vericache.drafter === undefined
      ? undefined
      : resolveDrafter(to, vericache.drafter, [...path, "vericache", "drafter"])
  if (compressor === undefined || (vericache.drafter !== undefined && drafter === undefined)) return undefined
  return {
    kind: "vericache",
    compressor,
    window: resolveWindow(to, vericache.window, [...path, "vericache", "window"]),
    schedule: vericache.schedule ?? "staggered",
    reload: vericache.reload ?? "full",
    granularity: vericache.granularity ?? "whole",
    fullKvRequests: vericache.full_kv_requests ?? 0,
    ...(drafter === undefined ? {} : { drafter })
  }
}

const resolveWindow = (
  to: Resolution,
  file: NonNullable<NonNullable<Exclude<MethodFile, string>["vericache"]>["window"]> | undefined,
  path: Path
): WindowPolicy => {
  if (file === undefined || file === "optimal") return { kind: "optimal" }
  const { horizon } = resolveEngine(to)
  const longest = typeof file === "number" ? file : file.adaptive.max
  if (longest >= horizon && !to.isMalformed("engine"))
    to.fault(path, `a window of ${longest} is beyond engine.horizon ${horizon}`, "raise engine.horizon")
  if (typeof file === "number") return { kind: "fixed", tokens: file }
  const { min, max } = file.adaptive
  if (min > max) to.fault(path, `min ${min} is above max ${max}`)
  return { kind: "adaptive", min, max }
}

const resolveCompressor = (
  to: Resolution,
  use: CompressorUse,
  path: Path,
  model: string | undefined
): Compressor | undefined => {
  const entry = to.catalog.compressors.get(use.compressor)
  if (entry === undefined)
    return to.fault(
      [...path, "compressor"],
      `no ${use.compressor} in the catalog`,
      closest(use.compressor, [...to.catalog.compressors.keys()])
    )
  const acceptance = resolveAcceptance(to, use, entry.acceptance, path, model)
  return acceptance === undefined ? undefined : compressorOf(entry, use.keep, acceptance)
}

/** Acceptance as given, or of the catalog's row for this model and keep ratio. Nothing stands in for a missing one. */
const resolveAcceptance = (
  to: Resolution,
  use: CompressorUse,
  rows: readonly (AcceptanceFile & { readonly models: readonly string[]; readonly keep: number })[],
  path: Path,
  model: string | undefined
): Acceptance | undefined => {
  const { acceptance, acceptance_profile: profile } = use
  if (profile !== undefined) {
    const at = [...path, "acceptance_profile"]
    if (acceptance !== undefined) return to.fault(at, "stands beside acceptance; one of them decides")
    return acceptanceOfProfile(to, use, profile, at, model)
  }
  if (acceptance !== undefined) return acceptanceOf(acceptance)
  // Which row it would be is not known before the model is.
  if (model === undefined) return undefined
  const row =
    rows.find((one) => one.keep === use.keep && one.models.includes(model)) ??
    rows.find((one) => one.keep === use.keep && one.models.includes("any"))
  if (row !== undefined) return acceptanceOf(row)
  const known = rows.map((one) => `keep ${one.keep} on ${one.models.join("/")}`).join(", ")
  return to.fault(
    [...path, "acceptance"],
    `is missing, and the catalog has no acceptance of ${use.compressor} at keep ${use.keep} on ${model}`,
    known === ""
      ? "give acceptance: with its source"
      : `give acceptance: with its source; the catalog has ${known}`
  )
}

/** The row of a measured table for this compressor, keep ratio and model. */
const acceptanceOfProfile = (
  to: Resolution,
  use: CompressorUse,
  profile: string,
  path: Path,
  model: string | undefined
): Acceptance | undefined => {
  const named = to.textOf(path, profile)
  if (named === undefined) return undefined
  const document = new SourceDocument(named.file, named.text)
  to.faults.push(...document.faults)
  if (document.faults.length > 0) return undefined
  const decoded = document.decode(AcceptanceProfileFile)
  if ("faults" in decoded) {
    to.faults.push(...decoded.faults)
    return undefined
  }
  const rows = decoded.value.acceptance.filter(({ compressor }) => compressor === use.compressor)
  const row = rows.find(
    ({ keep, models }) =>
      Math.abs(keep - use.keep) < 1e-9 &&
      (models.includes("any") || (model !== undefined && models.includes(model)))
  )
  if (row !== undefined) return acceptanceOf(row)
  const known = rows.map((one) => `keep ${one.keep} on ${one.models.join("/")}`).join(", ")
  return to.fault(
    path,
    `${named.file} has no acceptance of ${use.compressor} at keep ${use.keep}${model === undefined ? "" : ` on ${model}`}`,
    known === "" ? "measure it with vericache accept" : `it has ${known}`
  )
}

const resolveDrafter = (to: Resolution, file: string | DrafterFile, path: Path): Drafter | undefined => {
  if (typeof file !== "string") return lookupFaults(to, file, file.kind, path) ? undefined : drafterOf(file)
  const entry = to.catalog.drafters.get(file)
  if (entry === undefined)
    return to.fault(path, `no ${file} in the catalog`, closest(file, [...to.catalog.drafters.keys()]))
  return drafterOf(entry)
}

/** Faults of an n-gram drafter's bounds; whether there are any. */
const lookupFaults = (
  to: Resolution,
  {
    prompt_lookup_min: min,
    prompt_lookup_max: max
  }: Pick<DrafterFile, "prompt_lookup_min" | "prompt_lookup_max">,
  kind: Drafter["kind"],
  path: Path
): boolean => {
  if (min === undefined && max === undefined) return false
  const field = min === undefined ? "prompt_lookup_max" : "prompt_lookup_min"
  if (kind !== "ngram") to.fault([...path, field], `is for n-gram drafters; this one is ${kind}`)
  else if (min !== undefined && max !== undefined && min > max)
    to.fault([...path, field], `min ${min} is above prompt_lookup_max ${max}`)
  else return false
  return true
}

/** The kinds of drafters by vLLM's names for them. */
const VLLM_METHODS: Readonly<Record<string, Drafter["kind"]>> = {
  ngram: "ngram",
  draft_model: "model",
  eagle: "eagle",
  eagle3: "eagle"
}

/** vLLM's speculative_config as one more method: `model` names a drafter of the catalog, `method` its kind. */
export const vllmDrafter = (to: Resolution): readonly (NamedMethod | undefined)[] => {
  const config = to.file.speculative_config
  if (config === undefined) return to.isMalformed("speculative_config") ? [undefined] : []
  const section = "speculative_config"
  const name = config.model ?? config.method
  if (name === undefined)
    return [
      to.fault([section], "names no drafter", "give model: with a drafter of the catalog, or method: ngram")
    ]
  const drafter = resolveDrafter(to, name, [section, config.model === undefined ? "method" : "model"])
  if (drafter === undefined) return [undefined]
  if (config.model !== undefined && config.method !== undefined) {
    const kind = VLLM_METHODS[config.method]
    if (kind === undefined)
      return [
        to.fault(
          [section, "method"],
          `${config.method} has no meaning here`,
          closest(config.method, Object.keys(VLLM_METHODS))
        )
      ]
    if (kind !== drafter.kind)
      return [to.fault([section, "method"], `${name} is no ${config.method} drafter but ${drafter.kind}`)]
  }
  if (lookupFaults(to, config, drafter.kind, [section])) return [undefined]
  const tokens = config.num_speculative_tokens ?? drafter.numSpeculativeTokens
  const asked = { ...drafter, numSpeculativeTokens: tokens, ...promptLookupOf(config) }
  return [{ name: section, method: { kind: "drafter", drafter: asked } }]
}
