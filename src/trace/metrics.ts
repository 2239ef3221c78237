/**
 * What a run comes to: one structure for every serving method, simulated or measured, and the accumulator behind it.
 * The latencies are the ones vLLM's serving benchmark reports (TTFT, TPOT, ITL, E2EL), so that the two can be compared.
 */
import { type Distribution, Histogram } from "./histogram.ts"

/** What holds a group of GPUs up at a moment. The shares of all of them sum to 1. */
export const LIMITS = ["hbm", "compute", "link", "interconnect", "host", "scheduling", "idle"] as const
export type Limit = (typeof LIMITS)[number]

/** What a transfer is for, as the runtime's ports name it. */
export type MovedKind = "reload" | "save" | "fetch" | "stream"

/** Seconds unless a name says otherwise; bytes and tokens are totals of the run. */
export interface RunMetrics {
  readonly gpus: number
  /** First arrival to last event. */
  readonly duration: number
  /** Every request that arrived ended in one of the four ways, unless the run was cut. */
  readonly requests: {
    readonly arrived: number
    readonly finished: number
    readonly cancelled: number
    readonly timedOut: number
    readonly failed: number
  }
  readonly events: {
    readonly preemptions: number
    /** Requests that gave up rounds for full KV in HBM. */
    readonly fallbacks: number
    /** Transfers that failed and were tried again or given up. */
    readonly transferFailures: number
    /** Passes of all groups. */
    readonly iterations: number
  }
  /** Prompt tokens of the requests that arrived. */
  readonly promptTokens: number
  /** Output tokens of all requests that ended, in whatever way. */
  readonly outputTokens: number
  readonly throughput: {
    /** Output tokens per second of the run. */
    readonly tokensPerSecond: number
    /** The same per GPU. */
    readonly perGpu: number
    /** What one user sees after the first token: 1 / mean TPOT. */
    readonly perUser: number
    /** Finished requests per second of the run. */
    readonly requestsPerSecond: number
  }
  /** Arrival to first token, queueing and transfers included. */
  readonly ttft: Distribution
  /** (last − first token) / (tokens − 1), per finished request with two tokens or more. */
  readonly tpot: Distribution
  /**
   * Time between deliveries of tokens to a request, the first not counted. Tokens of one round or one speculative step are
   * delivered at once and make one gap, as they make one chunk of vLLM's stream.
   */
  readonly itl: Distribution
  /** Arrival to last token, finished requests. */
  readonly e2el: Distribution
  /** Of all rounds that were verified; with a classical drafter, of its steps. */
  readonly rounds: {
    readonly count: number
    /** drafted = accepted + rejected */
    readonly drafted: number
    readonly accepted: number
    readonly rejected: number
    /** Tokens the verifier put in itself: corrections and bonuses. committed = accepted + corrections */
    readonly corrections: number
    readonly committed: number
    /** Drafted tokens per round. */
    readonly meanWindow: number
    /** Accepted tokens per round. */
    readonly meanAccepted: number
    /** Rounds by accepted length. */
    readonly acceptedLengths: readonly number[]
  }
  /** What a classical drafter proposed, and how much of it the steps that checked it agreed with; with rounds, on compressed KV. */
  readonly proposals: { readonly proposed: number; readonly agreed: number }
  /** Moved by transfers that arrived, by purpose; `hbm`: read and written in HBM by passes. */
  readonly bytes: Readonly<Record<MovedKind | "hbm", number>>
  /**
   * Time the host link was busy in either direction, summed over groups: `exposed` while the GPU stood idle waiting for it,
   * `hidden` otherwise: behind a pass, or while nothing waited for it.
   */
  readonly transfers: { readonly hidden: number; readonly exposed: number }
  /** Busy share of the run, 0–1. */
  readonly utilisation: {
    /** Time a pass was running. */
    readonly gpu: number
    /** Bytes passes read and wrote over what the bandwidth allows. */
    readonly hbm: number
    readonly linkIn: number
    readonly linkOut: number
  }
  /**
   * Share of all groups' time each limit accounts for, summing to 1: a pass is split by what bounded it, the time between
   * passes belongs to what was waited for.
   */
  readonly limits: Readonly<Record<Limit, number>>
  /** The same in seconds, summed over groups. */
  readonly limitSeconds: Readonly<Record<Limit, number>>
  /** The most at the start of any pass; summed over groups, whose peaks need not fall together. */
  readonly peak: { readonly hbmBytes: number; readonly batch: number; readonly waiting: number }
}

const NS = 1e-9
/** Latencies are told apart from 1 µs on. */
const LATENCY_UNIT = 1e3

/**
 * Feeds on what the observer of a group sees, in flat memory; several merge into the metrics of a deployment. All times
 * given are nanoseconds, those of one accumulator never going back.
 */
