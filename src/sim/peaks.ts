/** What the hardware of a scenario could move at most, for the shares of the roofline that a trace's viewer shows. */
import type { Scenario } from "../scenario/resolved.ts"
import type { Peaks } from "../trace/store.ts"
import { groupLink } from "./theory/parameters.ts"

/** Of one tensor-parallel group, bytes/s. */
export const peaksOf = (scenario: Scenario): Peaks => {
  const { hardware, engine } = scenario
  return {
    hbm: hardware.hbm.bandwidth * engine.tensorParallelSize,
    hostToDevice: groupLink(scenario, "hostToDevice"),
    deviceToHost: groupLink(scenario, "deviceToHost"),
    basis: hardware.origin.basis
  }
}
