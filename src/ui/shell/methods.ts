/** Methods of the scenario in What-if as runs: what addresses call them, and which there are. */
import type { ScenarioSummary } from "../workers/protocol.ts"
import type { ScreenContext } from "./screen.ts"

const METHOD = "method-"

/** Name in addresses of a method of the scenario: such runs are simulated again when a link is opened. */
export const methodId = (index: number): string => `${METHOD}${index}`

/** The method that `id` names; undefined if it names something else. */
export const methodOf = (id: string): number | undefined =>
  /^method-\d+$/.test(id) ? Number(id.slice(METHOD.length)) : undefined

/** The scenario's methods; undefined if it has faults. */
export const methodsOf = ({
  simulation,
  state
}: Pick<ScreenContext, "simulation" | "state">): Promise<ScenarioSummary["methods"] | undefined> =>
  new Promise((resolve) => {
    const cancel = simulation.ask({ kind: "simulate", source: state() }, (response) => {
      resolve(response.kind === "scenario" ? response.summary.methods : undefined)
      cancel()
    })
  })
