/** What every scenario of the paper and of other systems comes to under every method, with the digest of its trace. */
import { ran, scenarioAt } from "./runs.fixture.ts"
import { scenarioPaths, shortened } from "../scenarios.fixture.ts"

export interface Golden {
  /** Of the whole trace: any change of any event's time changes it. */
  readonly digest: string
  readonly outputTokens: number
  /** Output tokens per second. */
  readonly throughput: number
  /** Seconds. */
  readonly meanTpot: number
  /** Tokens per round; 0 where nothing is drafted. */
  readonly meanAccepted: number
  readonly peakBatch: number
}

/** Scenario / method → what it comes to. */
export type Goldens = Readonly<Record<string, Golden>>

/** Requests a golden run keeps of its scenario. */
const REQUESTS = 24

const headline = (value: number): number => Number(value.toPrecision(6))

export const currentGoldens = (): Goldens =>
  Object.fromEntries(
    scenarioPaths()
      .filter((path) => path.startsWith("paper") || path.startsWith("external"))
      .flatMap((path) => {
        const name = path.replace(/\.yaml$/, "").replaceAll("\\", "/")
        const scenario = shortened(scenarioAt(name), REQUESTS)
        return scenario.methods.map((method) => {
          const { metrics, trace } = ran(scenario, method)
          return [
            `${name}, ${method.name}`,
            {
              digest: trace.digest(),
              outputTokens: metrics.outputTokens,
              throughput: headline(metrics.throughput.tokensPerSecond),
              meanTpot: headline(metrics.tpot.mean),
              meanAccepted: headline(metrics.rounds.meanAccepted),
              peakBatch: metrics.peak.batch
            }
          ] as const
        })
      })
  )
