/**
 * Settings of a measured vLLM engine (meta.json beside an engine log) as a scenario's `engine`. Read are `engine_kwargs`
 * (tensor_parallel_size, data_parallel_size, max_num_seqs, max_num_batched_tokens, max_model_len), `kv_cache` (num_gpu_blocks,
 * block_size, gpu_memory_utilization, enable_prefix_caching) and `resolved_config.scheduler_config.async_scheduling`.
 */
import { isNumber, isRecord } from "./json.ts"

/** What of an engine a scenario can say, by its names there. */
export type EngineSettings = Readonly<Record<string, number | boolean>>

/** From this version on vLLM schedules ahead unless it is told not to (read off resolved settings of 0.19). */
const AHEAD = 19

const minorOf = (version: unknown): number | undefined => {
  const minor = typeof version === "string" ? /^0\.(\d+)\./.exec(version)?.[1] : undefined
  return minor === undefined ? undefined : Number(minor)
}

/** The settings; `notes` say what was not in the file. */
export const readEngineSettings = (
  meta: unknown
): { readonly settings: EngineSettings; readonly notes: readonly string[] } => {
  const section = (value: unknown, name: string): Readonly<Record<string, unknown>> => {
    const found = isRecord(value) ? value[name] : undefined
    return isRecord(found) ? found : {}
  }
  const kwargs = section(meta, "engine_kwargs")
  const cache = section(meta, "kv_cache")
  const scheduler = section(section(meta, "resolved_config"), "scheduler_config")
  const settings: Record<string, number | boolean> = {}
  const take = (to: string, value: unknown): void => {
    if (isNumber(value) || typeof value === "boolean") settings[to] = value
  }
  for (const name of [
    "tensor_parallel_size",
    "data_parallel_size",
    "max_num_seqs",
    "max_num_batched_tokens",
    "max_model_len"
  ])
    take(name, kwargs[name])
  take("block_size", cache["block_size"])
  take("gpu_memory_utilization", cache["gpu_memory_utilization"])
  take("num_gpu_blocks_override", cache["num_gpu_blocks"])
  take("enable_prefix_caching", cache["enable_prefix_caching"])
  take("async_scheduling", scheduler["async_scheduling"])
  const notes: string[] = []
  if (settings["num_gpu_blocks_override"] === undefined)
    notes.push("no kv_cache.num_gpu_blocks: KV pages are counted from memory")
  if (settings["async_scheduling"] === undefined) {
    const minor = isRecord(meta) ? minorOf(meta["vllm_version"]) : undefined
    if (minor !== undefined && minor >= AHEAD) {
      settings["async_scheduling"] = true
      notes.push(`no scheduler_config: vLLM 0.${minor} is taken to schedule ahead, its default`)
    }
  }
  return { settings, notes }
}
