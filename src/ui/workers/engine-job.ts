import type { EngineResponse } from "./engine-protocol.ts"

/** A question under way. */
export interface Job {
  readonly tell: (response: EngineResponse) => void
  /** Loses the device, once there is one. */
  lose: () => void
}
