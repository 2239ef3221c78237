/** The serving methods a plan may choose from, as a scenario would name them. */
import { type Catalog, isRecord } from "../../scenario/catalog.ts"
import { methodName } from "../override.ts"
import type { CandidatesFile } from "./plan-file.ts"

/** A method that may be chosen. */
export interface MethodChoice {
  /** What is compared with what: variants of one family differ in compressor, keep ratio, window and GPU/offload split only. */
  readonly family: string
  /** Its own name among all. */
  readonly name: string
  /** As a scenario gives it. */
  readonly file: unknown
  /** Its place in the plan's list; undefined if it was made of the catalog, or is the scenario's. */
  readonly place?: number
}

/** What methods are made of. */
interface Parts {
  readonly compressors: readonly string[]
  readonly keeps: readonly number[] | undefined
  readonly windows: readonly ("optimal" | number)[]
  readonly reloads: readonly ("full" | "missing")[]
  readonly drafters: readonly string[]
  readonly splits: readonly number[]
}

/** B_g that are tried where a plan does not say. */
const SPLITS = [0, 2, 4, 8, 16]

type Kind = "drafter" | "sparse" | "vericache"
const KINDS: readonly Kind[] = ["drafter", "sparse", "vericache"]
const isKind = (method: unknown): method is Kind => KINDS.some((kind) => kind === method)

/** A compressor at a keep ratio at which its acceptance is known for a model. */
const compressions = (
  { compressors, keeps }: Parts,
  model: string,
  catalog: Catalog
): readonly { readonly compressor: string; readonly keep: number; readonly again: boolean }[] =>
  compressors.flatMap((compressor) => {
    const entry = catalog.compressors.get(compressor)
    if (entry === undefined) return []
    const rows = entry.acceptance.filter(({ models }) => models.includes(model) || models.includes("any"))
    const known = [...new Set(rows.map(({ keep }) => keep))]
    // What is chosen again at every verification needs the whole KV in HBM.
    const again = entry.kind === "drop" && entry.mode === "online"
    return known
      .filter((keep) => keeps === undefined || keeps.includes(keep))
      .map((keep) => ({ compressor, keep, again }))
  })

/** All variants of a kind. */
const made = (kind: Kind, parts: Parts, model: string, catalog: Catalog): readonly MethodChoice[] => {
  const { windows, reloads, drafters } = parts
  const windowed = (window: "optimal" | number): string => (window === "optimal" ? "" : `, window ${window}`)
  if (kind === "drafter")
    return drafters.map((drafter) => ({ family: drafter, name: drafter, file: { name: drafter, drafter } }))
  const bases = compressions(parts, model, catalog).flatMap(({ compressor, keep, again }) =>
    windows.map((window) => ({ use: { compressor, keep, window }, again }))
  )
  const title = ({ compressor, keep, window }: (typeof bases)[number]["use"]): string =>
    `${compressor} ${keep}${windowed(window)}`
  if (kind === "sparse")
    return bases
      .filter(({ again }) => again)
      .map(({ use }) => {
        const name = `sparse: ${title(use)}`
        return { family: "sparse", name, file: { name, sparse: use } }
      })
  return [undefined, ...drafters].flatMap((drafter) =>
    bases
      .filter(({ again }) => !again)
      .flatMap(({ use }) =>
        reloads.flatMap((reload) => {
          const family = drafter === undefined ? "VeriCache" : `VeriCache + ${drafter}`
          const name = `${family}: ${title(use)}${reload === "missing" ? ", reload missing" : ""}`
          const vericache = { ...use, reload, ...(drafter === undefined ? {} : { drafter }) }
          return withSplits({ family, name, file: { name, vericache } }, parts)
        })
      )
  )
}

/** The choice with each number of requests that keep their full KV, where it is VeriCache and does not say. */
const withSplits = (choice: MethodChoice, { splits }: Parts): readonly MethodChoice[] => {
  const { family, file } = choice
  if (!isRecord(file) || !isRecord(file["vericache"])) return [choice]
  const { vericache } = file
  if (vericache["full_kv_requests"] !== undefined) return [choice]
  return splits.map((pinned) => {
    const name = pinned === 0 ? choice.name : `${choice.name}, ${pinned} with full KV`
    return {
      ...choice,
      family,
      name,
      file: { ...file, name, vericache: { ...vericache, full_kv_requests: pinned } }
    }
  })
}

const isLossy = (method: unknown): boolean => isRecord(method) && method["lossy"] !== undefined

/**
 * All methods of a plan: those it lists, else the scenario's that change no output, else every kind there is. `drafter`,
 * `sparse` and `vericache` stand for all that can be made of the plan's lists and the acceptances of the catalog.
 */
export const methodChoices = (
  candidates: CandidatesFile,
  inherited: readonly unknown[] | undefined,
  model: string,
  catalog: Catalog
): readonly MethodChoice[] => {
  const parts: Parts = {
    compressors: candidates.compressors ?? [...catalog.compressors.keys()],
    keeps: candidates.keep,
    windows: candidates.window ?? ["optimal"],
    reloads: candidates.reload ?? ["full"],
    drafters: candidates.drafters ?? ["ngram"],
    splits: candidates.full_kv_requests ?? SPLITS
  }
  const listed: readonly unknown[] =
    candidates.methods ??
    (inherited === undefined || hasLists(candidates)
      ? ["full-kv", "offloaded", ...KINDS]
      : inherited.filter((method) => !isLossy(method)))
  const all = listed.flatMap((method, place): readonly MethodChoice[] => {
    const own = candidates.methods === undefined ? {} : { place }
    if (isKind(method)) return made(method, parts, model, catalog).map((choice) => ({ ...choice, ...own }))
    const name = methodName(method)
    return withSplits({ family: name, name, file: method, ...own }, parts)
  })
  return all
}

/** Lists that methods are made of mean nothing beside methods that are whole. */
const hasLists = ({ compressors, keep, window, reload, drafters }: CandidatesFile): boolean =>
  [compressors, keep, window, reload, drafters].some((list) => list !== undefined)