export class MetricsAccumulator {
  readonly #ttft = new Histogram(LATENCY_UNIT)
  readonly #tpot = new Histogram(LATENCY_UNIT)
  readonly #itl = new Histogram(LATENCY_UNIT)
  readonly #e2el = new Histogram(LATENCY_UNIT)
  readonly #ends = { finished: 0, cancelled: 0, "timed-out": 0, failed: 0 }
  readonly #bytes: Record<MovedKind | "hbm", number> = { reload: 0, save: 0, fetch: 0, stream: 0, hbm: 0 }
  readonly #limits: Record<Limit, number> = {
    hbm: 0,
    compute: 0,
    link: 0,
    interconnect: 0,
    host: 0,
    scheduling: 0,
    idle: 0
  }
  #acceptedLengths: number[] = []
  #arrived = 0
  #promptTokens = 0
  #outputTokens = 0
  #rounds = { count: 0, drafted: 0, accepted: 0, committed: 0 }
  #proposals = { proposed: 0, agreed: 0 }
  #gpuBusyNs = 0
  /** Groups merged in; 0 for an accumulator that fed on a group itself. */
  #groups = 0
  preemptions = 0
  fallbacks = 0
  transferFailures = 0
  #iterations = 0
  #peak = { hbmBytes: 0, batch: 0, waiting: 0 }
  /** Nanoseconds. */
  #links = { in: 0, out: 0, hidden: 0, exposed: 0 }
  // The state since `#since`: what is busy, what the GPU waits for.
  #since = 0
  #gpuBusy = false
  #busyIn = 0
  #busyOut = 0
  #waitingFor: Limit = "idle"

  arrived(prompt: number): void {
    this.#arrived++
    this.#promptTokens += prompt
  }

  firstToken(sinceArrival: number): void {
    this.#ttft.record(sinceArrival)
  }

  /** A delivery of one or more tokens, `gap` ns after the request's last. */
  delivered(gap: number): void {
    this.#itl.record(gap)
  }

  /** `steps` steps of `stepNs` each brought `requests` requests a token apiece. */
  stepped(stepNs: number, requests: number, steps: number): void {
    if (requests > 0) this.#itl.record(stepNs, requests * steps)
  }

  ended(
    outcome: "finished" | "cancelled" | "timed-out" | "failed",
    tokens: number,
    sinceArrival: number,
    sinceFirst: number
  ): void {
    this.#ends[outcome]++
    this.#outputTokens += tokens
    if (outcome !== "finished") return
    this.#e2el.record(sinceArrival)
    if (tokens > 1) this.#tpot.record(sinceFirst / (tokens - 1))
  }

  round(drafted: number, accepted: number, committed: number): void {
    const rounds = this.#rounds
    rounds.count++
    rounds.drafted += drafted
    rounds.accepted += accepted
    rounds.committed += committed
    while (this.#acceptedLengths.length <= accepted) this.#acceptedLengths.push(0)
    this.#acceptedLengths[accepted]!++
  }

  proposed({ proposed, agreed }: { readonly proposed: number; readonly agreed: number }): void {
    this.#proposals.proposed += proposed
    this.#proposals.agreed += agreed
  }

  moved(kind: MovedKind, bytes: number): void {
    this.#bytes[kind] += bytes
  }

  /** Passes ended: seconds by limit, bytes read and written in HBM. */
  passed(steps: number, limits: Readonly<Partial<Record<Limit, number>>>, hbmBytes: number): void {
    this.#iterations += steps
    this.#bytes.hbm += hbmBytes
    for (const limit of LIMITS) this.#limits[limit] += limits[limit] ?? 0
  }

  peak(hbmBytes: number, batch: number, waiting: number): void {
    const peak = this.#peak
    if (hbmBytes > peak.hbmBytes) peak.hbmBytes = hbmBytes
    if (batch > peak.batch) peak.batch = batch
    if (waiting > peak.waiting) peak.waiting = waiting
  }

  gpuStarts(now: number): void {
    this.#integrate(now)
    this.#gpuBusy = true
  }

  gpuIdle(waitingFor: Limit, now: number): void {
    this.#integrate(now)
    this.#gpuBusy = false
    this.#waitingFor = waitingFor
  }

  linkStarts(direction: "in" | "out", now: number): void {
    this.#integrate(now)
    if (direction === "in") this.#busyIn++
    else this.#busyOut++
  }

  linkEnds(direction: "in" | "out", now: number): void {
    this.#integrate(now)
    if (direction === "in") this.#busyIn--
    else this.#busyOut--
  }

  /** Closes the books at `end`, ns. */
  finish(end: number): void {
    this.#integrate(end)
  }

  /** Adds another replica's books. */
  merge(other: MetricsAccumulator): void {
    this.#groups += Math.max(1, other.#groups)
    this.#ttft.merge(other.#ttft)
    this.#tpot.merge(other.#tpot)
    this.#itl.merge(other.#itl)
    this.#e2el.merge(other.#e2el)
    addAll(this.#ends, other.#ends)
    addAll(this.#bytes, other.#bytes)
    addAll(this.#limits, other.#limits)
    addAll(this.#rounds, other.#rounds)
    addAll(this.#proposals, other.#proposals)
    addAll(this.#links, other.#links)
    addAll(this.#peak, other.#peak)
    other.#acceptedLengths.forEach((count, length) => {
      while (this.#acceptedLengths.length <= length) this.#acceptedLengths.push(0)
      this.#acceptedLengths[length]! += count
    })
    this.#arrived += other.#arrived
    this.#promptTokens += other.#promptTokens
    this.#outputTokens += other.#outputTokens
    this.#gpuBusyNs += other.#gpuBusyNs
    this.preemptions += other.preemptions
    this.fallbacks += other.fallbacks
    this.transferFailures += other.transferFailures
    this.#iterations += other.#iterations
  }

  /** The metrics of a run of `duration` ns on `gpus` GPUs; `hbmBandwidth` in bytes/s of all of them together. */
  result(duration: number, gpus: number, hbmBandwidth: number): RunMetrics {
    const seconds = duration * NS
    const span = Math.max(duration * Math.max(1, this.#groups), Number.MIN_VALUE)
    const tpot = this.#tpot.distribution(NS)
    const rounds = this.#rounds
    const tokensPerSecond = seconds > 0 ? this.#outputTokens / seconds : 0
    const ends = this.#ends
    return {
      gpus,
      duration: seconds,
      requests: {
        arrived: this.#arrived,
        finished: ends.finished,
        cancelled: ends.cancelled,
        timedOut: ends["timed-out"],
        failed: ends.failed
      },
      events: {
        preemptions: this.preemptions,
        fallbacks: this.fallbacks,
        transferFailures: this.transferFailures,
        iterations: this.#iterations
      },
      promptTokens: this.#promptTokens,
      outputTokens: this.#outputTokens,
      throughput: {
        tokensPerSecond,
        perGpu: tokensPerSecond / gpus,
        perUser: tpot.mean > 0 ? 1 / tpot.mean : 0,
        requestsPerSecond: seconds > 0 ? ends.finished / seconds : 0
      },
      ttft: this.#ttft.distribution(NS),
      tpot,
      itl: this.#itl.distribution(NS),
      e2el: this.#e2el.distribution(NS),
      rounds: {
        ...rounds,
        rejected: rounds.drafted - rounds.accepted,
        corrections: rounds.committed - rounds.accepted,
        meanWindow: rounds.count > 0 ? rounds.drafted / rounds.count : 0,
        meanAccepted: rounds.count > 0 ? rounds.accepted / rounds.count : 0,
        acceptedLengths: [...this.#acceptedLengths]
      },
      proposals: { ...this.#proposals },
      bytes: { ...this.#bytes },
      transfers: { hidden: this.#links.hidden * NS, exposed: this.#links.exposed * NS },
      utilisation: {
        gpu: this.#gpuBusyNs / span,
        hbm: seconds > 0 ? this.#bytes.hbm / (hbmBandwidth * seconds) : 0,
        linkIn: this.#links.in / span,
        linkOut: this.#links.out / span
      },
      limits: shares(this.#limits),
      limitSeconds: { ...this.#limits },
      peak: { ...this.#peak }
    }
  }

  /** Books the time since the last change of state under the state that held. */
  #integrate(now: number): void {
    const passed = now - this.#since
    if (passed < 0) throw new Error(`metrics cannot go back from ${this.#since} ns to ${now} ns`)
    this.#since = now
    if (this.#gpuBusy) this.#gpuBusyNs += passed
    else this.#limits[this.#waitingFor] += passed * NS
    const links = this.#links
    if (this.#busyIn > 0) links.in += passed
    if (this.#busyOut > 0) links.out += passed
    if (this.#busyIn + this.#busyOut === 0) return
    if (!this.#gpuBusy && (this.#waitingFor === "link" || this.#waitingFor === "host"))
      links.exposed += passed
    else links.hidden += passed
  }
}

const addAll = <K extends string>(into: Record<K, number>, from: Readonly<Record<K, number>>): void => {
  for (const key of Object.keys(into) as K[]) into[key] += from[key]
}

/** Shares that sum to exactly 1: the largest takes what rounding leaves. All idle if nothing was counted. */
const shares = (amounts: Readonly<Record<Limit, number>>): Record<Limit, number> => {
  const total = LIMITS.reduce((sum, limit) => sum + amounts[limit], 0)
  const result = { ...amounts }
  if (total <= 0) return { ...result, idle: 1 }
  let largest: Limit = "idle"
  for (const limit of LIMITS) {
    result[limit] = amounts[limit] / total
    if (result[limit] > result[largest]) largest = limit
  }
  result[largest] = 1 - LIMITS.reduce((sum, limit) => (limit === largest ? sum : sum + result[limit]), 0)
  return result
}
