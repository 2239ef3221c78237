/** A set of requests that compute the same kind of position in every pass, with the sums a physics needs. */
import type { Group, RequestId } from "./ports.ts"

/** What a member brought and when, so that what it has now follows from the steps since. */
export interface Member {
  readonly kvTokens: number
  readonly localKvTokens: number
  /** Step of the group at which it joined. */
  readonly since: number
  /** Step at which its sliding-window layers are full, Infinity if they are already. */
  readonly fullAt: number
}

export class BatchGroup implements Group {
  readonly members = new Map<RequestId, Member>()
  kvTokens = 0
  localKvTokens = 0
  localGrowing = 0
  /** Steps run with this group so far. */
  steps = 0
  /** Entries a member gains per step. */
  readonly #rate: number
  readonly #window: number

  /** `rate`: tokens a member gains a step; `window`: of the sliding-window layers, 0 if the model has none. */
  constructor(rate: number, window: number) {
    this.#rate = rate
    this.#window = window
  }

  get count(): number {
    return this.members.size
  }

  /** `kvTokens`, `localKvTokens`: what its next position attends to. */
  join(request: RequestId, kvTokens: number, localKvTokens: number): void {
    const room = this.#window - localKvTokens
    const grows = this.#window > 0 && room > 0
    const fullAt = grows ? this.steps + Math.ceil(room) : Number.POSITIVE_INFINITY
    this.members.set(request, { kvTokens, localKvTokens, since: this.steps, fullAt })
    this.kvTokens += kvTokens
    this.localKvTokens += localKvTokens
    if (grows) this.localGrowing++
  }

  /** Returns the steps the member took part in. */
  leave(request: RequestId): number {
    const member = this.members.get(request)
    if (member === undefined) throw new Error(`request ${request} is not in the group`)
    this.members.delete(request)
    const steps = this.steps - member.since
    if (this.members.size === 0) {
      // An empty group is exactly empty: rounding of fractional rates must not pile up.
      this.kvTokens = 0
      this.localKvTokens = 0
      this.localGrowing = 0
      return steps
    }
    this.kvTokens -= member.kvTokens + steps * this.#rate
    this.localKvTokens -= this.#localNow(member)
    if (member.fullAt !== Number.POSITIVE_INFINITY && this.steps < member.fullAt) this.localGrowing--
    return steps
  }

  /** After `steps` passes in which nobody's sliding window filled up on the way (see `stepsUntilWindowFull`). */
  grow(steps: number): void {
    this.steps += steps
    this.kvTokens += this.members.size * this.#rate * steps
    if (this.localGrowing === 0) return
    this.localKvTokens += this.localGrowing * steps
    let growing = 0
    for (const member of this.members.values()) {
      if (member.fullAt !== Number.POSITIVE_INFINITY && this.steps < member.fullAt) growing++
    }
    this.localGrowing = growing
  }

  /** Passes until a member's sliding window is full, Infinity if none is filling. */
  stepsUntilWindowFull(): number {
    if (this.localGrowing === 0) return Number.POSITIVE_INFINITY
    let next = Number.POSITIVE_INFINITY
    for (const member of this.members.values()) {
      if (member.fullAt > this.steps && member.fullAt < next) next = member.fullAt
    }
    return next - this.steps
  }

  #localNow(member: Member): number {
    if (member.fullAt === Number.POSITIVE_INFINITY) return member.localKvTokens
    return Math.min(
      member.localKvTokens + (this.steps - member.since),
      member.localKvTokens + (member.fullAt - member.since)
    )
  }
}
