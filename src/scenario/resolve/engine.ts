/** The serving engine, the deployment and the objectives of a scenario. */
import { amount } from "../entries.ts"
import type { Deployment, Engine, Objective } from "../resolved.ts"
import type { Resolution } from "./resolution.ts"

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

export const resolveEngine = (to: Resolution): Engine => {
  const file = to.file.engine ?? {}
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
    ...(file.async_scheduling === undefined ? {} : { asyncScheduling: file.async_scheduling }),
    horizon: file.horizon ?? ENGINE_DEFAULTS.horizon,
    ...(file.num_gpu_blocks_override === undefined ? {} : { numGpuBlocks: file.num_gpu_blocks_override })
  }
}

export const resolveDeployment = (to: Resolution): Deployment => {
  const file = to.file.remote_prefix
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

export const resolveObjectives = (to: Resolution): readonly Objective[] => {
  const goodput = to.file.goodput ?? {}
  return (["ttft", "tpot", "itl", "e2el"] as const).flatMap((metric) => {
    const objective = goodput[metric]
    return objective === undefined
      ? []
      : [{ metric, percentile: objective.percentile, atMost: amount(objective.at_most, "seconds") }]
  })
}
