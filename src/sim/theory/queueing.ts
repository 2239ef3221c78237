/** Waiting in queues: the closed forms and approximations a simulated engine is held against where it is such a queue. */

/** Probability that a customer of M/M/k has to wait (Erlang's C formula); `load`: offered load in servers, below k. */
export const erlangC = (servers: number, load: number): number => {
  // Erlang's B by its recursion, which neither overflows nor cancels.
  let blocked = 1
  for (let k = 1; k <= servers; k++) blocked = (load * blocked) / (k + load * blocked)
  const rho = load / servers
  return blocked / (1 - rho * (1 - blocked))
}

export interface Queue {
  /** Customers per second. */
  readonly rate: number
  readonly servers: number
  /** Mean seconds of service. */
  readonly service: number
  /** Squared coefficients of variation of the gaps between arrivals and of service. */
  readonly arrivalScv: number
  readonly serviceScv: number
}

/**
 * Mean wait by Allen and Cunneen's approximation of G/G/k (Allen, Probability, Statistics and Queueing Theory, 1990): that of
 * M/M/k times (c_a² + c_s²)/2. Exact for M/G/1, where it is Pollaczek and Khinchine's formula. Infinite at and beyond saturation.
 */
export const meanWait = ({ rate, servers, service, arrivalScv, serviceScv }: Queue): number => {
  const load = rate * service
  if (load >= servers) return Number.POSITIVE_INFINITY
  return ((erlangC(servers, load) * service) / (servers - load)) * ((arrivalScv + serviceScv) / 2)
}

/** Squared coefficient of variation of some values: variance over squared mean. */
export const scv = (values: readonly number[]): number => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  return variance / (mean * mean)
}
